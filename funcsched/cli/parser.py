"""The argument parser of the command, and its errors."""

from __future__ import annotations

import argparse

from funcsched.core.validation import suggestion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """Reports an error in one sentence, without the usage, and suggests a similar command, option or choice."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **keywords)

    def commands(self) -> dict[str, Parser]:
        """The parsers of the subcommands."""
        return {} if self._subparsers is None else self._subparsers._group_actions[0].choices  # type: ignore[return-value]

    def actions(self) -> list[argparse.Action]:
        """The arguments and options."""
        return self._actions

    def error(self, message: str) -> NoReturn:
        # The message about an invalid argument already says what is valid, or points at the mistake.
        is_complete = message.startswith(("argument ", "unknown "))
        self.exit(2, f"{self.prog}: {message}{'' if is_complete else f' (see `{self.prog} --help`)'}\n")

    def refuse_unknown_options(self, arguments: Sequence[str]) -> None:
        """Report an option that does not exist. argparse would report a required one that is missing because of it."""
        commands = self.commands()
        known = [option for action in self._actions for option in action.option_strings]
        for i, argument in enumerate(arguments):
            name = argument.partition("=")[0]
            if argument == "--":
                return
            if len(argument) > 1 and argument[0] == "-" and not argument[1].isdigit() and " " not in argument:
                if name not in known:
                    self.error(f"unknown option {name!r}; {self._hint(name, known)}")
            elif commands:
                if argument in commands:
                    commands[argument].refuse_unknown_options(arguments[i + 1 :])
                return

    def _hint(self, name: str, known: list[str]) -> str:
        if name in ("-o", "--out", "--output") and not self.commands():
            stdout = "the output goes to standard output; redirect it with `>`"
            return "did you mean '--out'?" if "--out" in known else stdout
        if name in ("--lr", "--learning-rate", "--max-lr", "--peak") and "--peak-value" in known:
            return "did you mean '--peak-value'?"
        long = [option for option in known if option.startswith("--")]
        return suggestion(name, long, f"see `{self.prog} --help`")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            kind = "command" if action.dest == argparse.SUPPRESS else "value"
            hint = suggestion(value, action.choices, f"choose from {', '.join(action.choices)}")
            raise argparse.ArgumentError(action, f"unknown {kind} {value!r}; {hint}")
