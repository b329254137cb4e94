"""The option `--print-completion`: scripts with which shells complete commands, options and names."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from funcsched.cli.parser import Parser

SHELLS = ("bash", "zsh", "tcsh")
_FILES = ("file", "out", "log")  # options and arguments that are files


def print_completion(parser: Parser, shell: str) -> int:
    """Print the script of a shell, with the current names of schedules and recipes."""
    try:
        import shtab
    except ModuleNotFoundError:
        raise argparse.ArgumentError(
            None, "argument --print-completion: shtab is not installed; pip install 'funcsched[completion]'"
        ) from None
    from funcsched.cli.names import all_names, own_names
    from funcsched.plans.published import published

    for command in parser.commands().values():
        for action in command.actions():
            if action.dest in _FILES and action.nargs != 0:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif action.dest == "expressions":
                action.choices = [*published(), *own_names()]
            elif action.dest == "name" and not action.option_strings:
                action.choices = sorted({*published(), *own_names(), *all_names()})
    print(shtab.complete(parser, shell))
    return 0
