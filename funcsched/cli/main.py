"""The command `funcsched`: exit statuses, errors, and what happens when a reader closes the pipe."""

from __future__ import annotations

import argparse
import os
import sys

from funcsched.cli.arguments import read_schedules
from funcsched.cli.commands import parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from funcsched.cli.parser import Parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the command-line arguments (list of str). Defaults to those of the process.

    Returns:
        The exit status: 0 for success, 1 if `compare` found a difference or `check` a warning, 2 for an invalid
        argument.

    Example:
        >>> from funcsched.cli.main import main
        >>> main(["table", "warmup_linear(2, 4)", "--steps", "4"])
        step  multiplier
           0           0
           1         0.5
           2           1  phase boundary
           3         0.5
           4           0  phase boundary
        0
    """
    if arguments is None:
        for stream in (sys.stdout, sys.stderr):  # a terminal without Unicode shows ? instead of raising an error
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        status = _run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader has closed the pipe. At exit, Python flushes the remaining output, which would raise again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # the status that shells report for SIGPIPE
    except KeyboardInterrupt:
        return 130  # the status that shells report for SIGINT


def _run(arguments: Sequence[str] | None) -> int:
    try:
        arguments = sys.argv[1:] if arguments is None else arguments
        root = parser()
        root.refuse_unknown_options(arguments)
        options, unknown = root.parse_known_args(arguments)
        subparser: Parser = options.parser
        if subparser is not root and (options.version or options.print_completion):
            name = "--version" if options.version else "--print-completion"
            root.error(f"argument {name}: not allowed with a command")
        if unknown and getattr(options, "any_number", False):  # argparse reads only schedules without an option between
            options.expressions += unknown
        elif unknown:  # parse_args would report it without the subcommand
            subparser.error(f"unrecognized arguments: {' '.join(unknown)}")
        try:
            if hasattr(options, "expressions"):  # after --set has been read
                options.expressions = read_schedules(options.expressions, dict(options.set))
            status: int = options.run(options)
            return status
        except argparse.ArgumentError as error:
            subparser.error(str(error))
    except SystemExit as error:  # argparse has printed a help text or an error
        return int(error.code or 0)
