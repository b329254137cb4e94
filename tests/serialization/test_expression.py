"""Schedules as text, read back, and errors that show the place."""

import argparse
import copy
import pickle
import re
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcsched as fs
from funcsched.serialization.data import builders
from funcsched.serialization.expression import ParseError, parse
from tests import fuzz
from tests.cases import CASES, LONG, Case
from tests.strategies import nestings

ALL = [*CASES, *LONG]
# Texts that calculate, or hold a function, are for Python alone.
PLAIN = [case for case in ALL if not {"for", "lambda"} & set(case.text.replace("[", " ").split())]
PLAIN = [case for case in PLAIN if not any(sign in case.text for sign in ("**", " / ", " * "))]

# Round trips.


@pytest.mark.parametrize("case", ALL, ids=str)
def test_a_schedule_comes_back_from_its_text(case: Case) -> None:
    assert parse(str(case.schedule)) == case.schedule


@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_a_text_means_what_python_means_by_it(case: Case) -> None:
    assert parse(case.text) == case.schedule


@settings(max_examples=200, deadline=None)
@given(nestings)
def test_any_nesting_comes_back_from_its_text(schedule: fs.Schedule) -> None:
    again = parse(str(schedule))
    assert again == schedule and str(again) == str(schedule) and hash(again) == hash(schedule)


@settings(max_examples=100, deadline=None)
@given(nestings, st.sampled_from(["", " ", "\n", "\r\n    ", "\t"]), st.sampled_from(["", "fs.", "funcsched."]))
def test_spaces_lines_last_commas_and_prefixes_change_nothing(schedule: fs.Schedule, space: str, prefix: str) -> None:
    tokens = re.findall(r"[\w.'+-]+|[()\[\],=]", str(schedule))
    varied = []
    for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False):
        if token == ")" and before not in ("(", ","):
            varied.append(",")
        varied.append(prefix + token if token in builders() and after != "=" else token)
    assert parse(space + space.join(varied) + space) == schedule


def test_every_name_that_stands_in_data_stands_in_text() -> None:
    for name, builder in builders().items():
        if isinstance(builder, fs.Shape):
            assert parse(f"ramp(0, 1, steps=5, shape={name})") == fs.ramp(0, 1, steps=5, shape=builder)
        else:
            with pytest.raises(ParseError, match=rf"^parse: at line 1, column 1: {name}"):
                parse(f"{name}()" if name != "constant" else "constant(-1)")


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("warmup_linear(1_000, 1e5)", fs.warmup_linear(1000, 100_000)),
        ("constant(+.5)", fs.constant(0.5)),
        ("constant(5.)", fs.constant(5)),
        ("constant(1_0.2_5e-1_0)", fs.constant(10.25e-10)),
        ("constant(-0.0)", fs.constant(0)),
        ("constant(1E-3)", fs.constant(0.001)),
        ("table([0.5, 1])", fs.table([0.5, 1])),
        ("table((0.5,))", fs.table([0.5])),
        ("table(([0.5]))", fs.table([0.5])),
        ("(constant())", fs.constant()),
        ("add([constant(), 0.5])", fs.add(fs.constant(), 0.5)),
        ("add(constant(), 0.5,)", fs.add(fs.constant(), 0.5)),
        ("join([constant()], [])", fs.join([fs.constant()], [])),
        ("join((constant(),), ())", fs.join([fs.constant()], [])),
        ('cyclic(3, mode="triangular2")', fs.cyclic(3, mode="triangular2")),
        ("step_decay(period = 3)", fs.step_decay(3)),
        ("exponential_decay(0.5, staircase=True, end=None)", fs.exponential_decay(0.5, staircase=True)),
        ("ramp(0, 1, shape=cosine, steps=3)", fs.ramp(0, 1, steps=3, shape=fs.cosine)),
        ("interpolate([0, 5], [0, 1], shape=[power(2)])", fs.interpolate([0, 5], [0, 1], shape=[fs.power(2)])),
    ],
)
def test_numbers_strings_lists_and_brackets(text: str, schedule: fs.Schedule) -> None:
    assert parse(text) == schedule


