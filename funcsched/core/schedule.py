"""A schedule: a pure function from a step to a multiplier of the learning rate."""

from __future__ import annotations

from funcsched.core.validation import argument_error, callable_
from funcsched.core.value import Value, leaves, unflatten
from funcsched.numerics.namespace import library, number_system_of
from funcsched.numerics.number_system import MAX_STEP, is_concrete
from funcsched.numerics.python_numbers import FLOATS, INTEGERS
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar, overload

    A = TypeVar("A")


class Schedule(Value):
    """A pure function ``multiplier = schedule(step)``, held as an immutable value.

    ``step`` is the number of updates already made: the first update is step 0. The multiplier is dimensionless, a
    factor of the peak (base) learning rate. Below step 0 the value at 0 holds, past the end the last value holds for
    ever. It is never negative, and NaN only where the step is NaN.

    Args:
        step: a Python int or float, or an array of NumPy, JAX or torch, of integers or of floats of 32 bits or more.

    Returns:
        A float for a Python number, and for an array one of the same library, shape and device. A float step keeps
        its dtype; an integer step gives the library's default float (NumPy: float64).

    Raises:
        TypeError: the step is no number (a bool, say), or a float of 16 bits, which cannot count.

    Schedules compare by value, hash, pickle and print as the expression that builds them. To write one of your own,
    `lift` a function, or compose.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_linear(10, 100)
        >>> schedule
        warmup_linear(warmup_steps=10, total_steps=100)
        >>> [schedule(step) for step in (-1, 0, 5, 10, 55, 100, 1000)]
        [0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0]
    """

    __slots__ = ("_scalar",)
    uses_table = False  # whether it holds rows of numbers that are looked up, or must know its numbers to be exact

    _scalar: Callable[[int], float] | None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        object.__setattr__(self, "_scalar", None)

    if TYPE_CHECKING:

        @overload
        def __call__(self, step: float) -> float: ...
        @overload
        def __call__(self, step: A) -> A: ...

    def __call__(self, step: Any) -> Any:
        # The path of a training loop: everything that depends on the schedule alone is computed once.
        if type(step) is int:
            scalar = self._scalar or self._prepare()
            try:
                return scalar(step)
            except OverflowError:  # an int that no float can hold
                return scalar(_HUGE if step > 0 else 0)
        return evaluate(self, step)

    def _repr_html_(self) -> str | None:
        from funcsched.plotting.figure import html  # for notebooks alone

        return html(self)

    def at(self, step: Step) -> Any:
        """The multiplier at a step of any number system."""
        raise NotImplementedError

    def stretched(self, factor: Any) -> Schedule:
        """The same curve where every step has become `factor` steps. Most nodes override it with exact products."""
        return DividedStep(self, factor)

    def scalar(self) -> Callable[[int], float]:
        """`at` for Python ints, with everything that does not depend on the step done beforehand."""
        return lambda step: float(self.at(Step(INTEGERS, step if step > 0 else 0)))

    def _prepare(self) -> Callable[[int], float]:
        scalar = self.scalar() if is_concrete(*leaves(self)) else lambda step: evaluate(self, step)
        object.__setattr__(self, "_scalar", scalar)
        return scalar


_HUGE = 10**300


def evaluate(value: Any, step: Any) -> Any:
    """`value.at` a step of any kind: a schedule, or a shape at a fraction."""
    kind = library(step)
    if kind is None and (isinstance(step, bool) or not isinstance(step, (int, float))):
        raise argument_error(value.factory, "step", "a number or an array of numbers", step, TypeError)
    arguments = list(leaves(value))
    if kind is None and is_concrete(*arguments):
        if isinstance(step, float):
            return float(value.at(Step(FLOATS, 0.0 if step < 0 else MAX_STEP if step > MAX_STEP else float(step))))
        return float(value.at(Step(INTEGERS, max(int(step), 0))))
    if isinstance(step, int):
        step = min(max(step, 0), int(MAX_STEP))
    xp, step = number_system_of(step, arguments, list(step_counts(value)), value.factory)
    if not is_concrete(*arguments):
        value = unflatten(value, iter([n if is_concrete(n) else xp.parameter(n) for n in arguments]))
    return xp.to_result(value.at(Step(xp, xp.from_step(step))))


def step_counts(value: Any) -> Iterator[Any]:
    """Every count of steps in a schedule: the lengths and boundaries of what a recipe is composed of."""
    for part in walk(value):
        if part.composition() is None:
            for name in part.fields:
                if name in _COUNTS:
                    count = getattr(part, name)
                    yield from count if isinstance(count, tuple) else (count,)


_COUNTS = {"steps", "boundaries", "period", "timescale"}  # fields of the schedules that recipes are made of


class DividedStep(Schedule):
    """A schedule of the step divided by a factor, which may be traced: what `stretched` falls back to."""

    __slots__ = fields = ("schedule", "factor")
    factory = "stretch"
    uses_table = True

    schedule: Schedule
    factor: float

    def at(self, step: Step) -> Any:
        return self.schedule.at(step.divided_by(self.factor))


class Lift(Schedule):
    """A function of a step as a schedule."""

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
        return f"lift({f'{self.function.__module__}.{name}' if name else repr(self.function)})"


def lift(function: Callable[[Any], Any]) -> Schedule:
    """Any function ``step -> multiplier`` as a schedule; a schedule is returned as it is.

    ``lift(function)(step) == function(max(step, 0))``

    Args:
        function: called with a Python number, or with an array of the library that the schedule is called with
            (integers stay integers). To run on arrays and under jit it must be written for them: no ``if`` on the
            step. It answers for its own values; those the library cannot know.

    Returns:
        A schedule. It compares by the identity of the function, and pickles where the function does.

    Raises:
        TypeError: `function` is not callable.

    Example:
        >>> import funcsched as fs
        >>> halving = fs.lift(lambda step: 0.5 ** (step // 10))
        >>> [halving(step) for step in (-1, 0, 9, 10, 20)]
        [1.0, 1.0, 1.0, 0.5, 0.25]
    """
    return as_schedule("lift", "function", function)


def as_schedule(function: str, argument: str, value: Any) -> Schedule:
    """The rule of an argument that is a schedule or any function of a step."""
    if not getattr(value, "takes_steps", True):
        raise argument_error(function, argument, "a schedule or a function of a step", value, TypeError)
    return value if isinstance(value, Schedule) else Lift(callable_(function, argument, value))


def walk(value: Any) -> Iterator[Value]:
    """A schedule and all schedules and shapes inside it."""
    if isinstance(value, Value):
        yield value
        body = value.composition()
        value = tuple(value.arguments().values()) if body is None else (body,)
    if isinstance(value, tuple):
        for item in value:
            yield from walk(item)
