"""Any function of the fraction of a phase, as a schedule."""

from __future__ import annotations

from funcsched.core.schedule import Lift, Schedule, call_function
from funcsched.core.validation import validated
from funcsched.numerics.number_system import is_concrete
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Curve(Lift):
    """A user's function, like `Lift`, but of a fraction."""

    __slots__ = ("steps",)
    fields = ("function", "steps")
    factory = "curve"
    static = frozenset({"function"})

    steps: int

    def at(self, step: Step) -> Any:
        xp, steps = step.xp, self.steps
        elapsed, remaining = step.phase(steps)
        if is_concrete(steps):
            fraction = xp.fraction(steps)(elapsed, remaining) if steps else xp.to_float(elapsed)
        else:
            fraction = xp.fraction(xp.maximum(steps, 1))(elapsed, remaining)
        fraction = xp.where(remaining <= 0, 1.0, fraction)  # exactly, also where the division is rounded
        return step.full(call_function(self.factory, self.function, fraction))

    def stretched(self, factor: Any) -> Schedule:
        return Curve(self.function, self.steps * factor)

    def scalar(self) -> Callable[[int], float]:
        return Schedule.scalar(self)

    def __repr__(self) -> str:
        return f"curve({self.function_name()}, steps={self.steps!r})"


def curve(function: Callable[[Any], Any], *, steps: int) -> Schedule:
    """Any function of the elapsed fraction of a phase. Before and after the phase, its values at 0 and 1 are held.

    ``function(step / steps)``

    Args:
        function: function from the elapsed fraction, 0 to 1, to a multiplier. It is called with a Python float or an
            array of floats. To run on arrays and under jit it must be vectorized: no ``if`` on the fraction. The
            library cannot validate its values.
        steps: length of the phase (int, 0 to 2**53). With 0, the schedule is constant at ``function(1)``.

    Returns:
        A schedule. It compares by the identity of the function, and can be pickled if the function can.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range. Later, when the schedule is called:
            the function fails on an array, or does not return a number.

    Example:
        >>> import funcsched as fs
        >>> ramp_up = fs.curve(lambda u: 2.718281828459045 ** (-5 * (1 - u) ** 2), steps=100)
        >>> [round(ramp_up(step), 4) for step in (0, 50, 100, 101)]
        [0.0067, 0.2865, 1.0, 1.0]

    Source: the example is the ramp-up of Laine and Aila 2016, arXiv:1610.02242, section 2.1.
    """
    return Curve(*validated("curve", function=function, steps=steps))
