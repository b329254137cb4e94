"""Schedules made of schedules: one after another, scaled, shifted."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from funcsched._check import checked, refuse, whole
from funcsched._exact import known
from funcsched._step import Step
from funcsched._value import numbers, rebuild, structure
from funcsched.schedule import Schedule, lifted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

# Up to here selections nested in each other are faster than tables, and compile to fewer instructions.
_NESTED = 4


class Join(Schedule):
    __slots__ = fields = ("schedules", "boundaries")
    factory = "join"

    schedules: tuple[Schedule, ...]
    boundaries: tuple[int, ...]

    def at(self, step: Step) -> Any:
        if known(step.raw):
            return self._single(step)
        # Inside a table of another join the numbers are arrays already, and there is no table of tables.
        if len(self.schedules) <= _NESTED or any(getattr(number, "ndim", 0) for number in numbers(self)):
            return self._nested(step)
        return self._tabled(step)

    def _single(self, step: Step) -> Any:
        """A step that is one number is asked of one piece."""
        piece = bisect_right(self.boundaries, step.value())
        return self.schedules[piece].at(step.since((0, *self.boundaries)[piece]))

    def _nested(self, step: Step) -> Any:
        begins, ends = (0, *self.boundaries), (*self.boundaries, None)
        value = None
        for schedule, begin, end in zip(self.schedules, begins, ends, strict=True):
            length = end - begin if end is not None and known(begin, end) else None
            piece = schedule.at(step.since(begin, length))
            value = piece if value is None else step.xp.where(step.before(begin), value, piece)
        return value

    def _tabled(self, step: Step) -> Any:
        """Every kind of piece is evaluated once, with its numbers looked up in a table."""
        xp = step.xp
        index = step.index(self.boundaries)
        local = step.since(xp.lookup((0, *self.boundaries), index))
        kinds = [structure(schedule) for schedule in self.schedules]
        numbered: dict[Any, int] = {}
        kind = xp.lookup([numbered.setdefault(key, len(numbered)) for key in kinds], index)
        value = None
        for key, place in numbered.items():
            members = [schedule if own == key else None for schedule, own in zip(self.schedules, kinds, strict=True)]
            first = next(schedule for schedule in members if schedule is not None)
            # Rows of other kinds are never looked at, but must be there.
            columns = zip(*(numbers(schedule or first) for schedule in members), strict=True)
            piece = rebuild(first, iter([xp.lookup(column, index) for column in columns])).at(local)
            value = piece if value is None else xp.where(kind == place, piece, value)
        return value

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
        boundaries: the step at which each but the first begins, whole numbers, increasing; one fewer than schedules.
            A first boundary of 0 leaves the first schedule out.

    Returns:
        A schedule. On arrays two to four pieces are selected from; of more, the parameters are looked up in a table,
        so that hundreds of pieces trace and compile like one.

    Raises:
        TypeError, ValueError: not callable, no whole number, not increasing, or the wrong number of boundaries.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.join([fs.ramp(0.0, 1.0, steps=10), fs.constant(0.5)], [10])
        >>> [schedule(step) for step in (0, 9, 10, 11)]
        [0.0, 0.9, 0.5, 0.5]

    Source: optax.join_schedules has the same clock.
    """
    if not _iterable(schedules):
        raise refuse("join", "schedules", "a sequence of schedules", schedules, TypeError)
    if not _iterable(boundaries):
        raise refuse("join", "boundaries", "a sequence of whole numbers", boundaries, TypeError)
    pieces = tuple(lifted("join", f"schedules[{i}]", schedule) for i, schedule in enumerate(schedules))
    begins = tuple(whole("join", f"boundaries[{i}]", boundary) for i, boundary in enumerate(boundaries))
    if not pieces:
        raise refuse("join", "schedules", "at least one schedule", [])
    if len(begins) != len(pieces) - 1:
        requirement = f"one fewer than the {len(pieces)} schedules"
        raise refuse("join", "boundaries", requirement, list(begins))
    if any(known(a, b) and a >= b for a, b in pairwise(begins)):
        raise refuse("join", "boundaries", "increasing", list(begins))
    return Join(pieces, begins)


def _iterable(value: Any) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, (str, bytes, Schedule))


class Scale(Schedule):
    __slots__ = fields = ("schedule", "factor")
    factory = "scale"

    schedule: Schedule
    factor: float

    def at(self, step: Step) -> Any:
        return self.schedule.at(step) * self.factor

    def scalar(self) -> Callable[[int], float]:
        schedule, factor = self.schedule.scalar(), self.factor
        return lambda step: schedule(step) * factor


def scale(schedule: Schedule | Callable[[Any], Any], factor: float) -> Schedule:
    """A schedule times a number.

    ``factor * schedule(step)``

    Args:
        schedule: a schedule or a function of a step.
        factor: at least 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `factor` not a finite number of at least 0.

    Example:
        >>> import funcsched as fs
        >>> fs.scale(fs.warmup_linear(10, 100), 0.5)(10)
        0.5
    """
    return Scale(lifted("scale", "schedule", schedule), *checked("scale", factor=factor))


class Shift(Schedule):
    __slots__ = fields = ("schedule", "steps")
    factory = "shift"

    schedule: Schedule
    steps: int

    def at(self, step: Step) -> Any:
        return self.schedule.at(step.ahead(self.steps))

    def scalar(self) -> Callable[[int], float]:
        schedule, steps = self.schedule.scalar(), self.steps
        return lambda step: schedule(step + steps if step > 0 else steps)


def shift(schedule: Schedule | Callable[[Any], Any], steps: int) -> Schedule:
    """A schedule that runs ahead: its first value is the one at step `steps`.

    ``schedule(max(step, 0) + steps)``

    A warmup from 0 spends the first update at rate 0; ``shift(schedule, 1)`` does not.

    Args:
        schedule: a schedule or a function of a step.
        steps: how many steps ahead, a whole number of at least 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `steps` not a whole number of at least 0.

    Example:
        >>> import funcsched as fs
        >>> fs.shift(fs.warmup_linear(10, 100), 1)(0)
        0.1
    """
    return Shift(lifted("shift", "schedule", schedule), *checked("shift", steps=steps))
