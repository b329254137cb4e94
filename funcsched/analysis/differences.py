"""The differences between the phases of two curves, as sentences."""

from __future__ import annotations

from funcsched.analysis.profile import Phase, Profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORT_HOLD = 1e-6  # of the decay: a shorter hold results from rounding near a flat peak


def distinct_texts(first: float, second: float) -> tuple[str, str]:
    """Two numbers as text, with as few digits as distinguish them (at least 6)."""
    for digits in range(6, 17):
        texts = f"{first:.{digits}g}", f"{second:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(first), repr(second)


def instead_of(first: float, second: float) -> str:
    texts = distinct_texts(first, second)
    return f"{texts[1]} instead of {texts[0]}"


def count_steps(steps: int) -> str:
    return "one step" if steps == 1 else f"{steps:,} steps"


class ProfileDifferences:
    """What differs between the phases of two curves. Multipliers within `tolerance` count as equal."""

    def __init__(self, first: Profile, second: Profile, tolerance: float) -> None:
        self.first, self.second, self.tolerance = first, second, tolerance
        self._are_unimodal = first.is_unimodal and second.is_unimodal

    def complete(self, *, named_shapes: bool) -> str | None:
        """All differences, or None if the curves may have other differences.

        Args:
            named_shapes: whether to return None if the shapes of a phase differ and one of them has no name.
        """
        if not self._are_unimodal:
            return None
        warmup = self._shape("warmup", self.first.warmup, self.second.warmup, named_shapes)
        if self.first.decay is None or self.second.decay is None:
            decay = "" if self._have_same_endless_decay() else None
        else:
            decay = self._shape("decay", self.first.decay, self.second.decay, named_shapes)
        if warmup is None or decay is None:
            return None
        return "; ".join(filter(None, [*self.levels_and_lengths(), warmup, decay])) or None

    def _shape(self, name: str, first: Phase | None, second: Phase | None, named_shapes: bool) -> str | None:
        """The difference between the shapes of a phase: empty if there is none, None if it cannot be described."""
        if first is None or second is None:
            return ""
        has_same_shape = first.has_shape_of(second)
        if has_same_shape is None:
            return None
        if has_same_shape:
            return ""
        names = first.shape_name(), second.shape_name()
        if all(names):
            return f"the {name} of the second has a different shape: {names[1]} instead of {names[0]}"
        return None if named_shapes else f"the {name} of the second has a different shape"

    def _have_same_endless_decay(self) -> bool:
        """Whether both curves decay without an end, and in proportion to their peaks."""
        first, second = self.first, self.second
        if first.decay is not None or second.decay is not None:
            return False
        length = first.steps[-1] - max(first.hold_end, second.hold_end)
        tolerance = self.tolerance * max(first.peak, second.peak)
        return length > 0 and all(
            abs(first.curve(first.hold_end + step) * second.peak - second.curve(second.hold_end + step) * first.peak)
            <= tolerance
            for step in first.steps
            if step <= length
        )

    def levels_and_lengths(self) -> Iterator[str]:
        """The differences in the levels and lengths of the phases."""
        first, second = self.first, self.second
        if self._are_unimodal and first.warmup and not second.warmup:
            yield "the second has no warmup"
        elif self._are_unimodal and second.warmup and not first.warmup:
            yield f"the second has a warmup of {count_steps(second.peak_step)}, the first has none"
        else:
            if self._differ(first.start, second.start):
                yield f"the second starts at {instead_of(first.start, second.start)}"
            if first.peak_step != second.peak_step:
                shift = _shift(first.peak_step, second.peak_step)
                yield f"the second reaches its peak {shift} (step {second.peak_step:,} instead of {first.peak_step:,})"
        if self._differ(first.peak, second.peak):
            yield f"the peak of the second is {instead_of(first.peak, second.peak)}"
        if not self._are_unimodal:
            yield from self._end_level()
        # Two curves that hold their peaks indefinitely have no hold and no end to compare.
        elif first.peak_step != first.horizon or second.peak_step != second.horizon:
            yield from self._hold()
            yield from self._end_level()
            yield from self._horizon()

    def _hold(self) -> Iterator[str]:
        first, second = self.first, self.second
        if first.horizon is None or second.horizon is None:
            return
        decay = min(first.horizon - first.hold_end, second.horizon - second.hold_end)
        first_hold, second_hold = first.hold_end - first.peak_step, second.hold_end - second.peak_step
        if decay <= 0 or first_hold == second_hold or max(first_hold, second_hold) <= decay * _SHORT_HOLD:
            return
        if not second_hold:
            yield f"the second does not hold its peak, the first holds it for {count_steps(first_hold)}"
        elif not first_hold:
            yield f"the second holds its peak for {count_steps(second_hold)}, the first does not"
        else:
            yield f"the second holds its peak for {count_steps(second_hold)} instead of {first_hold:,}"

    def _end_level(self) -> Iterator[str]:
        first, second = self.first, self.second
        if first.horizon is not None and second.horizon is not None and self._differ(first.end, second.end):
            yield f"the second ends at {instead_of(first.end, second.end)}"

    def _horizon(self) -> Iterator[str]:
        first, second = self.first, self.second
        if first.horizon is None or second.horizon is None or first.horizon == second.horizon:
            return
        difference = abs(first.horizon - second.horizon)
        if difference == first.peak_step == second.peak_step and difference < min(first.horizon, second.horizon):
            yield (
                f"the horizons differ by the length of the warmup: {first.horizon:,} in the first, {second.horizon:,} "
                "in the second (some libraries count the warmup as part of the length, others do not)"
            )
            return
        steps = f"step {second.horizon:,} instead of {first.horizon:,}"
        yield f"the second ends {_shift(first.horizon, second.horizon)} ({steps})"

    def rise_after_peak(self) -> Iterator[str]:
        """The difference between the steps at which the curves rise again after the peak."""
        first, second = self.first.rise_after_peak(), self.second.rise_after_peak()
        if first is None and second is not None:
            yield f"the second rises again at step {second:,}, the first never does"
        elif second is None and first is not None:
            yield f"the first rises again at step {first:,}, the second never does"
        elif first != second:
            yield f"the second rises again at step {second:,} instead of {first:,}"

    def _differ(self, first: float, second: float) -> bool:
        return abs(first - second) > self.tolerance


def _shift(first: int, second: int) -> str:
    return f"{count_steps(abs(first - second))} {'earlier' if second < first else 'later'}"
