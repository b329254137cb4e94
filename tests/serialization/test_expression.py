"""`parse`: round trips, error messages with their positions, and limits."""

import argparse
import copy
import math
import pickle
import re
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcsched as fs
from funcsched.serialization.data import registry
from funcsched.serialization.expression import parse
from funcsched.serialization.syntax import ParseError
from tests import fuzz
from tests.cases import CASES, LONG, Case
from tests.strategies import nestings

ALL = [*CASES, *LONG]
# `parse` does not support powers, functions and comprehensions.
PLAIN = [case for case in ALL if not any(word in case.text for word in ("for ", "lambda ", "**"))]

SCHEDULE = "expected a schedule, such as warmup_cosine(10, 100)"
NAMES = "`funcsched list` shows all names, and `funcsched show` finds those of other libraries"
QUOTES = "strings need quotes, and numbers are given by name, as in"
OPERATORS = "the operators on numbers are + - * / //"
SIGNATURE = "arguments: warmup_steps, total_steps, start, end, warmup_offset"
FUNCTION = "takes a Python function, which text and data cannot hold; use the table(...) from fs.tabulate"

# Round trips.


@pytest.mark.parametrize("case", ALL, ids=str)
def test_round_trip_of_every_case(case: Case) -> None:
    assert parse(str(case.schedule)) == case.schedule


@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_a_text_has_the_same_value_as_in_python(case: Case) -> None:
    assert parse(case.text) == case.schedule


@settings(max_examples=200)
@given(nestings)
def test_round_trip_of_nested_schedules(schedule: fs.Schedule) -> None:
    again = parse(str(schedule))
    assert again == schedule and str(again) == str(schedule) and hash(again) == hash(schedule)


@settings(max_examples=100)
@given(nestings, st.sampled_from(["", " ", "\n", "\r\n    ", "\t"]), st.sampled_from(["", "fs.", "funcsched."]))
def test_whitespace_trailing_commas_and_prefixes_have_no_effect(schedule: fs.Schedule, space: str, prefix: str) -> None:
    tokens = re.findall(r"[\w.'+-]+|[()\[\],=]", str(schedule))
    varied = []
    for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False):
        if token == ")" and before not in ("(", ","):
            varied.append(",")
        varied.append(prefix + token if token in registry() and after != "=" else token)
    assert parse(space + space.join(varied) + space) == schedule


def test_every_registered_name_can_be_used() -> None:
    for name, factory in registry().items():
        if isinstance(factory, fs.Shape):
            assert parse(f"ramp(0, 1, steps=5, shape={name})") == fs.ramp(0, 1, steps=5, shape=factory)
        else:
            with pytest.raises(ParseError, match=rf"^parse: line 1, column 1: {name}"):
                parse(f"{name}()" if name != "constant" else "constant(None)")


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("warmup_linear(1_000, 1e5)", fs.warmup_linear(1000, 100_000)),
        ("constant(+.5)", fs.constant(0.5)),
        ("constant(- 0.0)", fs.constant(0)),
        ("constant(00)", fs.constant(0)),
        ("\n  constant\r\n(\n\t0.5\n)\r\n", fs.constant(0.5)),
        ("warmup_linear(1, total_steps\r\n=\n2)", fs.warmup_linear(1, 2)),
        ("constant(value" + " " * 1000 + "=0.5)", fs.constant(0.5)),
        ("fs.ramp(0, 1, steps=3, shape=fs.cosine)", fs.ramp(0, 1, steps=3, shape=fs.cosine)),
        ("constant(5.)", fs.constant(5)),
        ("constant(1_0.2_5e-1_0)", fs.constant(10.25e-10)),
        ("constant(-0.0)", fs.constant(0)),
        ("constant(1E-3)", fs.constant(0.001)),
        ("constant(2 + 3 * (4 - 7) / 2 - -1)", fs.constant(-1.5)),
        ("constant(--(1) - + - 7 // 2)", fs.constant(5)),  # 1 - ((-7) // 2)
        ("constant(7.5 // 2 * .5)", fs.constant(1.5)),
        ("shift(constant(), 9_007_199_254_740_993 - 2)", fs.shift(fs.constant(), 2**53 - 1)),  # exact integers
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
def test_literals_and_brackets(text: str, schedule: fs.Schedule) -> None:
    assert parse(text) == schedule


