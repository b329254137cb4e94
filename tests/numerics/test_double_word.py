"""Double-word arithmetic compared with exact fractions, on every number system and with fused multiply-add."""

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
from mpmath import log, mpf, workprec

from funcsched.numerics.arrays import Jax, Numpy, Torch
from funcsched.numerics.double_word import DoubleWord, logarithm, quotient, rounded
from funcsched.numerics.jax_float32 import DoubleWordCounts, Int32Counts
from funcsched.numerics.number_system import NumberSystem
from funcsched.numerics.python_numbers import FLOATS
from tests.backends import float32, x64

PYTHON = (FLOATS, 53, float)
NUMPY = (Numpy(np, False, np.float64), 53, np.float64)
TORCH = (Torch(torch, False, torch.float64, torch.device("cpu")), 53, lambda x: torch.tensor(x, dtype=torch.float64))
JAX32 = (DoubleWordCounts(jnp, False, jnp.float32), 24, jnp.float32)
OPERATIONS = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
}
# A significand, an exponent, and a significand of the low word. Products are below 2**107 and quotients above 2**-74:
# neither they nor their errors leave the range of float32.
NUMBERS = st.tuples(st.integers(-(2**53), 2**53), st.integers(-20, 0), st.integers(-(2**53), 2**53))

each_system = pytest.mark.parametrize(
    ("xp", "bits", "array"), [PYTHON, NUMPY, TORCH, JAX32], ids=lambda x: type(x).__name__
)


def exact(number: DoubleWord) -> Fraction:
    return Fraction(float(number.hi)) + Fraction(float(number.lo))


def round_to(bits: int, value: Fraction) -> Fraction:
    """A fraction rounded to `bits` significant bits, ties to even."""
    if value == 0:
        return value
    exponent = abs(value.numerator).bit_length() - value.denominator.bit_length() - bits
    unit = Fraction(2) ** exponent
    while abs(value) / unit >= 2**bits:
        unit *= 2
    return round(value / unit) * unit


def double_word(xp: NumberSystem, bits: int, array: Any, number: tuple[int, int, int]) -> DoubleWord:
    significand, exponent, low = number
    hi = round_to(bits, Fraction(significand) * Fraction(2) ** exponent)
    lo = round_to(bits, hi * Fraction(low, 2**53) / 2 ** (bits + 1))
    return DoubleWord(xp, array(float(hi)), array(float(lo)))


@each_system
@pytest.mark.parametrize("operation", OPERATIONS)
@given(NUMBERS, NUMBERS)
def test_operations_have_nearly_twice_the_precision(xp, bits, array, operation, first, second) -> None:
    x, y = (double_word(xp, bits, array, number) for number in (first, second))
    if operation == "/" and exact(y) == 0:
        return
    apply = OPERATIONS[operation]
    result, expected = apply(x, y), apply(exact(x), exact(y))
    # After cancellation, a sum is accurate relative to its terms.
    size = max(abs(exact(x)), abs(exact(y))) if operation in "+-" else abs(expected)
    assert abs(exact(result) - expected) <= size * Fraction(2) ** (4 - 2 * bits)


@each_system
@given(st.integers(0, 2**47), st.integers(0, 2**47))
def test_48_bit_integers_are_subtracted_and_compared_exactly(xp, bits, array, first: int, second: int) -> None:
    def convert(number: int) -> DoubleWord:
        hi = round_to(bits, Fraction(number))
        return DoubleWord(xp, array(float(hi)), array(float(number - hi)))

    x, y = convert(first), convert(second)
    assert exact(x - y) == first - second
    assert exact(first - y) == first - second
    assert [bool(x < second), bool(x >= second)] == [first < second, first >= second]
    assert [bool(x > second), bool(x <= second)] == [first > second, first <= second]


@given(st.integers(0, 2**31 - 1), st.integers(1, 2**20))
def test_divmod_of_counts_past_32_bits(count: int, period: int) -> None:
    xp = DoubleWordCounts(jnp, True, jnp.float32)
    cycle, remainder = xp.divmod(xp.to_count(jnp.int32(count)) * 1000, xp.to_count(period * 999))
    assert (exact(cycle), exact(remainder)) == divmod(count * 1000, period * 999)


CONTRACTION = random.Random(0)


class Contracted:
    """A float32 of a compiler that turns ``a * b + c`` into a fused multiply-add in some places, here at random."""

    def __init__(self, value: Fraction, product: Fraction | None = None) -> None:
        self.value = round_to(24, value)
        self.product = value if product is None else product  # before rounding

    def __neg__(self) -> Contracted:
        return Contracted(-self.value, -self.product)

    def __add__(self, other: Any) -> Contracted:
        other = contracted(other)
        # At most one of two products is fused with the sum.
        terms = (self.value, other.value), (self.product, other.value), (self.value, other.product)
        return Contracted(round_to(24, sum(CONTRACTION.choice(terms))))

    def __sub__(self, other: Any) -> Contracted:
        return self + -contracted(other)

    def __rsub__(self, other: Any) -> Contracted:
        return contracted(other) + -self

    def __mul__(self, other: Any) -> Contracted:
        return Contracted(self.value * contracted(other).value)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Any) -> Contracted:
        return Contracted(round_to(24, self.value / contracted(other).value))

    def __float__(self) -> float:
        return float(self.value)


def contracted(number: Any) -> Contracted:
    return number if isinstance(number, Contracted) else Contracted(Fraction(number))


