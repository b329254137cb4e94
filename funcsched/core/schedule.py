"""A schedule: a pure function from a step to a multiplier of the learning rate."""

from __future__ import annotations

from funcsched.core.validation import argument_error
from funcsched.core.value import Value, leaves, public_names, unflatten
from funcsched.numerics.dispatch import library, number_system_of
from funcsched.numerics.double_word import DoubleWord
from funcsched.numerics.number_system import MAX_STEP, is_concrete
from funcsched.numerics.python_numbers import FLOATS, INTEGERS
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Protocol, TypeVar, overload

    import numpy as np
    from numpy.typing import NDArray

    class _Array(Protocol):
        """An array of JAX or torch, which the core does not import."""

        @property
        def shape(self) -> Any: ...
        @property
        def dtype(self) -> Any: ...

    Array = TypeVar("Array", bound=_Array)
    Float = TypeVar("Float", bound=np.floating[Any])

_COUNTS = {"steps", "boundaries", "period", "timescale"}  # the fields of primitives and combinators that are counts
_HUGE_STEP = 10**300  # past the end of every schedule


class Schedule(Value):
    """A pure function ``multiplier = schedule(step)``, as an immutable value.

    ``step`` is the number of updates already made: the first update is step 0. The multiplier is a dimensionless factor
    of the peak learning rate. Negative steps give the value at step 0. After the end the last value is held
    indefinitely. Multipliers are never negative, and NaN only if the step is NaN.

    Args:
        step: number of updates already made (int, float, or an array of NumPy, JAX or torch). Arrays hold integers, or
            floats of at least 32 bits.

    Returns:
        A float for a Python number; for an array, an array of the same library, shape and device. A float step keeps
        its dtype; an integer step gives the library's default float dtype (NumPy: float64).

    Raises:
        TypeError: the step is not a number (for example, a bool), or a 16-bit float, which cannot represent all counts.

    Schedules compare by value, can be hashed and pickled, and print as the expression that builds them. For a schedule
    of your own, `lift` a function or compose schedules.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_linear(10, 100)
        >>> schedule
        warmup_linear(warmup_steps=10, total_steps=100)
        >>> [schedule(step) for step in (-1, 0, 5, 10, 55, 100, 1000)]
        [0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0]
    """

    __slots__ = ("_scalar",)
    # Whether `at` uses a lookup table, or is exact only with concrete arguments. `join` does not put the arguments of
    # such a schedule into a lookup table of its own.
    uses_table = False

    _scalar: Callable[[int], float] | None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        object.__setattr__(self, "_scalar", None)

    if TYPE_CHECKING:

        @overload
        def __call__(self, step: float) -> float: ...
        @overload
        def __call__(self, step: NDArray[Float]) -> NDArray[Float]: ...
        @overload
        def __call__(self, step: NDArray[np.integer[Any]]) -> NDArray[np.float64]: ...
        @overload
        def __call__(self, step: Float) -> Float: ...
        @overload
        def __call__(self, step: np.integer[Any]) -> np.float64: ...
        @overload
        def __call__(self, step: Array) -> Array: ...

    def __call__(self, step: Any) -> Any:
        # A training loop calls this at every step, so everything that depends on the schedule alone is computed once.
        if type(step) is int:
            scalar = self._scalar or self._prepare()
            try:
                return scalar(step)
            except OverflowError:  # the int is larger than the largest float
                return scalar(_HUGE_STEP if step > 0 else 0)
        return evaluate(self, step)

    def _repr_html_(self) -> str | None:
        from funcsched.plotting.notebook import html  # imported only in notebooks

        return html(self)

    def __dir__(self) -> list[str]:
        return public_names(self)

    def at(self, step: Step) -> Any:
        """The multiplier at a step of any number system."""
        raise NotImplementedError

    def stretched(self, factor: Any) -> Schedule:
        """The same curve, `factor` times as long. Most schedules override this and multiply their lengths exactly."""
        return DividedStep(self, factor)

    def scalar(self) -> Callable[[int], float]:
        """`at` as a function of a Python int. Everything that does not depend on the step is computed here."""
        return lambda step: float(self.at(Step(INTEGERS, step if step > 0 else 0)))

    def _prepare(self) -> Callable[[int], float]:
        """The function for Python ints, which is cached."""
        scalar = self.scalar() if is_concrete(*leaves(self)) else lambda step: evaluate(self, step)
        object.__setattr__(self, "_scalar", scalar)
        return scalar


