"""Random expressions are printed with the parentheses that they need."""

import operator
import random
from typing import Any

import pytest

from funcsched.export.languages import C, Python
from funcsched.export.symbol import Trace

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge]


def where(condition: Any, yes: Any, no: Any) -> Any:
    return yes if condition else no


def index(boundaries: tuple[float, ...], count: Any) -> int:
    return sum(boundary <= count for boundary in boundaries)


def number(generator: random.Random, depth: int, trace: Trace) -> tuple[Any, Any]:
    """A random expression of symbols, and its value at step 5."""

    def inside() -> tuple[Any, Any]:
        return number(generator, depth - 1, trace)

    def condition(depth: int = 2) -> tuple[Any, Any]:
        if depth and generator.random() < 0.5:
            (x, a), (y, b) = condition(depth - 1), condition(depth - 1)
            return x | y, a or b
        compare, (x, a), (y, b) = generator.choice(COMPARISONS), inside(), inside()
        return compare(x + trace.step, y), compare(a + 5.0, b)

    kind = generator.randrange(8 if depth else 2)
    if kind == 0:
        return trace.step, 5.0
    if kind == 1:
        value = generator.choice([-3.0, -0.5, 0.75, 2.0, 7.0])
        return value, value
    if kind == 2:
        (x, a), (y, b), (c, truth) = inside(), inside(), condition()
        return trace.where(c, x, y), where(truth, a, b)
    if kind == 3:
        x, a = inside()
        return -x, -a
    if kind == 4:
        (x, a), (y, b) = inside(), inside()
        root = (trace.maximum(x, -x) ** 0.5) ** 3.0, (abs(a) ** 0.5) ** 3.0
        return root if generator.random() < 0.5 else (trace.maximum(x, y), max(a, b))
    if kind == 5:
        x, a = inside()
        boundaries = (-1.0, 2.0, 3.5)
        return trace.searchsorted(trace.asarray(boundaries), x, side="right"), index(boundaries, a)
    operate, (x, a), (y, b) = generator.choice(OPERATORS), inside(), inside()
    return operate(x, y), operate(a, b)


@pytest.mark.parametrize("seed", range(4))
def test_a_printed_expression_has_the_value_of_the_operations(seed: int) -> None:
    generator = random.Random(seed)
    printed = 0
    while printed < 300:
        trace = Trace("float")
        try:
            symbol, value = number(generator, 4, trace)
        except ZeroDivisionError:
            continue
        source = Python().print(trace, symbol, "printed", ["description"], {})
        namespace: dict[str, Any] = {}
        exec(source, namespace)
        assert namespace["printed"](5.0) == value, source
        printed += 1


def test_two_signs_are_no_decrement_in_c() -> None:
    trace = Trace("float")
    negative = -trace.step
    assert "return -(-step);" in C().print(trace, -negative, "printed", ["description"], {})


def test_a_common_subexpression_is_written_once() -> None:
    trace = Trace("float")
    sine = trace.sin(trace.step)
    source = Python().print(trace, sine * sine + 1.0, "printed", ["description"], {})
    assert source.count("math.sin(step)") == 1