class ContractedSystem(NumberSystem):
    def __init__(self, half_bits: int = 12) -> None:
        self.half_bits = half_bits

    def level(self, value: Any) -> Contracted:
        return contracted(value)

    def upper_half(self, x: Contracted) -> Contracted:
        """The upper bits of the significand, as a bit mask computes them."""
        masked = np.float32(float(x)).view(np.int32) & -(1 << (24 - self.half_bits))
        return contracted(float(masked.view(np.float32)))


@pytest.mark.parametrize("operation", ["*", "/"])
@given(NUMBERS, NUMBERS, st.integers(0, 2**32))
def test_products_and_quotients_with_fused_multiply_add(operation, first, second, seed) -> None:
    xp = ContractedSystem()
    x, y = (double_word(xp, 24, contracted, number) for number in (first, second))
    if operation == "/" and exact(y) == 0:
        return
    CONTRACTION.seed(seed)
    result, expected = OPERATIONS[operation](x, y), OPERATIONS[operation](exact(x), exact(y))
    assert abs(exact(result) - expected) <= abs(expected) * Fraction(2) ** (4 - 48)


def test_products_lose_precision_with_fused_multiply_add_if_halves_are_too_long() -> None:
    def max_error(xp: NumberSystem) -> Fraction:
        draw, errors = random.Random(1), []
        for _ in range(300):
            x, y = (DoubleWord(xp, contracted(draw.randint(2**23, 2**24)), contracted(0)) for _ in range(2))
            errors.append(abs(exact(x * y) / (exact(x) * exact(y)) - 1))
        return max(errors)

    assert max_error(ContractedSystem(12)) <= Fraction(2) ** -44 < max_error(ContractedSystem(13))


@given(st.floats(1e-30, 1e30), st.integers(1, 2**53), st.integers(1, 53))
def test_quotients_of_constants_have_twice_the_precision(constant: float, steps: int, bits: int) -> None:
    upper, lower = quotient((constant, constant * 2.0**-60), steps, bits)
    expected = (Fraction(constant) + Fraction(constant * 2.0**-60)) / steps
    assert Fraction(upper) == round_to(bits, Fraction(upper))
    assert abs(Fraction(upper) + Fraction(lower) - expected) <= expected * Fraction(2) ** -(bits + 50)


@given(st.floats(1e-30, 1e30))
def test_logarithms_have_twice_the_precision(number: float) -> None:
    hi, lo = logarithm(number)
    with workprec(300):
        expected = log(mpf(number))
        assert abs(mpf(hi) + mpf(lo) - expected) <= abs(expected) * mpf(2) ** -104


@given(st.integers(-(2**53), 2**53), st.integers(-60, 60), st.integers(2, 52))
def test_rounding_to_fewer_bits(significand: int, exponent: int, bits: int) -> None:
    value = significand * 2.0**exponent
    result = Fraction(rounded(value, bits))
    assert result == round_to(bits, result)
    assert abs(result - Fraction(value)) <= abs(round_to(bits, Fraction(value)) - Fraction(value))


@pytest.mark.parametrize("xp", [JAX32[0], NUMPY[0], TORCH[0]], ids=lambda x: type(x).__name__)
def test_a_number_is_the_exact_sum_of_its_two_halves(xp) -> None:
    bits = 24 if isinstance(xp, DoubleWordCounts) else 53
    for value in (1 / 3, -1 / 3, 123456789.123, 1e-30, -1e30, 0.0):
        x = xp.level(value)
        upper = xp.upper_half(x)
        halves = [Fraction(float(upper)), Fraction(float(x - upper))]
        assert sum(halves) == Fraction(float(x))
        assert halves == [round_to(bits // 2 + bits % 2, half) for half in halves]


def test_counts_past_32_bits_are_double_words_without_x64() -> None:
    xp = Int32Counts(jnp, True, jnp.float32)
    assert xp.up_to(2**31 - 1) is xp
    assert isinstance(xp.up_to(2**31), DoubleWordCounts)
    with x64():
        xp64 = Jax(jnp, True, jnp.float64)
        assert xp64.up_to(2**40) is xp64


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


def test_python_constants_are_split_into_two_words() -> None:
    xp = JAX32[0]
    period = xp.to_count(3 * 10**12 - 10) * 2
    assert exact(period) == 6 * 10**12 - 20
    assert period.hi == float32(period.hi)


def test_jit_preserves_the_precision() -> None:
    """XLA must not reassociate the operations."""
    xp = JAX32[0]

    @jax.jit
    def all_operations(x: jax.Array, y: jax.Array) -> list[tuple[jax.Array, jax.Array]]:
        first, second = DoubleWord(xp, x, 0.0), DoubleWord(xp, y, 0.0)
        results = [apply(first, second) for apply in OPERATIONS.values()]
        return [(result.hi, result.lo) for result in results]

    generator = np.random.default_rng(1)
    x, y = (generator.uniform(0.1, 1e6, 3000).astype(np.float32) for _ in range(2))
    pairs = [(Fraction(a), Fraction(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    for apply, (hi, lo) in zip(OPERATIONS.values(), all_operations(x, y), strict=True):
        for (a, b), high, low in zip(pairs, hi.tolist(), lo.tolist(), strict=True):
            result, expected = Fraction(high) + Fraction(low), apply(a, b)
            assert abs(result - expected) <= max(abs(expected), a, b) * Fraction(2) ** (4 - 48)