# Names with a value.


def test_one_text_serves_runs_of_any_length() -> None:
    text = "fs.warmup_cosine(total // 100, total, end=1 / (20 + extra))"
    assert parse(text, total=12_000, extra=1) == fs.warmup_cosine(120, 12_000, end=1 / 21)
    assert parse(text, total=np.int64(2**53), extra=0.0) == fs.warmup_cosine(2**53 // 100, 2**53, end=0.05)
    assert parse("constant(text)", text=2) == fs.constant(2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("noam(totl, 3)", "line 1, column 6: unknown name 'totl'; did you mean 'total'?"),
        ("noam(x, 3)", "line 1, column 6: unknown name 'x'; available names: total, width"),
        ("total(3)", "line 1, column 1: total is a number and cannot be called"),
        ("total", f"line 1, column 1: {SCHEDULE}, got total"),
        ("constant(total / (width - 8))", "line 1, column 16: division by zero"),
    ],
)
def test_an_error_lists_the_given_names(text: str, message: str) -> None:
    with pytest.raises(ParseError) as error:
        parse(text, total=100, width=8)
    assert str(error.value).split("\n")[0] == f"parse: {message}"


@pytest.mark.parametrize(
    ("numbers", "kind", "message"),
    [
        ({"total": "100"}, TypeError, "`total` must be a finite number, got '100'"),
        ({"total": True}, TypeError, "`total` must be a finite number, got True"),
        ({"total": np.ones(2)}, TypeError, "`total` must be a finite number, got array([1., 1.])"),
        ({"total": math.inf}, ValueError, "`total` must be a finite number, got inf"),
        ({"total": math.nan}, ValueError, "`total` must be a finite number, got nan"),
        ({"cosine": 3}, ValueError, "`cosine` must be given another name, because it is a schedule or shape, got 3"),
    ],
)
def test_a_name_has_a_finite_number(numbers: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as error:
        parse("constant()", **numbers)
    assert str(error.value) == f"parse: {message}"


# Errors: text, column of the caret, and message.

INVALID = [
    ("", 1, f"unexpected end of the text; {SCHEDULE}"),
    ("-", 1, "unexpected '-'"),
    ("5", 1, f"{SCHEDULE}, got 5"),
    ("cosine", 1, f"{SCHEDULE}, got cosine"),
    ("power(2)", 1, f"{SCHEDULE}, got power(2)"),
    ("  [constant()]", 3, f"{SCHEDULE}, got [constant()]"),
    (f"[{'1, ' * 50}]", 1, f"{SCHEDULE}, got [{'1, ' * 13}..."),
    ("constant", 1, "constant must be called; write constant(...)"),
    ("scale(fs.constant, 1)", 7, "fs.constant must be called; write fs.constant(...)"),
    ("ramp(0, 1, steps=5, shape=cosine())", 27, "the shape cosine has no arguments; write it without parentheses"),
    # Brackets and commas.
    ("constant(1", 9, "'(' was never closed"),
    ("constant(", 9, "'(' was never closed"),
    ("constant(value=", 9, "'(' was never closed"),
    ("add([constant()", 5, "'[' was never closed"),
    ("constant(1 2)", 10, "perhaps you forgot a comma?"),
    ("table([1 2])", 8, "perhaps you forgot a comma?"),
    ("table([1, 2)", 12, "closing parenthesis ')' does not match opening parenthesis '['"),
    ("table((1, 2])", 12, "closing parenthesis ']' does not match opening parenthesis '('"),
    ("table([,])", 8, "unexpected ',' after '['"),
    ("table([1,,2])", 10, "unexpected ',' after ','"),
    ("constant((,))", 11, "unexpected ',' after '('"),
    ("constant(,)", 10, "unexpected ',' after '('"),
    ("constant(1))", 12, "unmatched ')'"),
    ("constant)+(constant", 9, "unmatched ')'"),
    ("constant(), constant()", 1, "expected a schedule, such as warmup_cosine(10, 100), got constant(), constant()"),
    ("constant(1)(2)", 12, "unexpected '(' after ')'"),
    ("(constant)(1)", 11, "unexpected '(' after ')'"),
    ("table([1][0])", 10, "unexpected '[' after ']'"),
    ("constant[1]", 1, "unexpected 'constant[1]'"),
    # Names of arguments.
    ("constant(value=)", 16, "unexpected ')' after '='"),
    ("constant(value==1)", 10, "unexpected 'value==1'"),
    ("constant(value=value=1)", 21, "unexpected '=' after value"),
    ("constant(1=2)", 10, "unexpected '1' after '('"),
    ("constant(fs.value=2)", 10, "unexpected 'fs.value' after '('"),
    ("constant((value=1))", 11, "unexpected 'value' after '('"),
    ("table([values=1])", 8, "unexpected 'values' after '['"),
    ("x=constant()", 2, "unexpected '=' after x"),
    ("warmup_linear(total_steps=100, 10)", 34, "positional argument follows keyword argument"),
    ("scale(constant(), 2, 3)", 22, "too many positional arguments; scale takes 2"),
    ("noam(10, 2, 3, 4)", 13, "too many positional arguments; noam takes 2"),
    ("table([1], 2)", 12, "too many positional arguments; table takes 1"),
    (
        "warmup_linear(1, 2, 0)",
        21,
        "too many positional arguments; warmup_linear takes 2; pass start, end, warmup_offset by name",
    ),
    ("warmup_linear(1, 2, warmup_steps=3)", 21, "argument 'warmup_steps' of warmup_linear is repeated"),
    ("warmup_linear(1, 2, end=0, end=0)", 28, "argument 'end' of warmup_linear is repeated"),
    ("warmup_linear(1, total_step=2)", 18, "warmup_linear has no argument 'total_step'; did you mean 'total_steps'?"),
    ("warmup_linear(1, foo=2)", 18, f"warmup_linear has no argument 'foo'; {SIGNATURE}"),
    ("add(schedules=[1, 2])", 1, "add() got an unexpected keyword argument 'schedules'"),
    ("scale(warmup_linear(10), 2)", 7, "warmup_linear() missing 1 required positional argument: 'total_steps'"),
    # Operators and other syntax of Python.
    (
        "constant() * 2",
        12,
        "'*' needs numbers, got constant(); use scale(...) or product(...); a peak learning rate is no part of the "
        "schedule: give it to the optimizer or to_optax",
    ),
    ("0.5 + constant()", 5, "'+' needs numbers, got constant(); use add(...)"),
    ("constant('a' * 3)", 14, "'*' needs numbers, got 'a'"),
    ("constant(True + 1)", 15, "'+' needs numbers, got True"),
    ("constant(2 ** 3)", 12, f"unexpected '*' after 2; {OPERATORS}"),
    ("constant(9**9**9**9)", 11, f"unexpected '*' after 9; {OPERATORS}"),
    ("constant(5 % 3)", 12, f"unexpected '%' after 5; {OPERATORS}"),
    ("constant(2 @ 3)", 12, f"unexpected '@' after 2; {OPERATORS}"),
    ("constant(2 / / 3)", 14, "unexpected '/' after '/'"),
    ("constant(2 *)", 13, "unexpected ')' after '*'"),
    ("constant(1 / 0)", 12, "division by zero"),
    ("constant((1) // (3 - 3))", 14, "division by zero"),
    ("constant(0.5 * (1 / (2 - 2.0)))", 19, "division by zero"),
    ("constant(1e308 * 10)", 16, "the result of '*' is too large"),
    ("constant(-1e308 - 1e308)", 17, "the result of '-' is too large"),
    ("constant(1 / 1e-309)", 12, "the result of '/' is too large"),
    ("constant(1e308 // 1e-308)", 16, "the result of '//' is too large"),
    (f"constant(1.0 + {'9' * 350})", 14, "the result of '+' is too large"),
    ("constant(*[1])", 10, "unexpected '*' after '('"),
    ("constant(**{})", 10, "unexpected '*' after '('"),
    ("constant(-cosine)", 10, "'-' needs numbers, got cosine"),
    ("constant(- -True)", 10, "'-' needs numbers, got True"),
    ("noam(-(1), 10)", 1, "noam: `d_model` must be an integer from 1 to 2**53, got -1"),
    ("constant(1 if 2 else 3)", 10, "unexpected '1 if 2 else 3'"),
    ("constant(not 1)", 10, "unexpected 'not 1'"),
    ("constant(not(1))", 10, "unexpected 'not(1)'"),
    ("constant((yield(1)))", 11, "unexpected 'yield(1)'"),
    ("constant(await(1))", 10, "unexpected 'await(1)'"),
    ("constant(lambda=1)", 16, "unexpected '=' after lambda"),
    ("constant(True=1)", 10, "cannot assign to True"),
    ("fs.lambda.x()", 4, "unexpected 'lambda.x' after 'fs.'"),
    ("scale(<lambda>, 2)", 7, "unexpected '<' after '('"),
    ("scale(lambda: 2, 2)", 13, "unexpected ':' after lambda"),
    ("constant(x := 1)", 12, "unexpected ':' after x"),
    ("constant({1: 2})", 12, "unexpected ':' after 1"),
    ("constant({'a': 2}, value={'a'})", 20, "argument 'value' of constant is repeated"),
    ("constant({'a', 'b'})", 10, "unexpected \"{'a', 'b'}\""),
    ("{'value': 2}", 1, "expected a schedule, such as warmup_cosine(10, 100), got {'value': 2}"),
    ("constant() # one", 12, "unexpected '#' after ')'"),
    ("constant(\\\n)", 10, "unexpected '\\\\'; only ASCII without backslashes is supported"),
    ("constant(None(1))", 10, "unexpected 'None(1)'"),
    # Numbers.
    ("constant(007)", 10, "leading zeros in decimal integer literals are not permitted"),
    ("constant(1__0)", 11, "invalid decimal literal"),
    ("constant(1_)", 11, "invalid decimal literal"),
    ("constant(1e)", 10, "invalid decimal literal"),
    ("constant(1e+)", 12, "invalid decimal literal"),
    ("constant(1.2.3)", 10, "perhaps you forgot a comma?"),
    ("constant(1j)", 10, "unexpected '1j'"),
    ("constant(1is)", 10, "invalid decimal literal"),
    ("constant(.)", 10, "unexpected '.' after '('"),
    ("constant(...)", 10, "unexpected '...'"),
    ("constant(1e309)", 10, "number '1e309' is too large"),
    ("constant(-1e999999999999)", 11, "number '1e999999999999' is too large"),
    (f"constant({'9' * 400})", 1, f"constant: `value` must be a number from -1.7e38 to 1.7e38, got {'9' * 400}"),
    (f"constant({'9' * 401})", 10, f"'{'9' * 40}...' is longer than 400 characters"),
    (f"constant({'9' * 5000})", 10, f"'{'9' * 40}...' is longer than 400 characters"),
    # Characters and strings.
    ("constant(\u0661)", 10, "unexpected '\u0661'; only ASCII without backslashes is supported"),
    ("constant(\x00)", 10, "unexpected '\\x00'; only ASCII without backslashes is supported"),
    ("constant(\ud800)", 10, "unexpected '\\ud800'; only ASCII without backslashes is supported"),
    ("constant(\u00a01)", 10, "unexpected '\\xa0'; only ASCII without backslashes is supported"),
    ("\U0001d4ec\u2092nstant(1)", 1, "unexpected '\U0001d4ec'; only ASCII without backslashes is supported"),
    ("cyclic(3, mode='triangular2)", 16, "unterminated string"),
    ("cyclic(3, mode='tri\nangular2')", 16, "unterminated string"),
    (r"cyclic(3, mode='\x41')", 17, "unexpected '\\\\'; only ASCII without backslashes is supported"),
    (r"cyclic(3, mode='\d')", 17, "unexpected '\\\\'; only ASCII without backslashes is supported"),
    (r"cyclic(3, mode='a\')", 18, "unexpected '\\\\'; only ASCII without backslashes is supported"),
    ("cyclic(3, mode='\xe9', x=1)", 17, "unexpected 'é'; only ASCII without backslashes is supported"),
    ("cyclic(3, mode=b'triangular')", 16, "unexpected \"b'triangular'\""),
    ("cyclic(3, mode=f'{1}')", 16, "unexpected \"f'{1}'\""),
    # Unknown names.
    ("warmup_cosin(1, 2)", 1, "unknown schedule 'warmup_cosin'; did you mean 'warmup_cosine'?"),
    ("shift(foo(1), 2)", 7, f"unknown schedule 'foo'; {NAMES}"),
    ("fs.fs.join()", 1, f"unknown schedule 'fs.join'; {NAMES}"),
    ("cosine_decay(100)", 1, f"unknown schedule 'cosine_decay'; {NAMES}"),  # not 'step_decay'
    ("ramp(0, 1, steps=3, shape=cosin)", 27, "unknown name 'cosin'; did you mean 'cosine'?"),
    ("exponential_decay(0.5, staircase=true)", 34, "unknown name 'true'; did you mean 'True'?"),
    ("shift(foo, 2)", 7, f"unknown name 'foo'; {NAMES}, {QUOTES} foo=100"),
    ("lift(abs)", 1, f"lift {FUNCTION}"),
    ("fs.tabulate(abs, 5)", 1, f"tabulate {FUNCTION}"),
]


def caught(text: str) -> ParseError:
    with pytest.raises(ParseError) as error:
        parse(text)
    return error.value


def message_of(error: ParseError) -> str:
    sentence = str(error).split("\n")[0]
    place = f"parse: line {error.line}, column {error.column}: "
    assert sentence.startswith(place)
    return sentence.removeprefix(place)


IDS = [repr(text[:40]) for text, *_ in INVALID]


@pytest.mark.parametrize(("text", "column", "message"), INVALID, ids=IDS)
def test_an_error_says_what_is_wrong_and_where(text: str, column: int, message: str) -> None:
    error = caught(text)
    sentence, shown, caret = str(error).split("\n")
    assert sentence == f"parse: line 1, column {column}: {message}"
    assert (error.line, error.column) == (1, column)
    assert caret == " " * (3 + column) + "^"
    line = "".join(c if c.isprintable() else "?" for c in text.split("\n")[0].rstrip())
    assert shown == "    " + (line if len(line) <= 100 else f"{line[:100]} ...")


@pytest.mark.parametrize("text", [text for text, *_ in INVALID], ids=IDS)
def test_leading_lines_and_spaces_move_the_position_only(text: str) -> None:
    error, moved = caught(text), caught("\r\n\n \t" + text)
    assert (moved.line, moved.column) == (3, error.column + 2)
    assert message_of(moved) == message_of(error)


@pytest.mark.parametrize(
    "name", ["__import__", "eval", "Schedule", "parse", "fs", "funcsched.serialization.data.registry", "abs.__self__"]
)
def test_only_registered_names_can_be_called(name: str) -> None:
    error = caught(f"{name}('os')")
    assert error.column == 1 and message_of(error).startswith("unknown schedule ")


def test_an_error_of_a_function_points_at_its_call() -> None:
    error = caught("join([\n    constant(),\n    warmup_linear(10, 5),\n], [3])")
    assert str(error) == (
        "parse: line 3, column 5: warmup_linear: `warmup_steps` must be at most `total_steps` (5), got 10\n"
        "        warmup_linear(10, 5),\n"
        "        ^"
    )


def test_a_tab_does_not_displace_the_caret() -> None:
    assert str(caught("constant(\n\tfoo = 1)")).endswith("\n     foo = 1)\n     ^")


def test_the_error_in_a_long_line_shows_its_surroundings() -> None:
    error = caught("table([" + "1, " * 5000 + "x" + ", 1" * 5000 + "])")
    _, shown, caret = str(error).split("\n")
    assert len(shown) <= 112 and shown[caret.index("^")] == "x"
    assert shown.startswith("    ... ") and shown.endswith(" ...")


@pytest.mark.parametrize("text", [b"constant()", None, 5, ["constant()"], fs.constant(), bytearray(b"constant()")])
def test_other_types_than_str_are_a_type_error(text: object) -> None:
    with pytest.raises(TypeError, match=r"^parse: `text` must be a string, got "):
        parse(text)  # type: ignore[arg-type]


def test_text_and_data_refer_to_each_other() -> None:
    with pytest.raises(TypeError, match=r"^parse: `text` must be a string, got \{\}; use fs\.from_dict\(\.\.\.\)$"):
        parse({})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^Plan\.parse: `text` must be .*; use fs\.Plan\.from_dict\(\.\.\.\)$"):
        fs.Plan.parse({})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^from_dict: `data` must be .*; use fs\.parse\(\.\.\.\) for an expression$"):
        fs.from_dict("constant()")  # type: ignore[arg-type]


# The exception class.


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])
def test_an_error_can_be_copied_and_pickled(again) -> None:
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
        "train: error: argument --schedule: parse: line 1, column 13: closing parenthesis ']' does not match opening "
        "parenthesis '('",
        "    constant(0.5]",
        "                ^",
    ]