# Errors: the sentence, and the place of the caret in the last line of the text.

ARGUMENTS = "of the arguments warmup_steps, total_steps, start, end"
WRONG = [
    ("", "have a schedule", 1, "the end of the text"),
    (" \n ", "have a schedule", 2, "the end of the text"),
    ("5", "have a schedule", 1, "5"),
    ("cosine", "have a schedule", 1, "cosine"),
    ("  [constant()]", "have a schedule", 3, "[constant()]"),
    ("constant", "have '(' and the arguments of constant", 9, "the end of the text"),
    ("scale(constant, 1)", "have '(' and the arguments of constant", 15, "','"),
    ("ramp(0, 1, steps=5, shape=cosine())", "have cosine without brackets", 33, "'('"),
    ("constant(1", "have ',' or ')'", 11, "the end of the text"),
    ("constant(1 2)", "have ',' or ')'", 12, "'2'"),
    ("table([1 2])", "have ',' or ']'", 10, "'2'"),
    ("table([1, 2)", "have ',' or ']'", 12, "')'"),
    ("table((1, 2])", "have ',' or ')'", 12, "']'"),
    ("table([,])", "have a value or ']'", 8, "','"),
    ("constant(,)", "have an argument or ')'", 10, "','"),
    ("constant(value=)", "have a value", 16, "')'"),
    ("constant(value==1)", "have a value", 16, "'='"),
    ("constant(1=2)", "have ',' or ')'", 11, "'='"),
    ("constant(1))", "have the end of the text", 12, "')'"),
    ("constant() * 2", "have the end of the text", 12, "'*'"),
    ("constant(), constant()", "have the end of the text", 11, "','"),
    ("constant(2 + 3)", "have ',' or ')'", 12, "'+'"),
    ("constant(--1)", "have a number", 11, "'-'"),
    ("constant(-cosine)", "have a number", 11, "'cosine'"),
    ("constant(007)", "have a number", 10, "'007'"),
    ("constant(0x10)", "have a number", 10, "'0x10'"),
    ("constant(1__0)", "have a number", 10, "'1__0'"),
    ("constant(1_)", "have a number", 10, "'1_'"),
    ("constant(1e)", "have a number", 10, "'1e'"),
    ("constant(1e+)", "have a number", 10, "'1e+'"),
    ("constant(1.2.3)", "have a number", 10, "'1.2.3'"),
    ("constant(1j)", "have a number", 10, "'1j'"),
    ("constant(.)", "have a number", 10, "'.'"),
    ("constant(1e309)", "have a finite number", 10, "'1e309'"),
    ("constant(-1e999999999999)", "have a finite number", 11, "'1e999999999999'"),
    (f"constant({'9' * 401})", "have a number of at most 400 characters", 10, f"'{'9' * 40}...'"),
    (f"constant({'9' * 5000})", "have a number of at most 400 characters", 10, f"'{'9' * 40}...'"),
    ("constant(\u0661)", "have an argument or ')'", 10, "'\u0661'"),
    ("constant(\x00)", "have an argument or ')'", 10, r"'\x00'"),
    ("constant(\ud800)", "have an argument or ')'", 10, r"'\ud800'"),
    ("constant(\u00a01)", "have an argument or ')'", 10, r"'\xa0'"),
    ("scale(<lambda>, 2)", "have an argument or ')'", 7, "'<'"),
    ("cyclic(3, mode='triangular2)", "have the end of the string, ',", 29, "the end of the text"),
    ("cyclic(3, mode='tri\nangular2')", "have the end of the string, ',", 20, "the end of the line"),
    (r"cyclic(3, mode='\x41')", "have a string without backslashes", 17, r"'\\'"),
    ("scale(constant(), 2, 3)", "have at most 2 arguments of scale without a name", 22, "'3'"),
    ("noam(10, 2, 3, 4)", "have at most 2 arguments of noam without a name", 13, "'3'"),
    ("table([1], 2)", "have at most 1 argument of table without a name", 12, "'2'"),
    ("warmup_linear(total_steps=100, 10)", "have arguments without names before those with names", 32, "'10'"),
    ("warmup_linear(1, 2, warmup_steps=3)", "have each argument of warmup_linear once", 21, "'warmup_steps'"),
    ("warmup_linear(1, 2, end=0, end=0)", "have each argument of warmup_linear once", 28, "'end'"),
    ("warmup_linear(1, steps=2)", f"have one {ARGUMENTS}", 18, "'steps'"),
    ("add(schedules=[1, 2])", "have arguments without names", 5, "'schedules'"),
    ("lift(abs)", "have no functions of your own (`tabulate` makes a table of one)", 1, "'lift'"),
    ("fs.tabulate(abs, 5)", "have no functions of your own (`tabulate` makes a table of one)", 1, "'tabulate'"),
    ("warmup_cosin(1, 2)", "have one of warmup_cosine, warmup_half_cosine, warmup_cosine_linear", 1, "'warmup_cosin'"),
    ("fs.fs.join()", "have one of join", 1, "'fs.join'"),
]


