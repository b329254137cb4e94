"""Interpolation between levels that are given at some steps."""

from __future__ import annotations

from funcsched.combinators.monotone_cubic import cubic_ramps
from funcsched.combinators.sequence import Join
from funcsched.core.recipe import Recipe
from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error, boolean, level, nonnegative_int, require_increasing, sequence
from funcsched.numerics.number_system import is_concrete
from funcsched.primitives.ramp import Constant, Ramp
from funcsched.shapes.basic import linear
from funcsched.shapes.shape import Shape, as_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar


class Interpolate(Recipe):
    """A recipe without `@recipe`, because its arguments are sequences whose lengths depend on each other."""

    __slots__ = fields = ("boundaries", "levels", "shape", "smooth")
    factory = "interpolate"
    uses_table = True
    defaults: ClassVar[dict[str, Any]] = {"shape": linear, "smooth": False}
    static = frozenset({"shape", "smooth"})

    boundaries: tuple[int, ...]
    levels: tuple[float, ...]
    shape: Shape | tuple[Shape, ...]
    smooth: bool

    @staticmethod
    def compose(
        boundaries: tuple[int, ...], levels: tuple[float, ...], shape: Shape | tuple[Shape, ...], smooth: bool
    ) -> Schedule:
        """A join of ramps, after a constant unless the first boundary is 0."""
        intervals = len(boundaries) - 1
        shapes = shape if isinstance(shape, tuple) else (shape,) * intervals
        schedules: list[Schedule] = (
            cubic_ramps(boundaries, levels)
            if smooth
            else [
                Ramp(levels[i], levels[i + 1], boundaries[i + 1] - boundaries[i], shapes[i]) for i in range(intervals)
            ]
        )
        if intervals and is_concrete(boundaries[0]) and boundaries[0] == 0:
            return Join(tuple(schedules), boundaries[1:-1])
        return Join((Constant(levels[0]), *schedules), boundaries[:-1])

    def __reduce__(self) -> tuple[Any, ...]:
        return Schedule.__reduce__(self)  # that of `Recipe` calls the function that `@recipe` made


class SmoothInterpolate(Interpolate):
    """Its slopes are computed in advance, so the boundaries and levels must be concrete."""

    __slots__ = ()
    static = frozenset(Interpolate.fields)


def interpolate(
    boundaries: Iterable[int],
    levels: Iterable[float],
    *,
    shape: Shape | Callable[[Any], Any] | Iterable[Shape | Callable[[Any], Any]] = linear,
    smooth: bool = False,
) -> Schedule:
    """Interpolation between given levels at given steps.

    ``ramp(levels[i], levels[i + 1], steps=boundaries[i + 1] - boundaries[i], shape=shape)`` from ``boundaries[i]`` on.
    With `smooth`, a monotone cubic spline (PCHIP): it has no kinks, and does not overshoot the levels.

    Args:
        boundaries: steps at which the levels are given (ints, 0 to 2**53), increasing; at least one.
        levels: multiplier at each boundary (floats). The first one is held before its boundary, and the
            last one after its boundary.
        shape: the shape of all intervals, or a sequence of one shape for each interval.
        smooth: whether the curve is a monotone cubic spline (bool). Then `shape` must be `linear`, and JAX cannot trace
            `boundaries` and `levels`.

    Returns:
        A schedule, exact at every boundary. A thousand intervals trace and compile as fast as ten. With `smooth`, its
        error is at most 8 ulp, and that of the larger level where the levels have different signs.

    Raises:
        TypeError, ValueError: an argument has the wrong type or length, is out of range or not increasing.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.interpolate([0, 20, 100], [0.25, 1.0, 0.5], shape=[fs.linear, fs.cosine])
        >>> [schedule(step) for step in (0, 10, 20, 60, 100, 101)]
        [0.25, 0.625, 1.0, 0.75, 0.5, 0.5]
        >>> fs.interpolate([0, 20, 60, 100], [0.0, 1.0, 0.25, 0.0], smooth=True)(40)
        0.671875

    In other libraries:
        optax: piecewise_interpolate_schedule
        Scenic: piecewise_linear, from 1 at step 0
        SciPy: PchipInterpolator, with `smooth`
        ignite: PiecewiseLinear (milestones_values)
        RLlib: PiecewiseSchedule, a list of `[step, value]`

    Source: optax.piecewise_interpolate_schedule. big_vision and Scenic interpolate as well. `smooth` is the method of
    Fritsch and Butland 1984, doi:10.1137/0905021.
    """
    name = "interpolate"
    boundaries = sequence(name, "boundaries", boundaries, nonnegative_int, "integers")
    levels = sequence(name, "levels", levels, level, "numbers")
    if not boundaries:
        raise argument_error(name, "boundaries", "a non-empty sequence of integers", [])
    require_increasing(name, "boundaries", boundaries)
    if len(levels) != len(boundaries):
        raise argument_error(name, "levels", f"as long as `boundaries` ({len(boundaries)})", list(levels))
    shapes: Any
    if callable(shape) or not hasattr(shape, "__iter__"):
        shapes = as_shape(name, "shape", shape)
    else:
        shapes = sequence(name, "shape", shape, as_shape, "shapes")
        if len(shapes) != len(boundaries) - 1:
            requirement = f"one shape, or a sequence of length {len(boundaries) - 1} for {len(boundaries)} boundaries"
            raise argument_error(name, "shape", requirement, list(shapes))
    if boolean(name, "smooth", smooth):
        if shapes is not linear:
            raise argument_error(name, "shape", "linear if `smooth` is True", shape)
        for argument, numbers in ("boundaries", boundaries), ("levels", levels):
            if not is_concrete(*numbers):
                raise argument_error(name, argument, "Python numbers if `smooth` is True", list(numbers), TypeError)
    schedule = (SmoothInterpolate if smooth else Interpolate)(boundaries, levels, shapes, smooth)
    object.__setattr__(schedule, "_composition", schedule.composition())
    return schedule
