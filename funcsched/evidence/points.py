"""The points of a log, with the intervals that the printed digits leave."""

from __future__ import annotations

from math import floor, isfinite, log10

from funcsched.core.validation import argument_error, concrete_nonnegative_int, finite, sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

FLOAT32 = 2.0**-22  # the error of a few operations
_FLOAT64 = 2.0**-42  # of the largest rate: torch's recursive schedulers accumulate rounding errors
_SAMPLE = 40


class Points:
    """The steps and rates of a log in the order of steps, and half a unit of the last printed digit of each rate."""

    def __init__(self, steps: list[int], rates: list[float], tolerances: list[float]) -> None:
        self.steps, self.rates, self.tolerances = steps, rates, tolerances

    def __len__(self) -> int:
        return len(self.steps)

    def part(self, indices: Iterable[int]) -> Points:
        chosen = list(indices)
        columns = self.steps, self.rates, self.tolerances
        return Points(*([column[i] for i in chosen] for column in columns))  # type: ignore[arg-type]

    def of_float32(self) -> Points:
        """The same points with the additional errors of rates that were computed in float32, or logged as such."""
        error = FLOAT32 * max(map(abs, self.rates), default=0.0)  # differences from the peak have an absolute error
        pairs = zip(self.rates, self.tolerances, strict=True)
        return Points(self.steps, self.rates, [tolerance + error + FLOAT32 * abs(rate) for rate, tolerance in pairs])

    def of_levels(self) -> Points:
        """The same points without the rounding errors of differences from the peak, which levels do not have."""
        largest = max(map(abs, self.rates), default=0.0)
        pairs = zip(self.rates, self.tolerances, strict=True)
        exact = [_FLOAT64 * abs(rate) if rate and error <= _FLOAT64 * largest else error for rate, error in pairs]
        return Points(self.steps, self.rates, exact)

    def counted_from(self, first: int) -> Points:
        """The same points with smaller steps."""
        return Points([step - first for step in self.steps], self.rates, self.tolerances)

    def sample(self) -> Points:
        """At most about 100 points: spread evenly, and where the slope changes most."""
        count = len(self)
        if count <= 1.5 * _SAMPLE:
            return self
        chosen = {round(i * (count - 1) / (_SAMPLE - 1)) for i in range(_SAMPLE)}
        bends = sorted(range(1, count - 1), key=self._bend, reverse=True)
        for i in bends[: _SAMPLE // 5]:
            chosen.update((i - 1, i, i + 1))
        return self.part(sorted(chosen))

    def _bend(self, i: int) -> float:
        (a, b, c), (x, y, z) = self.steps[i - 1 : i + 2], self.rates[i - 1 : i + 2]
        return abs((y - x) / max(b - a, 1) - (z - y) / max(c - b, 1)) * (c - a)


def points_of(function: str, steps: Iterable[int], rates: Iterable[float], *, digits: int = 1) -> Points:
    """The points of a log, validated and sorted by step. The largest rate has at least `digits` digits."""
    counts = sequence(function, "steps", steps, concrete_nonnegative_int, "integers")
    values = sequence(function, "rates", rates, finite, "numbers")
    if len(counts) != len(values):
        raise argument_error(function, "rates", f"as long as `steps` ({len(counts)})", len(values))
    order = sorted(range(len(counts)), key=lambda i: counts[i])
    rates = [float(values[i]) for i in order]
    return Points([counts[i] for i in order], rates, tolerances(rates, digits))


def tolerances(rates: list[float], digits: int = 1) -> list[float]:
    """Half a unit of the last printed digit of each rate.

    A log has either a fixed number of significant digits or a fixed number of decimals. The larger of both units is
    right for both: in a log with significant digits, the smallest unit belongs to the smallest rate, and in a log with
    decimals, the largest rate has the most digits. If all rates are 0, no digit is known, and they are exact.
    """
    decimals = 0
    for rate in rates:
        if rate and isfinite(rate):
            significand, exponent = _scientific(rate)
            digits = max(digits, len(significand))
            decimals = max(decimals, len(significand) - 1 - exponent)
    largest = max(map(abs, rates), default=0.0)
    if largest:
        decimals = max(decimals, digits - 1 - floor(log10(largest)))
    found = []
    for rate in rates:
        unit = 10.0**-decimals
        if rate:
            unit = max(unit, 10.0 ** (floor(log10(abs(rate))) - digits + 1))
        found.append(max(0.5 * unit, _FLOAT64 * largest) if largest else 0.0)
    return found


def _scientific(rate: float) -> tuple[str, int]:
    """The significant digits of a rate, and its decimal exponent."""
    from decimal import Decimal

    _, digits, exponent = Decimal(repr(abs(rate))).normalize().as_tuple()
    assert isinstance(exponent, int)
    return "".join(map(str, digits)), exponent + len(digits) - 1