def evaluate(value: Any, step: Any) -> Any:
    """A schedule at a step, or a shape at a fraction, of any library."""
    if isinstance(step, DoubleWord):  # the traced boundary of `then`, in JAX without x64
        return value.at(Step(step.xp, step))
    kind = library(step)
    if kind is None and (isinstance(step, bool) or not isinstance(step, (int, float))):
        raise argument_error(value.factory, "step", "a number or an array of numbers", step, TypeError)
    parameters = list(leaves(value))
    if kind is None and is_concrete(*parameters):
        if isinstance(step, float):
            return float(value.at(Step(FLOATS, 0.0 if step < 0 else MAX_STEP if step > MAX_STEP else float(step))))
        return float(value.at(Step(INTEGERS, max(int(step), 0))))
    if isinstance(step, int):
        step = min(max(step, 0), int(MAX_STEP))
    xp, step = number_system_of(step, parameters, list(step_counts(value)), value.factory)
    if not is_concrete(*parameters):
        value = unflatten(value, [n if is_concrete(n) else xp.parameter(n) for n in parameters])
    return xp.to_result(value.at(Step(xp, xp.from_step(step))))


def step_counts(value: Any) -> Iterator[Any]:
    """Every length and boundary in a schedule. For a recipe, these are those of its composition."""
    for part in walk(value):
        if part.composition() is None:
            for name in part.fields:
                if name in _COUNTS:
                    count = getattr(part, name)
                    yield from count if isinstance(count, tuple) else (count,)


class DividedStep(Schedule):
    """``schedule(step / factor)`` with a rounded division, if the schedule has no exact `stretched`.

    Unlike the factor of `stretch`, `factor` may be traced.
    """

    __slots__ = fields = ("schedule", "factor")
    factory = "stretch"
    uses_table = True

    schedule: Schedule
    factor: float

    def at(self, step: Step) -> Any:
        return self.schedule.at(step.divided_by(self.factor))


class Lift(Schedule):
    """A user's function of the step, as a schedule."""

    __slots__ = fields = ("function",)
    factory = "lift"
    static = frozenset(fields)

    function: Callable[[Any], Any]

    def at(self, step: Step) -> Any:
        return step.full(step.apply(self.function))

    def scalar(self) -> Callable[[int], float]:
        function = self.function
        return lambda step: float(function(step if step > 0 else 0))

    def __repr__(self) -> str:
        name = getattr(self.function, "__qualname__", None)
        text = f"{self.function.__module__}.{name}" if name else repr(self.function)
        return f"lift({text})"


def lift(function: Callable[[Any], Any]) -> Schedule:
    """Any function ``step -> multiplier`` as a schedule. A schedule is returned unchanged.

    ``lift(function)(step) == function(max(step, 0))``

    Args:
        function: function from a step to a multiplier. It is called with a Python number, or with an array of the
            library that the schedule is called with; integer steps stay integers. To run on arrays and under jit it
            must be vectorized: no ``if`` on the step. The library cannot validate its values.

    Returns:
        A schedule. It compares by the identity of the function, and can be pickled if the function can.

    Raises:
        TypeError: `function` is not callable.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.lift(lambda step: 0.5 ** (step // 10))
        >>> [schedule(step) for step in (-1, 0, 9, 10, 20)]
        [1.0, 1.0, 1.0, 0.5, 0.25]

    In other libraries:
        torch: LambdaLR
    """
    return as_schedule("lift", "function", function)


def as_schedule(function: str, argument: str, value: Any) -> Schedule:
    """The rule of an argument that is a schedule or a function of a step."""
    if isinstance(value, Schedule):
        return value
    if callable(value) and getattr(value, "takes_steps", True):  # a shape is callable, but with a fraction
        return Lift(value)
    fix = ""
    if isinstance(value, str):
        fix = "use fs.parse(...)"
    elif isinstance(value, dict):
        fix = "use fs.from_dict(...)"
    elif isinstance(getattr(value, "schedule", None), Schedule):  # a `Rated` of the bridges
        fix = "pass its `schedule`"
    raise argument_error(function, argument, "a schedule or a function of a step", value, TypeError, fix=fix)


def walk(value: Any) -> Iterator[Value]:
    """A schedule and every schedule and shape inside it, depth first. Recipes are followed by their compositions."""
    if isinstance(value, Value):
        yield value
        composition = value.composition()
        value = tuple(value.arguments().values()) if composition is None else (composition,)
    if isinstance(value, tuple):
        for item in value:
            yield from walk(item)
