"""One schedule after another: join, then and warm_into."""

from __future__ import annotations

from bisect import bisect_right

from funcsched.combinators.time import Shift
from funcsched.core.schedule import Schedule, as_schedule, walk
from funcsched.core.validation import (
    argument_error,
    level,
    nonnegative_int,
    require_increasing,
    sequence,
    validated,
)
from funcsched.core.value import leaves, treedef, unflatten
from funcsched.numerics.number_system import is_concrete
from funcsched.numerics.step import Step
from funcsched.primitives.ramp import Ramp
from funcsched.shapes.basic import linear
from funcsched.shapes.shape import Shape, as_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

# Up to this many schedules, nested selections are faster than lookup tables and compile to fewer instructions.
_MAX_SELECTIONS = 4


class Join(Schedule):
    __slots__ = fields = ("schedules", "boundaries")
    factory = "join"

    schedules: tuple[Schedule, ...]
    boundaries: tuple[int, ...]

    def at(self, step: Step) -> Any:
        if is_concrete(step.count):  # only one schedule is evaluated
            index = bisect_right(self.boundaries, step.count)
            return self.schedules[index].at(step.since(self._starts()[index]))
        # Leaves with axes come from the lookup table of an outer `join` or `repeat`. Tables cannot be nested.
        if len(self.schedules) <= _MAX_SELECTIONS or any(getattr(leaf, "ndim", 0) for leaf in leaves(self)):
            return self._at_by_selection(step)
        return self._at_by_lookup(step)

    def _starts(self) -> tuple[Any, ...]:
        return (0, *self.boundaries)

    def _at_by_selection(self, step: Step) -> Any:
        """Evaluate every schedule and select one value."""
        value = None
        for schedule, start in zip(self.schedules, self._starts(), strict=True):
            candidate = schedule.at(step.since(start))
            value = candidate if value is None else step.xp.where(step.is_before(start), value, candidate)
        return value

    def _at_by_lookup(self, step: Step) -> Any:
        """Evaluate one schedule of each structure, whose leaves are looked up in a table."""
        xp = step.xp
        index = step.index(self.boundaries)
        local = step.since(xp.lookup(self._starts(), index))
        structures = [treedef(schedule) for schedule in self.schedules]
        ids: dict[Any, float] = {}  # floats, because a lookup would take integers for step counts
        current_id = xp.lookup([ids.setdefault(structure, float(len(ids))) for structure in structures], index)
        value = None
        for structure, structure_id in ids.items():
            members = [
                schedule if own == structure else None for schedule, own in zip(self.schedules, structures, strict=True)
            ]
            first = next(schedule for schedule in members if schedule is not None)
            if any(isinstance(part, Schedule) and part.uses_table for part in walk(first)):
                value = self._select_members(step, index, members, value)
                continue
            # Entries of schedules with another structure are never selected, but a table needs a number there.
            columns = zip(*(leaves(schedule or first) for schedule in members), strict=True)
            candidate = unflatten(first, [xp.lookup(column, index) for column in columns]).at(local)
            value = candidate if value is None else xp.where(current_id == structure_id, candidate, value)
        return value

    def _select_members(self, step: Step, index: Any, members: Sequence[Schedule | None], value: Any) -> Any:
        """Evaluate each member, and select its value where it is the current schedule, else `value`."""
        for i, (schedule, start) in enumerate(zip(members, self._starts(), strict=True)):
            if schedule is not None:
                candidate = schedule.at(step.since(start))
                value = candidate if value is None else step.xp.where(index == i, candidate, value)
        return value

    def stretched(self, factor: Any) -> Schedule:
        schedules = tuple(schedule.stretched(factor) for schedule in self.schedules)
        return Join(schedules, tuple(boundary * factor for boundary in self.boundaries))

    def scalar(self) -> Callable[[int], float]:
        schedules = [schedule.scalar() for schedule in self.schedules]
        boundaries = self.boundaries
        if boundaries and boundaries[0] == 0:  # negative steps count as 0, so they skip the first schedule too
            schedules, boundaries = schedules[1:], boundaries[1:]
        if len(schedules) == 1:
            return schedules[0]
        if len(schedules) == 2:
            (boundary,), (first, second) = boundaries, schedules
            return lambda step: first(step) if step < boundary else second(step - boundary)
        starts = (0, *boundaries)

        def value(step: int) -> float:
            index = bisect_right(boundaries, step)
            return schedules[index](step - starts[index])

        return value


