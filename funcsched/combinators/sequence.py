"""Schedules one after another."""

from __future__ import annotations

from bisect import bisect_right

from funcsched.core.schedule import Schedule, as_schedule, walk
from funcsched.core.validation import argument_error, level, nonnegative_int, require_increasing, sequence, validated
from funcsched.core.value import leaves, treedef, unflatten
from funcsched.numerics.number_system import is_concrete
from funcsched.numerics.step import Step
from funcsched.primitives.ramp import Constant, Ramp
from funcsched.shapes.formulas import linear
from funcsched.shapes.shape import Shape, as_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar

# Up to here selections nested in each other are faster than tables, and compile to fewer instructions.
MAX_NESTED = 4


class Join(Schedule):
    __slots__ = fields = ("schedules", "boundaries")
    factory = "join"

    schedules: tuple[Schedule, ...]
    boundaries: tuple[int, ...]

    def at(self, step: Step) -> Any:
        if is_concrete(step.count):  # only one piece is evaluated
            piece = bisect_right(self.boundaries, step.count)
            return self.schedules[piece].at(step.since((0, *self.boundaries)[piece]))
        # Inside a table of another join the numbers are arrays already, and there is no table of tables.
        if len(self.schedules) <= MAX_NESTED or any(getattr(number, "ndim", 0) for number in leaves(self)):
            return self._nested(step)
        return self._tabled(step)

    def _nested(self, step: Step) -> Any:
        value = None
        for schedule, begin in zip(self.schedules, (0, *self.boundaries), strict=True):
            piece = schedule.at(step.since(begin))
            value = piece if value is None else step.xp.where(step.is_before(begin), value, piece)
        return value

    def _tabled(self, step: Step) -> Any:
        """Every kind of piece is evaluated once, with its numbers looked up in a table."""
        xp = step.xp
        index = step.index(self.boundaries)
        local = step.since(xp.lookup((0, *self.boundaries), index))
        kinds = [treedef(schedule) for schedule in self.schedules]
        numbered: dict[Any, float] = {}  # floats, because integers would be looked up as counts
        kind = xp.lookup([numbered.setdefault(key, float(len(numbered))) for key in kinds], index)
        value = None
        for key, place in numbered.items():
            members = [schedule if own == key else None for schedule, own in zip(self.schedules, kinds, strict=True)]
            first = next(schedule for schedule in members if schedule is not None)
            if any(isinstance(part, Schedule) and part.uses_table for part in walk(first)):
                value = self._alone(step, index, members, value)
                continue
            # Rows of other kinds are never selected, but the table needs a number there.
            columns = zip(*(leaves(schedule or first) for schedule in members), strict=True)
            piece = unflatten(first, iter([xp.lookup(column, index) for column in columns])).at(local)
            value = piece if value is None else xp.where(kind == place, piece, value)
        return value

    def _alone(self, step: Step, index: Any, members: list[Schedule | None], value: Any) -> Any:
        """Pieces that have rows of numbers of their own: there is no table of tables."""
        for i, (schedule, begin) in enumerate(zip(members, (0, *self.boundaries), strict=True)):
            if schedule is not None:
                piece = schedule.at(step.since(begin))
                value = piece if value is None else step.xp.where(index == i, piece, value)
        return value

    def stretched(self, factor: Any) -> Schedule:
        pieces = tuple(schedule.stretched(factor) for schedule in self.schedules)
        return Join(pieces, tuple(boundary * factor for boundary in self.boundaries))

    def scalar(self) -> Callable[[int], float]:
        pieces = [schedule.scalar() for schedule in self.schedules]
        boundaries = self.boundaries
        if boundaries and boundaries[0] == 0:
            pieces, boundaries = pieces[1:], boundaries[1:]
        if len(pieces) == 1:
            return pieces[0]
        if len(pieces) == 2:
            (boundary,), (first, second) = boundaries, pieces
            return lambda step: first(step) if step < boundary else second(step - boundary)
        begins = (0, *boundaries)

        def value(step: int) -> float:
            piece = bisect_right(boundaries, step)
            return pieces[piece](step - begins[piece])

        return value


def join(schedules: Iterable[Schedule | Callable[[Any], Any]], boundaries: Iterable[int]) -> Schedule:
    """One schedule after another, each counting from its own beginning.

    ``schedules[i](step - boundaries[i - 1])`` for ``boundaries[i - 1] <= step < boundaries[i]``

    Args:
        schedules: schedules or functions of a step, at least one.
        boundaries: the step at which each but the first begins, integers, increasing; one fewer than schedules.
            A first boundary of 0 leaves the first schedule out.

    Returns:
        A schedule. On arrays two to four pieces are selected from; of more, the parameters are looked up in a table,
        so that hundreds of pieces trace and compile like one.

    Raises:
        TypeError, ValueError: not callable, not an integer, not increasing, or the wrong number of boundaries.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.join([fs.ramp(0.0, 1.0, steps=10), fs.constant(0.5)], [10])
        >>> [schedule(step) for step in (0, 9, 10, 11)]
        [0.0, 0.9, 0.5, 0.5]

    Source: optax.join_schedules has the same clock.
    """
    pieces = sequence("join", "schedules", schedules, as_schedule, "schedules")
    begins = sequence("join", "boundaries", boundaries, nonnegative_int, "integers")
    if not pieces:
        raise argument_error("join", "schedules", "at least one schedule", [])
    if len(begins) != len(pieces) - 1:
        requirement = f"one fewer than the {len(pieces)} schedules"
        raise argument_error("join", "boundaries", requirement, list(begins))
    require_increasing("join", "boundaries", begins)
    return Join(pieces, begins)