def caught(text: str) -> ParseError:
    with pytest.raises(ParseError) as error:
        parse(text)
    return error.value


@pytest.mark.parametrize(("text", "rule", "column", "found"), WRONG)
def test_an_error_says_what_was_expected_and_found_and_where(text: str, rule: str, column: int, found: str) -> None:
    error = caught(text)
    sentence, shown, caret = str(error).split("\n")
    line = 2 if text == " \n " else 1
    assert sentence == f"parse: `text` must {rule} at line {line}, column {column}, got {found}"
    assert (error.line, error.column) == (line, column)
    assert caret == " " * (3 + column) + "^" or len(text) > 400
    assert shown.startswith(
        "    " + "".join(c if c.isprintable() else "?" for c in text.split("\n")[line - 1].rstrip())[:90]
    )


def test_an_unknown_name_that_is_near_to_none_gets_all() -> None:
    assert f"must have one of {', '.join(sorted(builders()))} at" in str(caught("shift(foo(1), 2)"))


@pytest.mark.parametrize(
    "name", ["__import__", "eval", "Schedule", "parse", "fs", "fs.", "funcsched.serialization.data.builders"]
)
def test_no_other_name_is_known(name: str) -> None:
    assert "must have one of" in str(caught(f"{name}('os')"))


def test_what_a_function_refuses_is_shown_at_its_call() -> None:
    error = caught("join([\n    constant(),\n    warmup_linear(10, 5),\n], [3])")
    assert str(error) == (
        "parse: at line 3, column 5: warmup_linear: `warmup_steps` must be at most `total_steps` (5), got 10\n"
        "        warmup_linear(10, 5),\n"
        "        ^"
    )


def test_a_missing_argument_is_named() -> None:
    assert str(caught("scale(warmup_linear(10), 2)")).startswith(
        "parse: at line 1, column 7: warmup_linear() missing 1 required positional argument: 'total_steps'\n"
    )


def test_a_tab_does_not_move_the_caret() -> None:
    assert str(caught("constant(\n\tfoo = 1)")).endswith("\n     foo = 1)\n     ^")


def test_of_a_long_line_the_surroundings_are_shown() -> None:
    error = caught("table([" + "1, " * 5000 + "x" + ", 1" * 5000 + "])")
    _, shown, caret = str(error).split("\n")
    assert len(shown) <= 112 and shown[caret.index("^")] == "x"
    assert shown.startswith("    ... ") and shown.endswith(" ...")


@pytest.mark.parametrize("text", [b"constant()", None, 5, ["constant()"], fs.constant(), bytearray(b"constant()")])
def test_what_is_no_text_is_a_type_error(text: object) -> None:
    with pytest.raises(TypeError, match=rf"^parse: `text` must be a string, got .* type {type(text).__name__}$"):
        parse(text)  # type: ignore[arg-type]


# The error as a value.


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])
def test_an_error_can_be_copied(again) -> None:
    error = caught("constant(\n  x)")
    other = again(error)
    assert isinstance(other, ParseError) and isinstance(other, ValueError)
    assert (str(other), other.line, other.column) == (str(error), 2, 3)


