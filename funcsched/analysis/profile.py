"""The phases of a curve, found from its values: warmup, peak, hold, decay and end."""

from __future__ import annotations

from itertools import pairwise

from funcsched.analysis.sampling import declared_step, first_step, horizon, peak_step
from funcsched.shapes.basic import cosine, linear, rex, sine, sqrt
from funcsched.shapes.combined import reverse
from funcsched.shapes.parametric import power

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from funcsched.analysis.sampling import Curve

ROUNDING = 2.0**-46  # relative to the peak: two float64 computations of the same curve may differ by this much
SHAPE_TOLERANCE = 1e-6  # relative to the total change in a phase
_FRACTIONS = [i / 32 for i in range(1, 32)]
_SHAPES: dict[str, Callable[[float], float]] = {
    "linear": linear,
    "cosine": cosine,
    "sine": sine,
    "sqrt": sqrt,
    "rex": rex,
    # A polynomial decay is (1 - fraction) ** exponent.
    "polynomial with exponent 2": reverse(power(2.0)),
    "polynomial with exponent 3": reverse(power(3.0)),
}


class Phase:
    """A curve between two steps."""

    __slots__ = ("curve", "end", "start")

    def __init__(self, curve: Curve, start: int, end: int) -> None:
        self.curve, self.start, self.end = curve, start, end

    @property
    def is_flat(self) -> bool:
        return self.curve(self.start) == self.curve(self.end)

    def progress(self, fraction: float) -> float:
        """The change since the start relative to the total change, at a fraction (0 to 1) of the steps."""
        step = self.start + fraction * (self.end - self.start)
        # A user's function may be defined for ints only.
        value = self.curve(int(step)) if step == int(step) else float(self.curve.schedule(step))
        first, last = self.curve(self.start), self.curve(self.end)
        return (value - first) / (last - first)

    def has_shape_of(self, other: Phase) -> bool | None:
        """Whether two phases have the same shape, or None if one of them is undefined between integer steps."""
        if self.is_flat or other.is_flat:
            return self.is_flat and other.is_flat
        try:
            return self._follows(other.progress)
        except (TypeError, ValueError, LookupError, ArithmeticError):
            return None

    def shape_name(self) -> str | None:
        if self.is_flat:
            return None
        return next((name for name, shape in _SHAPES.items() if self._follows(shape)), None)

    def _follows(self, shape: Callable[[float], float]) -> bool:
        return all(abs(self.progress(x) - shape(x)) <= SHAPE_TOLERANCE for x in _FRACTIONS)


class Profile:
    """The phases of a curve.

    Attributes:
        start, peak, end: the multipliers at step 0, at the peak and at the last sample.
        peak_step: the first step with the largest value.
        hold_end: the last step of the peak.
        horizon: the first step from which the curve is constant, or None if it changes up to the last sample.
        is_unimodal: whether the curve never falls before the peak and never rises after it.
    """

    __slots__ = ("curve", "end", "hold_end", "horizon", "is_unimodal", "peak", "peak_step", "start", "steps")

    def __init__(self, curve: Curve, steps: list[int]) -> None:
        self.curve, self.steps = curve, steps
        self.start, self.end = curve(0), curve(steps[-1])
        peak = peak_step(curve, steps)
        self.peak = curve(peak)
        self.peak_step = declared_step(curve, peak, peak - 1)
        self.horizon = horizon(curve, steps)
        fall = first_step(lambda step: curve(step) != self.peak, self._from_peak())
        self.hold_end = steps[-1] if fall is None else declared_step(curve, fall - 1, fall)
        to_peak = [*(step for step in steps if step < self.peak_step), self.peak_step]
        falls = any(curve(b) < curve(a) - ROUNDING * self.peak for a, b in pairwise(to_peak))
        self.is_unimodal = not falls and self.rise_after_peak() is None

    def _from_peak(self) -> list[int]:
        return [self.peak_step, *(step for step in self.steps if step > self.peak_step)]

    def rise_after_peak(self) -> int | None:
        """The first step after the peak at which the curve rises, or None."""
        curve, slack = self.curve, ROUNDING * self.peak
        pair = next(((a, b) for a, b in pairwise(self._from_peak()) if curve(b) > curve(a) + slack), None)
        if pair is None:
            return None
        floor = curve(pair[0]) + slack
        return first_step(lambda step: curve(step) > floor, pair)

    @property
    def warmup(self) -> Phase | None:
        return Phase(self.curve, 0, self.peak_step) if self.peak_step else None

    @property
    def decay(self) -> Phase | None:
        """The phase from the last step of the peak to the horizon. It is flat if the peak is held indefinitely."""
        return None if self.horizon is None else Phase(self.curve, self.hold_end, self.horizon)
