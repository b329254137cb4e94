"""Double-word operations against exact fractions, on every number system and under fused multiply-add."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from funcsched.numerics.arrays import Jax, Numpy, Torch
from funcsched.numerics.double_word import DoubleWord, logarithm, quotient, rounded
from funcsched.numerics.jax_float32 import DoubleWordCounts, Int32Counts
from funcsched.numerics.number_system import NumberSystem
from funcsched.numerics.python_numbers import FLOATS
from tests import oracle
from tests.backends import x64

PYTHON = (FLOATS, 53, float)
NUMPY = (Numpy(np, False, np.float64), 53, np.float64)
TORCH = (Torch(torch, False, torch.float64, torch.device("cpu")), 53, lambda x: torch.tensor(x, dtype=torch.float64))
JAX32 = (DoubleWordCounts(jnp, False, jnp.float32), 24, jnp.float32)
SYSTEMS = pytest.mark.parametrize(
    ("xp", "bits", "array"), [PYTHON, NUMPY, TORCH, JAX32], ids=lambda x: type(x).__name__
)
OPERATIONS = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
}
# Numbers whose products and quotients stay far from the ends of float32.
SIGNIFICANDS, EXPONENTS = st.integers(-(2**53), 2**53), st.integers(-20, 20)


def exact(number: DoubleWord) -> Fraction:
    return Fraction(float(number.hi)) + Fraction(float(number.lo))


def to_bits(value: Fraction, bits: int) -> Fraction:
    """A fraction rounded to so many bits, half to even."""
    if value == 0:
        return value
    exponent = abs(value.numerator).bit_length() - value.denominator.bit_length() - bits
    unit = Fraction(2) ** exponent
    while abs(value) / unit >= 2**bits:
        unit *= 2
    return round(value / unit) * unit


def word(xp: NumberSystem, bits: int, array: Any, significand: int, exponent: int, rest: int) -> DoubleWord:
    hi = to_bits(Fraction(significand) * Fraction(2) ** exponent, bits)
    lo = to_bits(hi * Fraction(rest, 2**53) / 2 ** (bits + 1), bits)
    return DoubleWord(xp, array(float(hi)), array(float(lo)))


@SYSTEMS
@pytest.mark.parametrize("operation", OPERATIONS)
@given(st.data())
def test_an_operation_has_nearly_twice_the_digits(xp, bits, array, operation, data) -> None:
    x, y = (word(xp, bits, array, *(data.draw(s) for s in (SIGNIFICANDS, EXPONENTS, SIGNIFICANDS))) for _ in range(2))
    if operation == "/" and exact(y) == 0:
        return
    apply = OPERATIONS[operation]
    wanted, found = apply(exact(x), exact(y)), apply(x, y)
    # A sum that cancels is as accurate as its terms.
    size = max(abs(exact(x)), abs(exact(y))) if operation in "+-" else abs(wanted)
    assert abs(exact(found) - wanted) <= size * Fraction(2) ** (4 - 2 * bits)


@SYSTEMS
@given(st.integers(0, 2**47), st.integers(0, 2**47))
def test_integers_of_48_bits_are_subtracted_exactly(xp, bits, array, first: int, second: int) -> None:
    def of(number: int) -> DoubleWord:
        hi = to_bits(Fraction(number), bits)
        return DoubleWord(xp, array(float(hi)), array(float(number - hi)))

    assert exact(of(first) - of(second)) == first - second
    assert exact(first - of(second)) == first - second
    assert [bool(of(first) < second), bool(of(first) >= of(second))] == [first < second, first >= second]
    assert [bool(of(first) > second), bool(of(first) <= of(second))] == [first > second, first <= second]


@given(st.integers(0, 2**31 - 1), st.integers(1, 2**20))
def test_periods_of_counts_past_32_bits(count: int, period: int) -> None:
    xp = DoubleWordCounts(jnp, True, jnp.float32)
    cycle, rest = xp.divmod(xp.count(jnp.int32(count)) * 1000, xp.count(period * 999))
    assert (exact(cycle), exact(rest)) == divmod(count * 1000, period * 999)


CONTRACTION = random.Random(0)


class Contracted:
    """A float of 24 bits of a compiler that rounds ``a * b + c`` once in some places and twice in others."""

    def __init__(self, value: Fraction, product: Fraction | None = None) -> None:
        self.value = to_bits(value, 24)
        self.product = value if product is None else product

    def __neg__(self) -> Contracted:
        return Contracted(-self.value, -self.product)

    def __add__(self, other: Any) -> Contracted:
        return Contracted(_sum(self, _of(other)))

    def __sub__(self, other: Any) -> Contracted:
        return self + -_of(other)

    def __rsub__(self, other: Any) -> Contracted:
        return _of(other) + -self

    def __mul__(self, other: Any) -> Contracted:
        return Contracted(self.value * _of(other).value)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Any) -> Contracted:
        return Contracted(to_bits(self.value / _of(other).value, 24))

    def __float__(self) -> float:
        return float(self.value)


def _of(number: Any) -> Contracted:
    return number if isinstance(number, Contracted) else Contracted(Fraction(number))


def _sum(x: Contracted, y: Contracted) -> Fraction:
    # Either product may be contracted into the sum; `value` is what anything else sees of it.
    terms = (x.value, y.value), (x.product, y.value), (x.value, y.product)
    return to_bits(sum(CONTRACTION.choice(terms)), 24)


class ContractedSystem(NumberSystem):
    def level(self, value: Any) -> Contracted:
        return _of(value)

    def upper_half(self, x: Contracted) -> Contracted:
        return Contracted(_truncated(x.value))


def _truncated(value: Fraction, bits: int = 12) -> Fraction:
    """The upper bits of 24, as a mask leaves them."""
    return Fraction(float((np.float32(float(value)).view(np.int32) & -(1 << (24 - bits))).view(np.float32)))


@pytest.mark.parametrize("operation", ["*", "/"])
@given(st.data())
def test_products_and_quotients_under_fused_multiply_add(operation, data) -> None:
    xp = ContractedSystem()
    x, y = (
        word(
            xp, 24, lambda x: Contracted(Fraction(x)), *(data.draw(s) for s in (SIGNIFICANDS, EXPONENTS, SIGNIFICANDS))
        )
        for _ in range(2)
    )
    if operation == "/" and exact(y) == 0:
        return
    CONTRACTION.seed(data.draw(st.integers(0, 2**32)))
    wanted, found = OPERATIONS[operation](exact(x), exact(y)), OPERATIONS[operation](x, y)
    assert abs(exact(found) - wanted) <= abs(wanted) * Fraction(2) ** (4 - 48)


def test_one_more_bit_in_a_half_is_too_many_under_fused_multiply_add() -> None:
    class Longer(ContractedSystem):
        def upper_half(self, x: Contracted) -> Contracted:
            return Contracted(_truncated(x.value, 13))

    def worst(xp: NumberSystem) -> Fraction:
        draw, errors = random.Random(1), []
        for _ in range(300):
            x, y = (DoubleWord(xp, Contracted(Fraction(draw.randint(2**23, 2**24))), _of(0.0)) for _ in range(2))
            errors.append(abs(exact(x * y) / (exact(x) * exact(y)) - 1))
        return max(errors)

    assert worst(ContractedSystem()) <= Fraction(2) ** -44 < worst(Longer())


@given(st.floats(1e-30, 1e30), st.integers(1, 2**53), st.integers(1, 53))
def test_a_constant_is_divided_to_twice_the_digits(constant: float, steps: int, bits: int) -> None:
    upper, lower = quotient((constant, constant * 2.0**-60), steps, bits)
    wanted = (Fraction(constant) + Fraction(constant * 2.0**-60)) / steps
    assert Fraction(upper) == to_bits(Fraction(upper), bits)
    assert abs(Fraction(upper) + Fraction(lower) - wanted) <= wanted * Fraction(2) ** -(bits + 50)


@given(st.floats(1e-30, 1e30))
def test_a_logarithm_has_twice_the_digits(number: float) -> None:
    hi, lo = logarithm(number)
    wanted = oracle.mpmath.log(oracle.mpf(number))
    assert abs(oracle.mpf(hi) + oracle.mpf(lo) - wanted) <= abs(wanted) * oracle.mpf(2) ** -104


@given(st.integers(-(2**53), 2**53), st.integers(-60, 60), st.integers(2, 52))
def test_a_float_is_rounded_to_so_many_bits(significand: int, exponent: int, bits: int) -> None:
    value = significand * 2.0**exponent
    found = Fraction(rounded(value, bits))
    assert found == to_bits(found, bits)
    assert abs(found - Fraction(value)) <= abs(to_bits(Fraction(value), bits) - Fraction(value))


@pytest.mark.parametrize("xp", [JAX32[0], NUMPY[0], TORCH[0]], ids=lambda x: type(x).__name__)
def test_the_halves_of_a_float_are_exact_and_short(xp) -> None:
    bits = 24 if isinstance(xp, DoubleWordCounts) else 53
    for value in (1 / 3, -1 / 3, 123456789.123, 1e-30, -1e30, 0.0):
        x = xp.level(value)
        top = xp.upper_half(x)
        low = x - top
        halves = [Fraction(float(top)), Fraction(float(low))]
        assert sum(halves) == Fraction(float(x))
        assert [half == to_bits(half, bits // 2 + bits % 2) for half in halves] == [True, True]


def test_without_x64_a_count_past_the_largest_parameter_changes_the_number_system() -> None:
    xp = Int32Counts(jnp, True, jnp.float32)
    assert xp.up_to(2**31 - 1) is xp
    assert isinstance(xp.up_to(2**31), DoubleWordCounts)
    with x64():
        wide = Jax(jnp, True, jnp.float64)
        assert wide.up_to(2**40) is wide


@given(st.integers(0, 2**31 - 1))
def test_every_int32_is_a_double_word(step: int) -> None:
    xp = DoubleWordCounts(jnp, True, jnp.float32)
    count = xp.from_step(jnp.int32(step))
    assert exact(count) == step
    assert int(xp.to_int(count)) == step


@given(st.integers(2**31 - 200, 2**31 - 1) | st.integers(2**32 - 600, 2**32 - 1))
def test_the_largest_integers_are_double_words(step: int) -> None:
    xp = DoubleWordCounts(jnp, True, jnp.float32)
    dtypes = [jnp.uint32, np.int64] if step >= 2**31 else [jnp.int32, jnp.uint32, np.int64]
    assert [exact(xp.from_step(dtype(step))) for dtype in dtypes] == [step] * len(dtypes)


def test_constants_of_python_are_split_where_floats_are_shorter() -> None:
    xp = JAX32[0]
    period = xp.count(3 * 10**12 - 10) * 2
    assert exact(period) == 6 * 10**12 - 20
    assert period.hi == float(np.float32(period.hi))


def test_jit_keeps_the_digits() -> None:
    """XLA neither reassociates nor contracts what the operations rely on."""

    @jax.jit
    def both(x: jax.Array, y: jax.Array) -> list[tuple[jax.Array, jax.Array]]:
        first, second = DoubleWord(xp, x, 0.0), DoubleWord(xp, y, 0.0)
        results = [first * second, first / second, first + second, first - second]
        return [(result.hi, result.lo) for result in results]

    xp = JAX32[0]
    generator = np.random.default_rng(1)
    x, y = (generator.uniform(0.1, 1e6, 3000).astype(np.float32) for _ in range(2))
    for operation, (hi, lo) in zip("*/+-", both(jnp.asarray(x), jnp.asarray(y)), strict=True):
        for i in range(len(x)):
            one, other = Fraction(float(x[i])), Fraction(float(y[i]))
            wanted, found = OPERATIONS[operation](one, other), Fraction(float(hi[i])) + Fraction(float(lo[i]))
            assert abs(found - wanted) <= max(abs(wanted), one, other) * Fraction(2) ** (4 - 48)
