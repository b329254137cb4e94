"""A likely reason why two curves differ."""

from __future__ import annotations

from array import array
from itertools import chain, pairwise

from funcsched.analysis.differences import ProfileDifferences, count_steps, instead_of
from funcsched.analysis.profile import ROUNDING, SHAPE_TOLERANCE, Profile
from funcsched.analysis.sampling import DENSE_STEPS, LAST_STEP, absolute_difference, first_step, is_close
from funcsched.core.schedule import Lift
from funcsched.core.value import Value, leaves
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from funcsched.analysis.sampling import Curve

_FLOAT32_ROUNDING = 2.0**-20  # relative to the peak
_MAX_SHIFT = 8  # all shifts up to this are tried, and those between the peaks and between the horizons
_SMALLEST_FACTOR = 1e-9  # times a smaller factor, every curve is 0 within the tolerance
_MAX_LISTED = 3  # steps or arguments
_LONG_ARGUMENTS = 100  # characters; longer arguments are not printed


class Explanation:
    """The possible reasons why two curves differ. A reason is reported only if the values confirm it.

    Args:
        first, second: the curves.
        steps: the sampled steps, sorted.
        first_step: the first step at which the curves differ.
        largest_step: the step with the largest difference.
    """

    def __init__(self, first: Curve, second: Curve, steps: list[int], first_step: int, largest_step: int) -> None:
        self.first, self.second, self.steps = first, second, steps
        self.first_step, self.largest_step = first_step, largest_step
        self.difference = absolute_difference(first, second, largest_step)
        peaks = [max(abs(curve(step)) for step in steps) for curve in (first, second)]
        self.peak = max(peaks)
        # The tolerance of a confirmation is far smaller than the difference, but not smaller than rounding.
        smaller_peak = min(peaks) or self.peak
        self.tolerance = max(ROUNDING * self.peak, min(SHAPE_TOLERANCE * smaller_peak, 1e-3 * self.difference))
        self.clearly_different = [s for s in steps if absolute_difference(first, second, s) >= self.difference / 2]

    def reason(self) -> str:
        """The first reason that the values confirm, in order of simplicity."""
        if not (self.difference < float("inf") and self.peak < float("inf")):
            return "one of the schedules has a value that is not finite"
        # A profile needs finite values.
        self.first_profile, self.second_profile = Profile(self.first, self.steps), Profile(self.second, self.steps)
        phases = ProfileDifferences(self.first_profile, self.second_profile, self.tolerance)
        reasons: tuple[Callable[[], str | None], ...] = (
            self.rounding,
            self.zero,
            self.shifted,
            self.scaled,
            self.scaled_and_shifted,
            self.few_steps,
            self.constant,
            self.one_ends,
            self.clamped,
            lambda: phases.complete(named_shapes=True),
            self.linear_map,
            self.arguments,
            lambda: phases.complete(named_shapes=False),
        )
        found = next(filter(None, (reason() for reason in reasons)), None)
        return found or "; ".join([*phases.levels_and_lengths(), *phases.rise_after_peak()]) or "no simple reason found"

    def matches(
        self, expected: Callable[[int], float], curve: Curve | None = None, *, low: int = 0, high: int | None = None
    ) -> bool:
        """Whether a curve, by default the second, has the expected values from step `low` to `high`.

        False if the two curves hardly differ there, because a match would explain nothing.
        """
        curve, high = curve or self.second, self.steps[-1] if high is None else high
        if not any(low <= step <= high for step in self.clearly_different):
            return False
        # The steps with differences come first because most wrong reasons fail there.
        return all(
            abs(expected(step) - curve(step)) <= self.tolerance
            for step in chain((self.largest_step, self.first_step), self.steps)
            if low <= step <= high
        )

    def rounding(self) -> str | None:
        if self.difference <= ROUNDING * self.peak:
            return f"rounding errors of at most {self.difference / self.peak:.2g} of the peak"
        if self.difference <= _FLOAT32_ROUNDING * self.peak:
            for name, curve in ("first", self.first), ("second", self.second):
                if all(_is_float32(curve(step)) for step in self.steps):
                    return f"rounding errors of float32, in which the {name} is computed"
        return None

    def zero(self) -> str | None:
        return None if any(map(self.second, self.steps)) else "the second is 0 everywhere"

    def constant(self) -> str | None:
        level = self.second(0)
        is_constant = len(self.steps) > 1 and all(self.second(step) == level for step in self.steps)
        return f"the second is {level:g} everywhere" if is_constant else None

    def scaled(self) -> str | None:
        peak = self.first_profile.peak
        factor = self.second(self.first_profile.peak_step) / peak if peak > 0 else 0.0
        if abs(factor) < _SMALLEST_FACTOR or not self.matches(lambda step: factor * self.first(step)):
            return None
        return f"the second is the first times {factor:g}"

    def scaled_and_shifted(self) -> str | None:
        first, second = self.first_profile.peak, self.second_profile.peak
        return self.shifted(second / first) if first > 0 and second > 0 and first != second else None

    def shifted(self, factor: float = 1.0) -> str | None:
        first, second = self.first_profile, self.second_profile
        if all(self.first(step) == first.start for step in self.steps):
            return None  # a shift does not change a constant curve
        shifts = {*range(-_MAX_SHIFT, _MAX_SHIFT + 1), first.peak_step - second.peak_step}
        if first.horizon is not None and second.horizon is not None:
            shifts.add(first.horizon - second.horizon)
        shifts = {shift for shift in shifts if shift and abs(shift) <= self.steps[-1] // 2}
        smallest_first = sorted(shifts, key=lambda shift: (abs(shift), -shift))
        return next(filter(None, (self._shifted_by(shift, factor) for shift in smallest_first)), None)

    def _shifted_by(self, shift: int, factor: float) -> str | None:
        def expected(step: int) -> float:
            return factor * self.first(step + shift)

        times = "" if factor == 1.0 else f"times {factor:g}, "
        shifted = f"shifted {count_steps(abs(shift))} {'earlier' if shift > 0 else 'later'}"
        text = f"the second is the first {times}{shifted}"
        last = self.steps[-1]
        # The values of the first after the end of the comparison are unknown.
        high = last - shift if shift > 0 and last < LAST_STEP else last
        if self.matches(expected, high=high):
            drops_warmup = shift == self.first_profile.peak_step and self.second_profile.peak_step == 0
            return f"{text}, so it has no warmup" if drops_warmup else text
        # If the curves were equal before that step, the second would repeat the first instead.
        if shift < 0 and self.first_step < -shift and self.matches(expected, low=-shift, high=high):
            return f"from step {-shift:,} on, {text}"
        return None

    def few_steps(self) -> str | None:
        found = []
        for step in self.steps:
            if not is_close(self.first(step), self.second(step)):
                found.append(step)
                # Beyond the dense steps, the steps between the samples may differ too.
                if len(found) > _MAX_LISTED or step >= DENSE_STEPS:
                    return None
        if len(self.steps) <= 2 * len(found):  # the curves differ at half of the steps or more
            return None
        if found == [0]:
            levels = instead_of(self.first(0), self.second(0))
            return f"the curves differ only at step 0: the second starts at {levels}"
        if len(found) == 1:
            return f"the curves differ only at step {found[0]:,}"
        return f"the curves differ only at steps {', '.join(f'{step:,}' for step in found[:-1])} and {found[-1]:,}"

    def one_ends(self) -> str | None:
        """One curve holds its end value, and the other continues."""
        step = first_step(lambda s: abs(self.first(s) - self.second(s)) > self.tolerance, self.steps)
        if not step:
            return None
        before = max(abs(self.first(s) - self.second(s)) for s in self.steps if s < step)
        for name, ended, other, continuing in (
            ("second", self.second_profile, "first", self.first),
            ("first", self.first_profile, "second", self.second),
        ):
            if ended.horizon is None or ended.horizon >= step:
                continue
            fell = any(a > b for a, b in pairwise(continuing(s) for s in self.steps if s <= ended.horizon))
            rises = continuing(step) > ended.end
            verb = "falls" if not rises else "rises again" if fell else "rises"
            until_then = f" (before that, they differ by at most {before:.2g})" if before else ""
            return (
                f"from step {ended.horizon:,} on, the {name} holds {ended.end:g} while the {other} {verb}{until_then}"
            )
        return None

    def clamped(self) -> str | None:
        second = self._clamped("second is the first", self.first, self.second)
        return second or self._clamped("first is the second", self.second, self.first)

    def _clamped(self, relation: str, curve: Curve, clamped: Curve) -> str | None:
        low, high = min(map(clamped, self.steps)), max(map(clamped, self.steps))
        if low == high or not self._has_many_values(curve):
            return None
        if low > 0 and self.matches(lambda step: max(curve(step), low), clamped):
            return f"the {relation}, clamped to at least {low:g}"
        if self.matches(lambda step: min(curve(step), high), clamped):
            return f"the {relation}, clamped to at most {high:g}"
        return None

    def linear_map(self) -> str | None:
        if not self._has_many_values(self.first):
            return None
        bottom, top = min(self.steps, key=self.first), self.first_profile.peak_step
        slope = (self.second(top) - self.second(bottom)) / (self.first(top) - self.first(bottom))
        offset = self.second(bottom) - slope * self.first(bottom)
        if not slope or not self.matches(lambda step: offset + slope * self.first(step)):
            return None
        times = "" if abs(slope) == 1 else f"{abs(slope):g} times "
        return f"the second is {offset:g} {'plus' if slope > 0 else 'minus'} {times}the first"

    def _has_many_values(self, curve: Curve) -> bool:
        """Whether a curve has too many values for two parameters to fit them by chance."""
        values = set()
        for step in self.steps:
            values.add(curve(step))
            if len(values) > 4:
                return True
        return False

    def arguments(self) -> str | None:
        found = list(_different_arguments(self.first.schedule, self.second.schedule))
        return f"the second has {' and '.join(found)}" if 0 < len(found) <= _MAX_LISTED else None


def _is_float32(number: float) -> bool:
    return array("f", [number])[0] == number


def _different_arguments(first: Any, second: Any) -> Iterator[str]:
    """The arguments in which two values of the same type differ, or those of the schedules inside them."""
    if type(first) is not type(second) or not isinstance(first, Value) or isinstance(first, Lift):
        return
    if not is_concrete(*leaves(first), *leaves(second)):
        return
    for name, one in first.arguments().items():
        other = second.arguments()[name]
        if one == other:
            continue
        ones, others = (value if isinstance(value, tuple) else (value,) for value in (one, other))
        pairs = zip(ones, others, strict=True) if len(ones) == len(others) else ()
        nested = [found for pair in pairs for found in _different_arguments(*pair)]
        is_short = len(f"{one!r}{other!r}") < _LONG_ARGUMENTS and not callable(one) and not callable(other)
        yield from nested or [f"{name}={other!r} instead of {one!r}" if is_short else f"a different `{name}`"]