# Limits.


def deep(opening: str, closing: str, count: int) -> str:
    return opening * count + "constant()" + closing * count


def test_at_most_50_nested_calls() -> None:
    assert parse(deep("shift(", ", 1)", 49))(0) == 1
    assert "line 1, column 309: more than 50 nested calls\n" in str(caught(deep("shift(", ", 1)", 50)))


def test_at_most_50_nested_brackets() -> None:
    assert parse(deep("(", ")", 50)) == fs.constant()
    assert "line 1, column 51: more than 50 nested brackets\n" in str(caught(deep("(", ")", 51)))


def test_both_limits_can_be_reached_together() -> None:
    assert parse("add((" + deep("add([", "])", 48) + ",),)")(0) == 1


@pytest.mark.parametrize(
    "opening",
    [
        *("(", "[", "{", "add(", "add([", "shift(", "reverse(", "compose(cosine, ", "add(x=", "f'{", "(yield ", "not("),
        *(
            "-",
            "- ",
            "fs.",
            "not ",
            "1+",
            "(1)*",
            "1-(",
            "1 if 1 else ",
            "constant()",
            "()",
            "[0]",
            "lambda: ",
            "await ",
            "**",
            "1,",
        ),
    ],
)
def test_unlimited_nesting_is_an_error_without_delay(opening: str) -> None:
    start = time.process_time()
    caught((opening * 100_000)[:100_000])
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "text",
    [
        "9" * 100_000,
        "constant(" + "9" * 99_000 + ")",
        "constant(0." + "3" * 99_000 + ")",
        "_" * 100_000,
        "a." * 49_999 + "a",
        "a b " * 25_000,
        "a" + " " * 99_999,
        "1e" * 50_000,
        "'" * 99_999,
        "\n" * 100_000,
        "constant(" + " " * 99_000,
    ],
    ids=lambda text: text[:12],
)
def test_long_tokens_are_an_error_without_delay(text: str) -> None:
    start = time.process_time()
    assert len(str(caught(text))) < 2000
    assert time.process_time() - start < 1


