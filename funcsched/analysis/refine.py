"""`refine`: a schedule from the gradient norms of a run."""

from __future__ import annotations

from statistics import median

from funcsched.combinators.interpolate import interpolate
from funcsched.combinators.time import stretch
from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    argument_error,
    concrete_positive_int,
    number_rule,
    optional,
    ratio,
    sequence,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_smoothing = number_rule("a number from 0 to 1", 0, 1)
_power = number_rule("a number above 0 and at most 2", 0, 2, above=True)
_MAX_NORMS = 1_000_000


def refine(
    gradient_norms: Iterable[float],
    *,
    steps: int | None = None,
    smoothing: float = 0.1,
    power: float = 2.0,
    points: int = 100,
) -> Schedule:
    """Derive a schedule for the next run from the gradient norms of a finished run.

    ``w(t) * (sum of w from t to the end)``, scaled to a peak of 1, with ``w = smoothed norm ** -power``

    Constant norms result in a straight line from 1 to 0. The multiplier is small where the norms are large, so norms
    that fall at the beginning of a run result in a warmup.

    Args:
        gradient_norms: the norm of the gradient at every update of a run, or at every n-th (at least 2 floats,
            1e-30 to 1e30). The run should have had a schedule close to the best known one.
        steps: number of steps of the schedule (int, 1 to 2**53). None uses the number of norms.
        smoothing: width of the median filter over the norms, as a fraction of their number (float, 0 to 1). 0 means no
            smoothing, so the schedule is as noisy as the norms.
        power: 2 for SGD and norms of the gradient in the Euclidean norm; 1 for Adam and norms in the 1-norm (float,
            above 0 and at most 2).
        points: number of straight pieces of the schedule (int, 1 to 2**53), at most one for each norm.

    Returns:
        A schedule: a `stretch` of an `interpolate`. It is 0 from step `steps` on.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.refine([2.0] * 1000, steps=100)
        >>> [schedule(step) for step in (0, 25, 50, 100)]
        [1.0, 0.75, 0.5, 0.0]
        >>> falling = fs.refine([2.0] * 500 + [1.0] * 500, steps=100, smoothing=0)
        >>> [falling(step) for step in (0, 50, 75, 100)]
        [0.3125, 1.0, 0.5, 0.0]

    Source: Defazio et al. 2023, arXiv:2310.07831. Its sum begins after t, so its last update has multiplier 0.
    """
    name = "refine"
    norms = sequence(name, "gradient_norms", gradient_norms, ratio, "numbers")
    if not 2 <= len(norms) <= _MAX_NORMS:
        requirement = f"from 2 to {_MAX_NORMS:,} numbers"
        fix = "use every n-th norm" if len(norms) > 2 else ""
        raise argument_error(name, "gradient_norms", requirement, len(norms), fix=fix)
    length = optional(concrete_positive_int)(name, "steps", steps) or len(norms)
    width = round(_smoothing(name, "smoothing", smoothing) * len(norms))
    exponent = _power(name, "power", power)
    pieces = min(concrete_positive_int(name, "points", points), len(norms))
    least = min(norms)
    weights = [(least / norm) ** exponent for norm in _median_filtered(norms, width)]
    levels = _levels(weights, pieces)
    peak = max(levels)
    schedule = interpolate(range(pieces + 1), [level / peak for level in levels])
    return stretch(schedule, length / pieces)


def _levels(weights: list[float], pieces: int) -> list[float]:
    """``w(t) * (integral of w from t to the end)`` at equal distances, where w is constant during each update."""
    remaining = [0.0]
    for weight in reversed(weights):
        remaining.append(remaining[-1] + weight)
    remaining.reverse()
    levels = []
    for i in range(pieces + 1):
        whole, part = divmod(i * len(weights), pieces)
        weight = weights[min(whole, len(weights) - 1)]
        levels.append(weight * (remaining[whole] - weight * part / pieces))
    return levels


def _median_filtered(norms: tuple[float, ...], width: int) -> list[float]:
    """The median of the `width` norms around each norm, with a smaller window at the ends."""
    half = width // 2
    if half == 0:
        return list(norms)
    # One median for each of at most 2,000 places, because a filter over every norm takes minutes for long runs.
    stride = max(1, len(norms) // 2_000, half // 50)
    centers = range(0, len(norms), stride)
    medians = [median(norms[max(center - half, 0) : center + half + 1]) for center in centers]
    return [medians[i // stride] for i in range(len(norms))]
