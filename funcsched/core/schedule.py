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
    from typing import Any, ClassVar, Protocol, TypeVar, overload

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
    indefinitely. Multipliers are never outside the range of the levels, and NaN only if the step is NaN.

    Args:
        step: number of updates already made (int, float, or an array of NumPy, JAX or torch). Arrays hold integers, or
            floats of at least 32 bits.

    Returns:
        A float for a Python number; for an array, an array of the same library, shape and device. A float step keeps
        its dtype; an integer step gives the library's default float dtype (NumPy: float64).

    Raises:
        TypeError: the step is not a number (for example, a bool), or a 16-bit float, which cannot represent all counts.

    Schedules compare by value, can be hashed and pickled, and print as the expression that builds them. For a schedule
    of your own, `lift` a function or compose schedules. ``2 * schedule`` is a `scale`, ``first * second`` a `product`,
    and ``first + second`` a sum (`add`).

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

    __array_ufunc__ = None  # so that NumPy leaves `array * schedule` to `__rmul__`

    def __mul__(self, other: Schedule | Callable[[Any], Any] | float) -> Schedule:
        if callable(other):
            return _combined("product", self, other)
        return _combined("scale", self, other) if _is_number(other) else NotImplemented

    def __rmul__(self, other: Callable[[Any], Any] | float) -> Schedule:
        if callable(other):
            return _combined("product", other, self)
        return _combined("scale", self, other) if _is_number(other) else NotImplemented

    def __add__(self, other: Schedule | Callable[[Any], Any] | float) -> Schedule:
        return _combined("add", self, other) if callable(other) or _is_number(other) else NotImplemented

    def __radd__(self, other: Callable[[Any], Any] | float) -> Schedule:
        return _combined("add", other, self) if callable(other) or _is_number(other) else NotImplemented

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


def _combined(name: str, *operands: Any) -> Schedule:
    """The result of a function of `combinators.algebra`, which is imported here because it imports this module."""
    from funcsched.combinators import algebra

    result: Schedule = getattr(algebra, name)(*operands)
    return result


def _is_number(value: Any) -> bool:
    """Whether a value is a number or an array, as opposed to an operand that no schedule knows."""
    return isinstance(value, (int, float)) or library(value) is not None


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

    __slots__ = ("function",)
    fields: ClassVar[tuple[str, ...]] = __slots__  # subclasses have more
    factory = "lift"
    static = frozenset(__slots__)

    function: Callable[[Any], Any]

    def at(self, step: Step) -> Any:
        # Floats, because integers of 32 bits wrap in a product of two steps.
        return step.full(call_function(self.factory, self.function, step.xp.to_float(step.count)))

    def scalar(self) -> Callable[[int], float]:
        function = self.function

        def value(step: int) -> float:
            result = function(step if step > 0 else 0)
            return result if type(result) is float else _returned_number("lift", result)

        return value

    def function_name(self) -> str:
        name = getattr(self.function, "__qualname__", None)
        return f"{self.function.__module__}.{name}" if name else repr(self.function)

    def __repr__(self) -> str:
        return f"lift({self.function_name()})"


def call_function(name: str, function: Callable[[Any], Any], argument: Any) -> Any:
    """A user's function at a Python number or an array. `name` is what errors call it."""
    if isinstance(argument, (int, float)):
        return _returned_number(name, function(argument))
    try:
        result = function(argument)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise TypeError(
            f"{name}: the function fails on a {library(argument)} array ({type(error).__name__}: {reason}); use "
            "functions of arrays and no `if`, or fs.tabulate, which calls the function with Python numbers"
        ) from error
    return result if library(result) else _returned_number(name, result)


def _returned_number(name: str, value: Any) -> float:
    """The value of a user's function as a float."""
    if isinstance(value, (str, bytes)):
        raise argument_error(name, "function", "a function that returns a number", value, TypeError)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise argument_error(name, "function", "a function that returns a number", value, TypeError) from error


def lift(function: Callable[[Any], Any]) -> Schedule:
    """Any function ``step -> multiplier`` as a schedule. A schedule is returned unchanged.

    ``lift(function)(step) == function(max(step, 0))``

    Args:
        function: function from a step to a multiplier. For a Python number it is called with that number. For an array
            it is called with floats of the same library, because products of integers may overflow: float64, or
            float32 in JAX without x64, which is exact up to 2**24. To run on arrays and under jit it must be
            vectorized: no ``if`` on the step. The library cannot validate its values.

    Returns:
        A schedule. It compares by the identity of the function, and can be pickled if the function can.

    Raises:
        TypeError: `function` is not callable. Later, when the schedule is called: the function fails on an array, or
            does not return a number.

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
    is_recipe = hasattr(value, "__wrapped__") and str(value.__module__).startswith("funcsched.recipes.")
    has_peak = isinstance(getattr(value, "schedule", None), Schedule)  # `Rated`, or the result of `to_optax`
    is_function = callable(value) and getattr(value, "takes_steps", True)  # a shape takes a fraction
    if is_function and not is_recipe and not has_peak:
        return Lift(value)
    fix = ""
    if is_recipe:
        fix = f"call it with its arguments: {value.__name__}(...)"
    elif isinstance(value, str):
        fix = "use fs.parse(...)"
    elif isinstance(value, dict):
        fix = "use fs.from_dict(...)"
    elif has_peak:
        fix = "pass its `schedule`, which does not contain the peak value"
    elif isinstance(getattr(value, "curves", None), dict):  # a `Plan`
        fix = "pass the schedule of one of its curves, such as plan.curves['lr'].schedule"
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
