"""A rise to 1 without an end."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.validation import validated
from funcsched.numerics.double_word import ONE
from funcsched.numerics.number_system import is_concrete
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TIMESCALES_TO_ONE = 40  # exp(-40) is below half an ulp of 1


class SaturatingExponential(Schedule):
    __slots__ = fields = ("timescale",)
    factory = "saturating_exponential"

    timescale: int

    def stretched(self, factor: Any) -> Schedule:
        return SaturatingExponential(self.timescale * factor)

    def at(self, step: Step) -> Any:
        xp, timescale = step.xp, self.timescale
        largest: Any = xp.largest_count
        if is_concrete(timescale):
            largest = min(largest, _TIMESCALES_TO_ONE * timescale)
        hi, lo = xp.scaled_fraction(ONE, timescale, largest)(xp.minimum(step.count, largest))
        return -xp.expm1(-hi) + xp.exp(-hi) * lo


def saturating_exponential(timescale: int) -> Schedule:
    """A rise from 0 to 1 whose distance from 1 decays exponentially.

    ``1 - exp(-step / timescale)``

    Args:
        timescale: number of steps in which the distance from 1 shrinks by a factor of e (int, 1 to 2**53).

    Returns:
        A schedule without an end. It rounds to 1 after about 40 times `timescale`.

    Raises:
        TypeError, ValueError: `timescale` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.saturating_exponential(20)
        >>> [round(schedule(step), 6) for step in (0, 20, 100, 1000)]
        [0.0, 0.632121, 0.993262, 1.0]

    In other libraries:
        pytorch_warmup: ExponentialWarmup, UntunedExponentialWarmup; `timescale` is warmup_period, at `step + 1`
        k-diffusion: the warmup of InverseLR, as `lerp(exponential_decay(warmup), 1, 0)`, at `step + 1`

    Source: Ma and Yarats 2019, arXiv:1910.04209 (exponential warmup); pytorch_warmup.
    """
    return SaturatingExponential(*validated("saturating_exponential", timescale=timescale))
