"""The subcommand `identify`, and `check --log`: schedules and logs."""

from __future__ import annotations

import argparse
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def print_identified(options: argparse.Namespace) -> int:
    """The subcommand `identify`."""
    return _print("FILE", lambda: _identified(options.file, options.column))


def _identified(file: str, column: str | None) -> tuple[str, int]:
    from funcsched.evidence.logs import is_saved_by_torch
    from funcsched.evidence.report import described, identify_file

    if not is_saved_by_torch(file):
        return identify_file(file, column)
    try:
        from bridges.torch import identify_scheduler
    except ModuleNotFoundError as error:
        raise ValueError(f"{os.path.basename(file)} is a file of torch.save: {error}") from error
    return described(f"the scheduler in {os.path.basename(file)}", identify_scheduler(file, key=column))


def print_log_check(options: argparse.Namespace) -> int:
    """The subcommand `check` with a log."""
    from funcsched.evidence.check_log import check_log

    ((_, rated),) = options.expressions
    peak = options.peak or (None if rated.peak_value == 1 else rated.peak_value)
    return _print("--log", lambda: check_log(rated.schedule, options.log, peak, options.column))


def _print(argument: str, report: Callable[[], tuple[str, int]]) -> int:
    try:
        text, status = report()
    except (OSError, ValueError) as error:
        raise argparse.ArgumentError(None, f"argument {argument}: {error}") from error
    print(text)
    return status