def then(
    schedule: Schedule | Callable[[Any], Any],
    boundary: int,
    stop: float = 0.0,
    *,
    steps: int,
    shape: Shape | Callable[[Any], Any] = linear,
) -> Schedule:
    """Any schedule up to a step, then a ramp from where it stands there: a cooldown branched off a run.

    ``schedule(step)`` below `boundary`, then
    ``v + (stop - v) * shape((step - boundary) / steps)`` with ``v = schedule(boundary)``; `stop` is held

    Args:
        schedule: a schedule or a function of a step.
        boundary: the step at which the ramp begins, an integer.
        stop: the multiplier that the ramp goes to, at least 0.
        steps: the length of the ramp, an integer of at least 0.
        shape: how the fraction of the ramp goes from 0 to 1, as in `ramp`.

    Returns:
        A schedule, continuous at `boundary` by construction: a `join` of the two, in which the value is a number.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or the schedule's value at
            `boundary` is no multiplier.

    Example:
        >>> import funcsched as fs
        >>> run = fs.warmup_inverse_sqrt(16)
        >>> branch = fs.then(run, 64, steps=100, shape=fs.sqrt)
        >>> [branch(step) for step in (16, 63, 64, 89, 164)] == [1.0, run(63), 0.5, 0.25, 0.0]
        True

    Source: the decay branches of Hagele et al. 2024, arXiv:2405.18392; OLMo-core's OverrideDecay.
    """
    first = as_schedule("then", "schedule", schedule)
    boundary, stop, steps = validated("then", boundary=boundary, stop=stop, steps=steps)
    try:
        start = level("then", f"schedule({boundary})", first(boundary))
    except TypeError as error:  # of a function that gives no number
        raise TypeError(f"then: `schedule({boundary})` must be a number from 0 to 3.4e38: {error}") from error
    return Join((first, Ramp(start, stop, steps, as_shape("then", "shape", shape))), (boundary,))


class Interpolate(Schedule):
    __slots__ = ("_join", "boundaries", "levels", "shape")
    fields = ("boundaries", "levels", "shape")
    factory = "interpolate"
    uses_table = True
    defaults: ClassVar[dict[str, Any]] = {"shape": linear}
    static = frozenset({"shape"})

    boundaries: tuple[int, ...]
    levels: tuple[float, ...]
    shape: Shape | tuple[Shape, ...]
    _join: Schedule | None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        object.__setattr__(self, "_join", None)

    def composition(self) -> Schedule:
        """The join of ramps."""
        if self._join is not None:
            return self._join
        begins, levels, count = self.boundaries, self.levels, len(self.boundaries) - 1
        shapes = self.shape if isinstance(self.shape, tuple) else (self.shape,) * count
        pieces: list[Schedule] = [
            Ramp(levels[i], levels[i + 1], begins[i + 1] - begins[i], shapes[i]) for i in range(count)
        ]
        if not (is_concrete(begins[0]) and begins[0] == 0 and pieces):
            pieces.insert(0, Constant(levels[0]))
            begins = (*begins[:1], *begins) if count else (*begins, *begins)
        return Join(tuple(pieces), begins[1:-1])

    def stretched(self, factor: Any) -> Schedule:
        return self.composition().stretched(factor)

    def at(self, step: Step) -> Any:
        return self.composition().at(step)

    def scalar(self) -> Callable[[int], float]:
        return self.composition().scalar()


def interpolate(
    boundaries: Iterable[int],
    levels: Iterable[float],
    *,
    shape: Shape | Callable[[Any], Any] | Iterable[Shape | Callable[[Any], Any]] = linear,
) -> Schedule:
    """Through knots: from each level at its boundary to the next.

    ``ramp(levels[i], levels[i + 1], steps=boundaries[i + 1] - boundaries[i], shape=shape)`` from ``boundaries[i]`` on

    Args:
        boundaries: the steps of the knots, integers, increasing, at least one.
        levels: the multiplier at each knot, at least 0; as many as boundaries. The first also holds before its
            knot, the last after it.
        shape: the shape of all intervals, or one for each in a list.

    Returns:
        A schedule, exact at every knot. A thousand knots trace and compile like ten.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or length, out of its range or not increasing.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.interpolate([0, 10, 100], [0.25, 1.0, 0.5], shape=[fs.linear, fs.cosine])
        >>> [schedule(step) for step in (0, 5, 10, 100, 101)]
        [0.25, 0.625, 1.0, 0.5, 0.5]

    Source: optax.piecewise_interpolate_schedule; big_vision and Scenic have knots too.
    """
    name = "interpolate"
    begins = sequence(name, "boundaries", boundaries, nonnegative_int, "integers")
    row = sequence(name, "levels", levels, level, "numbers")
    if not begins:
        raise argument_error(name, "boundaries", "at least one knot", [])
    require_increasing(name, "boundaries", begins)
    if len(row) != len(begins):
        raise argument_error(name, "levels", f"as many as the {len(begins)} boundaries", list(row))
    shapes: Any
    if callable(shape) or not hasattr(shape, "__iter__"):
        shapes = as_shape(name, "shape", shape)
    else:
        shapes = sequence(name, "shape", shape, as_shape, "shapes")
        if len(shapes) != len(begins) - 1:
            raise argument_error(
                name, "shape", f"one shape, or one for each of the {len(begins) - 1} intervals", list(shapes)
            )
    schedule = Interpolate(begins, row, shapes)
    object.__setattr__(schedule, "_join", schedule.composition())
    return schedule
