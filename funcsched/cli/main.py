"""The command `funcsched`: its subcommands and their options."""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from funcsched.cli.arguments import (
    expression,
    figure_path,
    function_name,
    pattern,
    peak,
    positive_int,
    public_name,
    setting,
    without_function,
)
from funcsched.cli.logs import print_identified, print_log_check
from funcsched.cli.values import print_source, print_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from bridges.rated import Rated
    from funcsched.plans.arguments import PlanCurve

_ABOUT_EXPRESSIONS = """\
EXPR is a schedule with its arguments (`funcsched list` shows all), the name of
a published recipe for its learning rate (`funcsched published` shows all), or
a prefix and a schedule of another library:
  'warmup_cosine(1000, 100_000, end=0.1)'
  'hf:cosine(num_warmup_steps=1000, num_training_steps=100000)'
  'optax:warmup_cosine_decay_schedule(0.0, 1e-3, 1000, 100000)'
  'torch:CosineAnnealingLR(T_max=100)', for a base learning rate of 1
Numbers may be names with a value from --set, and combined with + - * / //:
  'warmup_cosine(total // 100, total)' --set total=12000

"""


class _Parser(argparse.ArgumentParser):
    """Reports an error in one sentence, without the usage."""

    def error(self, message: str) -> NoReturn:
        # The message about an invalid argument already says what is valid, or points at the mistake.
        hint = "" if message.startswith("argument ") else f" (see `{self.prog} --help`)"
        self.exit(2, f"{self.prog}: {message}{hint}\n")


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
           2           1
           3         0.5
           4           0
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
        options, unknown = _parser().parse_known_args(arguments)
        parser: _Parser = options.parser
        if unknown:  # parse_args would report it without the subcommand
            parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        try:
            if hasattr(options, "expressions"):  # after --set has been read
                options.expressions = [expression(text, dict(options.set)) for text in options.expressions]
            status: int = options.run(options)
            return status
        except argparse.ArgumentError as error:
            parser.error(str(error))
    except SystemExit as error:  # argparse has printed a help text or an error
        return int(error.code or 0)


def _print_version_or_help(options: argparse.Namespace) -> int:
    if options.version:
        from funcsched import __version__

        print(f"funcsched {__version__}")
    else:
        options.parser.print_help()
    return 0