def join(schedules: Iterable[Schedule | Callable[[Any], Any]], boundaries: Iterable[int]) -> Schedule:
    """One schedule after another, each with steps counted from its own start.

    ``schedules[i](step - boundaries[i - 1])`` for ``boundaries[i - 1] <= step < boundaries[i]``

    Args:
        schedules: schedules or functions of a step, at least one.
        boundaries: step at which each schedule except the first starts (ints, 0 to 2**53), increasing; one fewer than
            `schedules`. If the first boundary is 0, the first schedule is skipped.

    Returns:
        A schedule. On arrays, the parameters of more than four schedules are looked up in a table, so hundreds of
        schedules trace and compile as fast as one.

    Raises:
        TypeError, ValueError: an argument has the wrong type or length, or `boundaries` are out of range or not
            increasing.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.join([fs.ramp(0.0, 1.0, steps=20), fs.constant(0.75), fs.ramp(0.5, 0.0, steps=40)], [20, 60])
        >>> [schedule(step) for step in (0, 19, 20, 59, 60, 80, 100)]
        [0.0, 0.95, 0.75, 0.75, 0.5, 0.25, 0.0]

    In other libraries:
        optax: join_schedules
        torch: SequentialLR
        mmengine: param_scheduler, with begin and end
        fvcore: CompositeParamScheduler
        ignite: ConcatScheduler, create_lr_scheduler_with_warmup

    Source: optax.join_schedules counts steps in the same way.
    """
    schedules = sequence("join", "schedules", schedules, as_schedule, "schedules")
    boundaries = sequence("join", "boundaries", boundaries, nonnegative_int, "integers")
    if not schedules:
        raise argument_error("join", "schedules", "a non-empty sequence of schedules", [])
    if len(boundaries) != len(schedules) - 1:
        requirement = f"of length {len(schedules) - 1} for {len(schedules)} schedules"
        raise argument_error("join", "boundaries", requirement, list(boundaries))
    require_increasing("join", "boundaries", boundaries)
    return Join(schedules, boundaries)


def then(
    schedule: Schedule | Callable[[Any], Any],
    boundary: int,
    stop: float = 0.0,
    *,
    steps: int,
    shape: Shape | Callable[[Any], Any] = linear,
) -> Schedule:
    """A schedule up to a boundary, then a ramp from its value there: a cooldown that branches off a run.

    ``schedule(step)`` below `boundary`, then ``v + (stop - v) * shape((step - boundary) / steps)`` with
    ``v = schedule(boundary)``

    Args:
        schedule: a schedule, or a function of a step.
        boundary: step at which the ramp starts (int, 0 to 2**53).
        stop: multiplier at the end of the ramp, which is held (float).
        steps: length of the ramp (int, 0 to 2**53).
        shape: the shape of the ramp, as in `ramp`.

    Returns:
        A schedule that is continuous at `boundary`: a `join` of `schedule` and a `ramp`.

    Raises:
        TypeError, ValueError: an argument or the value of `schedule` at `boundary` has the wrong type or is out of
            range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.then(fs.warmup_inverse_sqrt(16), 64, steps=100, shape=fs.sqrt)
        >>> [schedule(step) for step in (16, 64, 89, 164, 165)]
        [1.0, 0.5, 0.25, 0.0, 0.0]

    In other libraries:
        OLMo-core: OverrideDecay

    Source: the decay branches of Hagele et al. 2024, arXiv:2405.18392; OLMo-core's OverrideDecay.
    """
    first = as_schedule("then", "schedule", schedule)
    boundary, stop, steps = validated("then", boundary=boundary, stop=stop, steps=steps)
    start = _value_at("then", first, boundary)
    return Join((first, Ramp(start, stop, steps, as_shape("then", "shape", shape))), (boundary,))


def warm_into(
    schedule: Schedule | Callable[[Any], Any],
    steps: int,
    *,
    start: float = 0.0,
    shape: Shape | Callable[[Any], Any] = linear,
) -> Schedule:
    """A warmup for any schedule: a ramp to its value at step `steps`, then the schedule.

    ``start + (v - start) * shape(step / steps)`` below step `steps` with ``v = schedule(steps)``, then
    ``schedule(step)``

    Args:
        schedule: a schedule, or a function of a step. Its first `steps` steps are replaced.
        steps: length of the ramp (int, 0 to 2**53). With 0, the result is `schedule`.
        start: multiplier at step 0 (float).
        shape: the shape of the ramp, as in `ramp`.

    Returns:
        A schedule that is continuous at `steps`: a `join` of a `ramp` and ``shift(schedule, steps)``.

    Raises:
        TypeError, ValueError: an argument or the value of `schedule` at `steps` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warm_into(fs.multistep([60, 80], 0.5), 20)
        >>> [schedule(step) for step in (0, 10, 20, 59, 60, 80)]
        [0.0, 0.5, 1.0, 1.0, 0.5, 0.25]
        >>> fs.warm_into(fs.ramp(1.0, 0.0, steps=100), 20)(20)
        0.8

    In other libraries:
        detectron2: WarmupParamScheduler; `start` is warmup_factor times the value at step 0

    Source: detectron2's WarmupParamScheduler.
    """
    second = as_schedule("warm_into", "schedule", schedule)
    steps, start = validated("warm_into", steps=steps, start=start)
    rise = Ramp(start, _value_at("warm_into", second, steps), steps, as_shape("warm_into", "shape", shape))
    if is_concrete(steps) and steps == 0:
        return second
    return Join((rise, Shift(second, steps)), (steps,))


def _value_at(function: str, schedule: Schedule, step: int) -> float:
    """The value at a step of an argument `schedule`, as the level of a ramp."""
    try:
        value: float = level(function, f"schedule({step})", schedule(step))
    except TypeError as error:  # the function does not return a number
        raise TypeError(f"{function}: `schedule({step})` must be a number from -1.7e38 to 1.7e38: {error}") from error
    return value