def test_argparse_shows_the_whole_message(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser(prog="train")
    parser.add_argument("--schedule", type=parse)
    assert parser.parse_args(["--schedule", "constant(0.5)"]).schedule == fs.constant(0.5)
    with pytest.raises(SystemExit):
        parser.parse_args(["--schedule", "constant(0.5]"])
    assert capsys.readouterr().err.splitlines()[1:] == [
        "train: error: argument --schedule: parse: `text` must have ',' or ')' at line 1, column 13, got ']'",
        "    constant(0.5]",
        "                ^",
    ]


def test_where_argparse_is_not_in_use_it_is_not_loaded() -> None:
    code = (
        "import sys; from funcsched.serialization.expression import ParseError, parse\n"
        "try: parse('constant(]')\n"
        "except ParseError as error: print(type(error) is ParseError, error.column)\n"
        "print({'argparse', 're', 'difflib', 'ast', 'tokenize'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["True 10", "set()"]


# Bounds.


def deep(opening: str, closing: str, count: int) -> str:
    return opening * count + "constant()" + closing * count


def test_calls_are_inside_each_other_50_times_at_most() -> None:
    assert parse(deep("shift(", ", 1)", 49))(0) == 1
    assert "must have at most 50 calls inside each other at line 1, column 301, got" in str(
        caught(deep("shift(", ", 1)", 50))
    )


def test_brackets_are_inside_each_other_50_times_at_most() -> None:
    assert parse(deep("(", ")", 50)) == fs.constant()
    assert "must have at most 50 brackets inside each other at line 1, column 51, got '('" in str(
        caught(deep("(", ")", 51))
    )


@pytest.mark.parametrize("opening", ["(", "[", "add(", "add([", "shift(", "reverse(", "compose(cosine, ", "-", "fs."])
def test_depth_without_an_end_is_refused_at_once(opening: str) -> None:
    start = time.process_time()
    caught((opening * 100_000)[:100_000])
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "text",
    ["9" * 100_000, "constant(" + "9" * 99_000 + ")", "_" * 100_000, "1e" * 50_000, "'" * 99_999, "\n" * 100_000],
)
def test_long_tokens_are_refused_at_once(text: str) -> None:
    start = time.process_time()
    assert len(str(caught(text))) < 2000
    assert time.process_time() - start < 1


def test_a_text_is_100_000_characters_at_most() -> None:
    text = f"table([{'1,' * 49_995}])"
    assert parse(" " * (100_000 - len(text)) + text)(0) == 1
    with pytest.raises(ParseError, match=r"^parse: `text` must be at most 100000 characters long, got 100001$"):
        parse(" " * 100_001)


def test_a_long_list_is_read_within_a_second() -> None:
    start = time.process_time()
    assert parse(f"table([{'0.25,' * 19_000}])") == fs.table([0.25] * 19_000)
    assert time.process_time() - start < 1


def test_numbers_are_read_to_the_last_bit() -> None:
    assert parse("constant(0.30000000000000004)")(0) == 0.1 + 0.2
    assert parse("constant(5e-324)")(0) == 5e-324
    assert parse(f"warmup_constant({2**53})") == fs.warmup_constant(2**53)


# Inputs that nobody writes.


def test_no_input_gives_another_error_or_takes_long() -> None:
    report = fuzz.run(2000)
    assert {fault: fuzz.shown(given) for fault, given in report.faults.items()} == {}
    assert sum(report.outcomes.values()) == 2000
    assert report.outcomes["parse: a schedule"] > 50 and report.outcomes["from_dict: a schedule"] > 50


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (lambda text: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda text: fs.scale(lambda step: 0.5, 1), "TypeError: to_dict"),
        (lambda text: parse("constant()" if text == "x" else text) and fs.constant(0.5), None),
    ],
)
def test_the_fuzzer_sees_what_is_wrong(function, fault: str | None) -> None:
    found = fuzz.judged(fuzz.Input(function, "x"))[1]
    assert found is None if fault is None else found is not None and fault in found


def test_the_fuzzer_ends_what_does_not_end() -> None:
    def endless(text: str) -> fs.Schedule:
        while True:
            pass

    assert fuzz.judged(fuzz.Input(endless, "x")) == ("endless: Slow", "Slow: ")
