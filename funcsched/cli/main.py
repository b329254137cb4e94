"""The command `funcsched`: schedules listed, drawn, tabulated, compared and checked from a shell."""

from __future__ import annotations

import argparse
import os
import shutil
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, NoReturn, Protocol

    from funcsched.core.schedule import Schedule

    class _Rated(Protocol):  # `bridges.rated.Rated`, which is imported where a prefix is used
        @property
        def schedule(self) -> Schedule: ...
        @property
        def peak_value(self) -> float: ...


_WIDEST = 100  # of prose
_ROWS = 20  # of a table, about
_EXPRESSION = """\
EXPR is the call of a schedule, as `funcsched list` shows them, or after a
prefix a name of another library:
  'warmup_cosine(1000, 100_000, end=0.1)'
  'hf:cosine(num_warmup_steps=1000, num_training_steps=100000)'
  'optax:warmup_cosine_decay_schedule(0.0, 1e-3, 1000, 100000)'
  'torch:CosineAnnealingLR(T_max=100)', with a learning rate of 1
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


class _Failure(Exception):
    """An error in use: a sentence for the user."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the words after the command's name; by default those of the process.

    Returns:
        The exit status: 0; 1 where `compare` found a difference or `check` a warning; 2 after an error in use.

    Example:
        >>> from funcsched.cli.main import main
        >>> main(["table", "warmup_linear(2, 4)", "--steps", "4"])
        step  multiplier
           0           0
           1         0.5
           2           1
           3         0.5
           4           0
        0
    """
    try:
        status = _run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever reads has enough. The stream still holds some text, which is to go nowhere when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # as a shell says of a process that SIGPIPE ended
    except KeyboardInterrupt:
        return 130
    except _Failure as error:
        print(f"funcsched: {error}", file=sys.stderr)
        return 2


def _run(arguments: Sequence[str] | None) -> int:
    if arguments is None:
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # what cannot be shown is no reason to stop
    try:
        given = _parser().parse_args(arguments)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 2
    status: int = given.run(given)
    return status


def _parser() -> _Parser:
    parser = _Parser(
        prog="funcsched",
        description="Learning-rate schedules: list them, look at them, compare and check them.",
        epilog="example: funcsched plot 'warmup_cosine(1000, 100_000, end=0.1)'\n"
        "`funcsched COMMAND --help` says more of each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str, example: str, expressions: Any = None
    ) -> argparse.ArgumentParser:
        more = "" if expressions is None else _EXPRESSION + "\n"
        made = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=f"{more}example: {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if expressions is not None:
            made.add_argument("expressions", metavar="EXPR", nargs=expressions, help="a schedule")
        made.set_defaults(run=run)
        return made

    command("list", _list, "every schedule, shape and combinator, with its arguments", "funcsched list")
    shown = command(
        "show", _show, "one of them: arguments, formula, source, names elsewhere", "funcsched show warmup_cosine"
    )
    shown.add_argument("name", metavar="NAME", help="a name of `funcsched list`")

    drawn = command(
        "plot",
        _plot,
        "draw curves into a picture or into the terminal",
        "funcsched plot 'warmup_cosine(10, 100)' 'noam(512, 10)' --peak 3e-4 --out curves.svg",
        "+",
    )
    _numbers(drawn, "how far to draw; by default to the end of the longest and a tenth more")
    drawn.add_argument("--out", metavar="FILE", help="the picture, .png or .svg; without it, the terminal")
    drawn.add_argument("--log", action="store_true", help="a logarithmic axis of the values")

    tabled = command(
        "table",
        _table,
        "the values of a schedule, step by step",
        "funcsched table 'warmup_linear(10, 100)' --every 10 --peak 3e-4 --format csv",
        1,
    )
    _numbers(tabled, "the last step; by default the end and a tenth more")
    tabled.add_argument("--every", metavar="K", type=_whole, help="show each K-th step; by default about 20 in all")
    tabled.add_argument("--format", choices=("text", "csv", "json"), default="text", help="by default text")

    compared = command(
        "compare",
        _compare,
        "whether two schedules are equal, and if not where they part and why; exit status 0 or 1",
        "funcsched compare 'warmup_cosine(10, 100)' 'hf:cosine(num_warmup_steps=10, num_training_steps=100)'",
        2,
    )
    compared.add_argument("--steps", metavar="N", type=_whole, help="the length of the run; by default all steps count")

    checked = command(
        "check",
        _check,
        "what is unusual about a schedule in a run; exit status 1 where there are warnings, else 0",
        "funcsched check 'warmup_cosine(1000, 100_000)' --steps 90_000 --peak 3e-4",
        1,
    )
    _numbers(checked, "the number of updates of the run", required=True)
    return parser


def _numbers(parser: argparse.ArgumentParser, steps: str, *, required: bool = False) -> None:
    parser.add_argument("--steps", metavar="N", type=_whole, required=required, help=steps)
    parser.add_argument("--peak", metavar="LR", type=_positive, help="the learning rate at multiplier 1")


def _whole(text: str) -> int:
    """A count, also as 1_000 or 1e5."""
    try:
        value = float(text) if "e" in text.lower() else int(text)
        if value == int(value) and 1 <= value <= 2**53:
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(f"must be an integer from 1 to 2**53, got {text!r}")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1e200:  # so that every rate is a finite number
        raise argparse.ArgumentTypeError(f"must be a number above 0 and at most 1e200, got {text!r}")
    return value


def _read(text: str) -> _Rated:
    """The schedule of an expression, and its peak."""
    from bridges.expressions import from_expression

    try:
        return from_expression(text)
    except ModuleNotFoundError as error:
        prefix = text.partition(":")[0].strip()
        raise _Failure(f"'{prefix}:' needs {error.name}, which is not installed") from error
    except ValueError as error:
        raise _Failure(str(error)) from error


def _list(given: argparse.Namespace) -> int:
    from funcsched.cli.names import SECTIONS

    width = min(shutil.get_terminal_size().columns, _WIDEST)
    for title, names in SECTIONS.items():
        print(f"{title}\n")
        for name in names:
            summary = _documentation(name).partition("\n\n")[0]
            print(_filled(_signature(name), width, "  ", "      "))
            print(_filled(summary, width, "    ", "    "), end="\n\n")
    return 0


def _show(given: argparse.Namespace) -> int:
    from funcsched.cli.names import SECTIONS, elsewhere

    known = [name for names in SECTIONS.values() for name in names]
    if given.name not in known:
        from difflib import get_close_matches

        near = get_close_matches(given.name, known, n=3)
        better = f"; near it are {', '.join(near)}" if near else ""
        raise _Failure(f"show: no schedule is called {given.name!r}{better} (`funcsched list` shows all)")
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    print(_filled(_signature(given.name), width, "", "    "))
    for paragraph in _documentation(given.name).split("\n\n"):
        print()
        head, _, rest = paragraph.partition("\n")
        if head == "Args:":
            print("Arguments")
            for item in _items(rest):
                print(_filled(item, width, "  ", "      "))
        elif head.startswith(("Returns:", "Raises:")):
            print(head.rstrip(":"))
            for item in _items(rest):
                print(_filled(item, width, "  ", "    "))
        elif head.startswith("Example:"):
            print(head.rstrip(":"))
            print(_indented(rest))
        else:
            print(_filled(paragraph, width, "", ""))
    if names := elsewhere(given.name):
        print("\nElsewhere")
        longest = max(map(len, names))
        for peer, name in names.items():
            print(_filled(name, width, f"  {peer:<{longest}}  ", " " * (longest + 4)))
    return 0


def _documentation(name: str) -> str:
    """The words about a name, with one mark of code."""
    import inspect

    import funcsched

    thing = getattr(funcsched, name)
    text = inspect.getdoc(thing if inspect.isfunction(thing) else type(thing)) or ""
    return text.replace("``", "`")


def _signature(name: str) -> str:
    import inspect

    import funcsched

    thing = getattr(funcsched, name)
    if not inspect.isfunction(thing):
        return name
    signature = inspect.signature(thing)
    empty = inspect.Parameter.empty
    bare = [parameter.replace(annotation=empty) for parameter in signature.parameters.values()]
    return f"{name}{signature.replace(parameters=bare, return_annotation=empty)}"


def _items(text: str) -> Iterator[str]:
    """The items of a list, each over one or several lines, of which the others are further in."""
    item = ""
    for line in text.split("\n"):
        if item and not line.startswith("     "):
            yield item
            item = ""
        item += line.strip() + " "
    yield item


def _indented(text: str) -> str:
    return "\n".join("  " + line.removeprefix("    ") for line in text.split("\n"))


def _filled(text: str, width: int, first: str, others: str) -> str:
    from textwrap import fill

    return fill(
        " ".join(text.split()), max(width, 20), initial_indent=first, subsequent_indent=others, break_on_hyphens=False
    )


def _plot(given: argparse.Namespace) -> int:
    from funcsched.plotting.figure import plot
    from funcsched.plotting.terminal import terminal

    rated = {text: _read(text) for text in given.expressions}
    own = [text for text, pair in rated.items() if pair.peak_value != 1]
    if given.peak is None and 0 < len(own) < len(rated):
        other = next(text for text in rated if text not in own)
        raise _Failure(f"plot: {own[0]!r} is a learning rate and {other!r} a multiplier: --peak must be given")
    curves: dict[str, Any] = {
        text: pair if own and given.peak is None else pair.schedule for text, pair in rated.items()
    }
    options = {"steps": given.steps, "peak_value": given.peak, "log": given.log}
    try:
        if given.out is not None:
            plot(curves, path=given.out, **options)
        else:
            size = shutil.get_terminal_size()
            height = min(max(size.lines - 6 - len(curves), 5), 17)
            print(terminal(curves, size.columns, height, characters=_characters(), color=_colored(), **options))
    except (ValueError, ModuleNotFoundError) as error:
        raise _Failure(str(error)) from error
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise _Failure(f"plot: {given.out!r} cannot be written: {error.strerror or error}") from error
    return 0


def _characters() -> str:
    try:
        "⠿│┊".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "ascii"
    return "braille"


def _colored() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _table(given: argparse.Namespace) -> int:
    from funcsched.plotting.layout import reach

    rated = _read(given.expressions[0])
    schedule, last = rated.schedule, given.steps
    last = reach(schedule) if last is None else last
    peak = given.peak if given.peak is not None else rated.peak_value if rated.peak_value != 1 else None
    every = given.every or _round(last / _ROWS)

    def rows() -> Iterator[tuple[Any, ...]]:
        for step in [*range(0, last, every), last]:
            value = float(schedule(step))
            yield (step, value) if peak is None else (step, value, value * peak)

    names = ("step", "multiplier", "rate")[: 2 if peak is None else 3]
    if given.format == "csv":
        print(",".join(names))
        for row in rows():
            print(",".join(map(repr, row)))
    elif given.format == "json":
        import json

        before = "["
        for row in rows():
            print(before + json.dumps(dict(zip(names, row, strict=True))), end="")
            before = ",\n "
        print("]")
    else:
        width = max(len(str(last)), 4)
        print("  ".join([f"{names[0]:>{width}}", *(f"{name:>10}" for name in names[1:])]))
        for step, *values in rows():
            print("  ".join([f"{step:>{width}}", *(f"{value:>10.6g}" for value in values)]))
    return 0


def _round(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, ... that is not below."""
    unit = 1
    while True:
        for factor in (1, 2, 5):
            if unit * factor >= least:
                return unit * factor
        unit *= 10


def _compare(given: argparse.Namespace) -> int:
    from funcsched.analysis.compare import compare

    first, second = map(_read, given.expressions)
    found = compare(first.schedule, second.schedule, steps=given.steps)
    peaks = first.peak_value, second.peak_value
    if 1 not in peaks and peaks[0] != peaks[1]:
        same = "the multipliers are the same, but the peaks are not" if found else str(found)
        print(f"{same}: the peak of the first is {peaks[0]!r} and that of the second {peaks[1]!r}")
        return 1
    print(found)
    if peaks[0] != peaks[1]:
        which = "first" if peaks[0] != 1 else "second"
        print(f"compared as multipliers: the {which} is a rate with a peak of {max(peaks, key=lambda p: p != 1)!r}")
    return 0 if found.equal else 1


def _check(given: argparse.Namespace) -> int:
    from funcsched.analysis.check import check

    rated = _read(given.expressions[0])
    peak = rated.peak_value if given.peak is None else given.peak
    findings = check(rated.schedule, steps=given.steps, peak_value=peak)
    for finding in findings:
        print(f"{finding.severity}: {finding.text}")
    if not findings:
        print("nothing to remark")
    return 1 if any(finding.severity == "warning" for finding in findings) else 0
