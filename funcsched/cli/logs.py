"""The subcommand `identify`, and `check --log`: schedules and logs."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def print_identified(options: argparse.Namespace) -> int:
    """The subcommand `identify`."""
    from funcsched.evidence.report import identify_file

    return _print(lambda: identify_file(options.file, options.column))


def print_log_check(options: argparse.Namespace) -> int:
    """The subcommand `check` with a log."""
    from funcsched.evidence.report import check_log

    ((_, rated),) = options.expressions
    peak = options.peak or (None if rated.peak_value == 1 else rated.peak_value)
    return _print(lambda: check_log(rated.schedule, options.log, peak, options.column))


def _print(report: Callable[[], tuple[str, int]]) -> int:
    try:
        text, status = report()
    except (OSError, ValueError) as error:
        raise argparse.ArgumentError(None, f"argument FILE: {error}") from error
    print(text)
    return status
