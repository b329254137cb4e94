"""The interface of a shape, and shapes made from a user's function.

A shape provides two weights: `rise` goes from 0 to 1, and `fall` is 1 - rise. They have separate formulas, because each
must be accurate where it is close to 0, and a difference from 1 is not.

``rise(xp, steps)`` computes what depends on the length of the phase alone, and returns a function of two step counts,
which a training loop calls at every step: ``rise(xp, steps)(elapsed, remaining)``. For `fall` the counts are swapped:
``fall(xp, steps)(remaining, elapsed)``. A weight is exactly 0 where its first count is 0. Where its second count is 0,
it is 1 up to rounding, and `Ramp` makes that end exact.
"""

from __future__ import annotations

from funcsched.core.schedule import Schedule, call_function, evaluate
from funcsched.core.validation import argument_error
from funcsched.core.value import Value, public_names
from funcsched.numerics.dispatch import library
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, overload

    from funcsched.core.schedule import Array
    from funcsched.numerics.number_system import NumberSystem, Weight


_END_TOLERANCE = 1e-6  # of a user's function, which may compute in float32


class Shape(Value):
    """A curve from 0 to 1, as a function of the elapsed fraction of a phase. It is the `shape` of a `ramp`.

    ``shape(0) == 0`` and ``shape(1) == 1``

    Args:
        fraction: elapsed fraction of the phase (float, or an array of floats), clamped to 0 to 1.

    Returns:
        The weight, 0 to 1: a float for a Python number; for an array, an array of the same library and dtype.

    Example:
        >>> import funcsched as fs
        >>> fs.cosine(0.0), fs.linear(0.25), fs.power(2)(0.5), fs.cosine(1.0)
        (0.0, 0.25, 0.25, 1.0)
    """

    __slots__ = ()
    takes_steps = False  # a shape takes fractions, so `as_schedule` must not accept it as a function of the step
    symmetric = False  # whether `fall` and `rise` are the same function
    exact = False  # with concrete `steps`, weights never exceed 1, and are exactly 1 where the curve is 1

    def __dir__(self) -> list[str]:
        return public_names(self)

    def _repr_html_(self) -> str | None:
        from funcsched.plotting.notebook import shape_html  # imported only in notebooks

        return shape_html(self)

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        """The weight from 0 to 1 in a phase of `steps` steps, in the number system `xp`."""
        raise NotImplementedError

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        """The weight ``1 - rise``, whose first count is the remaining steps."""
        raise NotImplementedError

    def weights(self, xp: NumberSystem, steps: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
        """Both weights, exact at both ends: a function of the elapsed and the remaining steps.

        `Reverse` and `Compose` override it. Nested ones would otherwise evaluate the innermost shape twice as often at
        each level.
        """
        rise, fall = _one_at_end(xp, self.rise(xp, steps)), _one_at_end(xp, self.fall(xp, steps))
        return lambda elapsed, remaining: (rise(elapsed, remaining), fall(remaining, elapsed))

    def stretched(self, factor: Any) -> Shape:
        """The same curve in a phase that is `factor` times as long. Most shapes depend on the fraction alone."""
        return self

    def at(self, step: Step) -> Any:
        """The weight at a fraction, which is a count in a phase of one step."""
        elapsed, remaining = step.phase(1)
        value = step.xp.minimum(self.rise(step.xp, 1)(elapsed, remaining), 1.0)
        return value if self.exact else step.xp.where(remaining <= 0, 1.0, value)

    if TYPE_CHECKING:

        @overload
        def __call__(self, fraction: float) -> float: ...
        @overload
        def __call__(self, fraction: Array) -> Array: ...

    def __call__(self, fraction: Any) -> Any:
        return evaluate(self, fraction)


def _one_at_end(xp: NumberSystem, weight: Weight) -> Weight:
    """The same weight, exactly 1 where the second count is 0."""
    return lambda count, other: xp.where(other <= 0, 1.0, weight(count, other))


class SymmetricShape(Shape):
    """A curve with ``shape(1 - u) == 1 - shape(u)``."""

    __slots__ = ()
    symmetric = True

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        return self.rise(xp, steps)


class Custom(Shape):
    """A user's function of the fraction, which is 0 at 0 and 1 at 1 up to rounding. Its ends are set to 0 and 1."""

    __slots__ = fields = ("function",)
    factory = "shape"
    static = frozenset(fields)

    function: Callable[[Any], Any]

    def __repr__(self) -> str:
        return repr(self.function)

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        value, fraction = self._value, xp.fraction(steps)
        return lambda elapsed, remaining: xp.where(elapsed <= 0, 0.0, value(fraction(elapsed, remaining)))

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        value, fraction = self._value, xp.fraction(steps)
        return lambda remaining, elapsed: xp.where(remaining <= 0, 0.0, 1.0 - value(fraction(elapsed, remaining)))

    def _value(self, fraction: Any) -> Any:
        return call_function(self.factory, self.function, fraction)


def as_shape(function: str, argument: str, value: Any) -> Shape:
    """The rule of an argument that is a shape or a function of the fraction."""
    if not callable(value) or isinstance(value, Schedule):  # a schedule is callable, but with a step
        fix = "pass a shape such as fs.cosine; `funcsched list` shows all shapes" if isinstance(value, str) else ""
        raise argument_error(function, argument, "a shape or a function of the fraction", value, TypeError, fix=fix)
    if isinstance(value, Shape):
        return value
    for fraction in (0.0, 1.0):
        weight = _weight_at(function, argument, value, fraction)
        if weight is not None and not abs(weight - fraction) <= _END_TOLERANCE:
            requirement = f"{fraction:g} at fraction {fraction:g}"
            fix = "for other curves use fs.curve(function, steps=...)"
            raise argument_error(function, argument, requirement, weight, fix=fix)
    return Custom(value)


def _weight_at(function: str, argument: str, shape: Callable[[Any], Any], fraction: float) -> float | None:
    """The value of a user's function at a fraction; None if JAX traces it."""
    try:
        weight = shape(fraction)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise ValueError(
            f"{function}: `{argument}` must accept Python numbers and arrays, but fails at {fraction} ({reason})"
        ) from error
    try:
        return float(weight)
    except (TypeError, ValueError) as error:
        if library(weight) == "jax":
            return None
        raise argument_error(function, argument, "a function that returns a number", weight, TypeError) from error