def _parser() -> _Parser:
    parser = _Parser(
        prog="funcsched",
        description="List, plot, export, compare, check and identify learning-rate schedules.",
        epilog="example: funcsched plot 'warmup_cosine(1000, 100_000, end=0.1)'\n"
        "See `funcsched COMMAND --help` for the options of a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.set_defaults(run=_print_version_or_help, parser=parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(
        name: str,
        run: Callable[[argparse.Namespace], int],
        text: str,
        example: str,
        expressions: int | str | None = None,  # how many, as `nargs`
    ) -> argparse.ArgumentParser:
        subparser = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=f"{'' if expressions is None else _ABOUT_EXPRESSIONS}example: {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if expressions is not None:
            subparser.add_argument("expressions", metavar="EXPR", nargs=expressions, help="a schedule, see below")
            subparser.add_argument(
                "--set",
                metavar="NAME=NUMBER",
                action="append",
                default=[],
                type=setting,
                help="value of a name in the schedules, such as total=12000; may be repeated",
            )
        subparser.set_defaults(run=run, parser=subparser)
        return subparser

    listing = command(
        "list", _list, "list schedules, shapes and combinators with their arguments", "funcsched list cosine"
    )
    listing.add_argument(
        "pattern",
        metavar="PATTERN",
        nargs="?",
        default="",
        type=pattern,
        help="list only those whose name, summary or name in another library contains this (default: all)",
    )
    command("published", _published, "list the published recipes of known models", "funcsched published")
    show = command(
        "show",
        _show,
        "show arguments, formula, source, and names in other libraries of a schedule, shape or combinator; or a recipe",
        "funcsched show warmup_cosine",
    )
    show.add_argument(
        "name",
        metavar="NAME",
        type=public_name,
        help="a name that `funcsched list` or `published` prints, or that another library uses",
    )

    plot = command(
        "plot",
        _plot,
        "plot schedules in the terminal or to a file",
        "funcsched plot 'warmup_cosine(10, 100)' 'noam(512, 10)' --peak 3e-4 --out curves.svg",
        "+",
    )
    _add_steps_and_peak(plot, "last step to plot (default: 110 %% of the length of the longest schedule)")
    plot.add_argument(
        "--out", metavar="FILE", type=figure_path, help="file for the figure, .png or .svg (default: the terminal)"
    )
    plot.add_argument("--log", action="store_true", help="use a logarithmic vertical axis")

    table = command(
        "table",
        print_table,
        "print a table of the values of a schedule",
        "funcsched table 'warmup_linear(10, 100)' --every 10 --peak 3e-4 --format csv",
        1,
    )
    _add_steps_and_peak(table, "last step of the table (default: 110 %% of the length of the schedule)")
    table.add_argument("--every", metavar="K", type=positive_int, help="steps between rows (default: about 20 rows)")
    table.add_argument(
        "--format", choices=("text", "csv", "json"), default="text", help="output format (default: text)"
    )

    export = command(
        "export",
        print_source,
        "write a schedule as a function without dependencies, in Python, torch, JAX or C",
        "funcsched export 'warmup_cosine(1000, 100_000)' --to python --peak 3e-4",
        1,
    )
    languages = ("python", "torch", "optax", "c")
    export.add_argument("--to", required=True, choices=languages, help="language of the function")
    export.add_argument("--peak", metavar="LR", type=peak, help="peak learning rate (default: write multipliers)")
    export.add_argument(
        "--name",
        metavar="NAME",
        type=function_name,
        help="name of the function (default: multiplier, or learning_rate with a peak)",
    )

    compare = command(
        "compare",
        _compare,
        "compare two schedules: where they diverge and why (exit status 1 if they differ)",
        "funcsched compare 'warmup_cosine(10, 100)' 'hf:cosine(num_warmup_steps=10, num_training_steps=100)'",
        2,
    )
    compare.add_argument(
        "--steps", metavar="N", type=positive_int, help="number of updates to compare (default: all steps)"
    )

    check = command(
        "check",
        _check,
        "report likely mistakes in a schedule for a training run (exit status 1 if there are warnings)",
        "funcsched check 'warmup_cosine(1000, 100_000)' --steps 90_000 --peak 3e-4",
        1,
    )
    _add_steps_and_peak(check, "number of updates in the run; required, except for a recipe or with --log")
    check.add_argument(
        "--quantity", metavar="NAME", default="learning rate", help="what is scheduled (default: %(default)s)"
    )
    check.add_argument("--log", metavar="FILE", help="report instead where the learning rates of this log differ")
    identify = command(
        "identify",
        print_identified,
        "find the schedule of a log: CSV, JSON lines, trainer_state.json or a TensorBoard event file",
        "funcsched identify trainer_state.json",
    )
    identify.add_argument("file", metavar="FILE", help="the log")
    for reader in (check, identify):
        reader.add_argument("--column", metavar="NAME", help="column, key or tag of the learning rate in the log")
    return parser


def _add_steps_and_peak(parser: argparse.ArgumentParser, steps: str) -> None:
    parser.add_argument("--steps", metavar="N", type=positive_int, help=steps)
    parser.add_argument("--peak", metavar="LR", type=peak, help="peak learning rate: the rate at multiplier 1")


def _list(options: argparse.Namespace) -> int:
    from funcsched.cli.reference import print_list

    print_list(options.pattern)
    return 0


def _published(options: argparse.Namespace) -> int:
    from funcsched.cli.published import print_published

    print_published()
    return 0