def test_at_most_100_000_characters() -> None:
    text = f"table([{'1,' * 49_995}])"
    assert parse(" " * (100_000 - len(text)) + text)(0) == 1
    with pytest.raises(ParseError, match=r"^parse: `text` must be at most 100000 characters long, got 100001$"):
        parse(" " * 100_001)


def test_a_long_list_takes_less_than_a_second() -> None:
    start = time.process_time()
    assert parse(f"table([{'0.25,' * 19_000}])") == fs.table([0.25] * 19_000)
    assert time.process_time() - start < 1


def test_numbers_are_exact() -> None:
    assert parse("constant(0.30000000000000004)")(0) == 0.1 + 0.2
    assert parse("constant(5e-324)")(0) == 5e-324
    assert parse(f"warmup_constant({2**53})") == fs.warmup_constant(2**53)


def test_the_size_of_results_is_limited() -> None:
    digits = "9" * 180
    assert "the result of '*' is too large\n" in str(caught(f"constant({digits} * ({digits}))"))
    assert parse(f"constant(({digits} * (9 - 8) - {digits}) * {digits})") == fs.constant(0)


# Fuzzing.


def test_fuzzing_finds_no_fault() -> None:
    report = fuzz.run(2000)
    assert {fault: fuzz.abbreviated(given) for fault, given in report.faults.items()} == {}
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
def test_the_fuzzer_finds_faults(function, fault: str | None) -> None:
    found = fuzz.outcome_and_fault(fuzz.Input(function, "x"))[1]
    assert found is None if fault is None else found is not None and fault in found


def test_the_fuzzer_stops_endless_inputs() -> None:
    def endless(text: str) -> fs.Schedule:
        while True:
            pass

    assert fuzz.outcome_and_fault(fuzz.Input(endless, "x")) == ("endless: Slow", "Slow: ")
