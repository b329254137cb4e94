"""Jumps of a curve: large changes from one step to the next that are not part of a steep ramp."""

from __future__ import annotations

from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from funcsched.analysis.sampling import Curve

_JUMP_RATIO = 1.5
_STEEP_RAMP = 3.0  # a change that is at most this many times its neighbors is part of a ramp
_LARGEST_RATIO = 1e12  # larger ratios are not reported as a number


def jump_steps(curve: Curve, steps: list[int], smallest: float) -> list[int]:
    """The steps at which a curve jumps by at least `smallest`, found from sorted sample steps."""

    def is_large(before: int, after: int) -> bool:
        change = abs(curve(after) - curve(before))
        return change >= smallest and value_ratio(curve(before), curve(after)) >= _JUMP_RATIO

    large = (steepest_step(curve, *pair) for pair in pairwise(steps) if is_large(*pair))
    return [step for step in large if is_large(step - 1, step) and is_jump(curve, step)]


def is_jump(curve: Curve, step: int) -> bool:
    """Whether a curve jumps from the step before to this step."""
    before, after = curve(step - 1), curve(step)
    change = after - before
    # An increase from step 0 to step 1 is a warmup of one step.
    if value_ratio(before, after) < _JUMP_RATIO or (step == 1 and change > 0):
        return False
    neighbors = before - curve(step - 2), curve(step + 1) - after
    same_direction = (abs(other) for other in neighbors if other * change > 0)
    return abs(change) > _STEEP_RAMP * max(same_direction, default=0.0)


def value_ratio(first: float, second: float) -> float:
    """The larger of two nonnegative values divided by the smaller; infinity if the ratio is too large to report."""
    low, high = min(first, second), max(first, second)
    if low == high:
        return 1.0
    return high / low if low > 0 and high / low < _LARGEST_RATIO else float("inf")


def steepest_step(curve: Curve, low: int, high: int) -> int:
    """The step after `low`, up to `high`, at which the value changes most from the step before, found by bisection."""
    while high - low > 1:
        middle = (low + high) // 2
        left, right = abs(curve(middle) - curve(low)), abs(curve(high) - curve(middle))
        low, high = (low, middle) if left >= right else (middle, high)
    return high