def _show(options: argparse.Namespace) -> int:
    from funcsched.cli.names import SECTIONS
    from funcsched.cli.published import print_plan
    from funcsched.cli.reference import print_entry, print_named
    from funcsched.plans.published import published

    if options.name in published():
        print_plan(options.name)
    elif any(options.name in names for names in SECTIONS.values()):
        print_entry(options.name)
    else:
        print_named(options.name)
    return 0


def _plot(options: argparse.Namespace) -> int:
    from funcsched.cli.published import run_of_recipes
    from funcsched.plotting.figure import plot
    from funcsched.plotting.terminal import terminal

    schedules: dict[str, Rated | PlanCurve] = dict(options.expressions)
    # An expression of another library may be a learning rate: its peak value is then usually not 1.
    rates = [text for text, rated in schedules.items() if rated.peak_value != 1]
    multipliers = [text for text, rated in schedules.items() if rated.peak_value == 1]
    if options.peak is None and rates and multipliers:
        reason = f"{rates[0]!r} is a learning rate and {multipliers[0]!r} a multiplier"
        raise argparse.ArgumentError(None, f"argument --peak: required, because {reason}")
    curves: dict[str, Any] = {text: rated if rates else rated.schedule for text, rated in schedules.items()}
    run = run_of_recipes(list(schedules))
    shared = {"steps": options.steps or (run and run[0]), "peak_value": options.peak, "log": options.log}
    try:
        if options.out is not None:
            plot(curves, path=options.out, **shared)
            return 0
        size = shutil.get_terminal_size()
        height = min(max(size.lines - 6 - len(curves), 5), 17)  # leaves room for ticks, legend, boundaries and prompt
        text = terminal(curves, size.columns, height, characters=_characters(), color=_use_color(), **shared)
    except ModuleNotFoundError as error:
        raise argparse.ArgumentError(None, f"argument --out: {without_function(error)}") from error
    except OSError as error:
        message = f"argument --out: cannot write {options.out!r}: {error.strerror or error}"
        raise argparse.ArgumentError(None, message) from error
    except ValueError as error:  # all other arguments have been validated
        raise argparse.ArgumentError(None, f"argument --log: {without_function(error)}") from error
    print(text)
    return 0


def _characters() -> str:
    try:
        "⠿│┊".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "ascii"
    return "braille"


def _use_color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _compare(options: argparse.Namespace) -> int:
    from funcsched.analysis.compare import compare

    (_, first), (_, second) = options.expressions
    result = compare(first.schedule, second.schedule, steps=options.steps)
    print(result)
    equal = result.equal
    if first.peak_value != second.peak_value:
        peaks = f"{first.peak_value!r} in the first, {second.peak_value!r} in the second"
        if 1 in (first.peak_value, second.peak_value):  # a multiplier has no learning rate to compare
            print(f"compared as multipliers: the peak is {peaks}")
        else:
            print(f"the peaks differ: {peaks}")
            equal = False
    return 0 if equal else 1


def _check(options: argparse.Namespace) -> int:
    from funcsched.analysis.check import check
    from funcsched.cli.published import run_of_recipes

    if options.log is not None:
        return print_log_check(options)
    ((text, rated),) = options.expressions
    run = run_of_recipes([text])
    steps = options.steps or (run[0] if run else None)
    if steps is None:
        raise argparse.ArgumentError(None, "argument --steps: required, except for a published recipe or with --log")
    if run and run[1] != "updates":
        print(f"steps and updates are {run[1]} here, the unit of the recipe")
    peak = options.peak or rated.peak_value
    if peak == 0:
        raise argparse.ArgumentError(None, "argument EXPR: the learning rate is 0 at every step")
    findings = check(rated.schedule, steps=steps, peak_value=peak, quantity=options.quantity)
    for finding in findings:
        print(f"{finding.severity}: {finding.text}")
    if not findings:
        print("no findings")
    return 1 if any(finding.severity == "warning" for finding in findings) else 0
