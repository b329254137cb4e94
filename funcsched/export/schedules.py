"""Schedules rewritten for export: with powers, and in Python with the formulas for ints."""

from __future__ import annotations

import math

from funcsched.combinators.repeat import GrowingRepeat, Repeat
from funcsched.combinators.sequence import Join
from funcsched.combinators.time import Stretch
from funcsched.core.schedule import DividedStep, Schedule
from funcsched.numerics.step import Step
from funcsched.primitives.decay import ExponentialDecay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _SameClass(Schedule):
    __slots__ = ()

    def stretched(self, factor: Any) -> Schedule:
        return type(self)(*super().stretched(factor).arguments().values())


class PowerDecay(_SameClass, ExponentialDecay):
    """With `staircase`, ``rate ** cycle``, which is easier to read than an exponential function."""

    __slots__ = ()

    def at(self, step: Step) -> Any:
        if not self.staircase:
            return super().at(step)
        xp, rate, end = step.xp, self.rate, 0.0 if self.end is None else self.end
        cycle, _ = step.cycle(self.steps, None)
        if rate <= 1:
            value = rate ** xp.to_float(cycle)
            return xp.maximum(value, end) if end else value
        # The power would overflow, so the exponent is limited to the first one whose power exceeds `end`.
        largest = max(math.ceil((math.log(max(end, 1.0)) + 1.0) / math.log(rate)), 1)
        return xp.minimum(rate ** xp.to_float(xp.minimum(cycle, largest)), end)


class PowerRepeat(_SameClass, Repeat):
    """``level_factor ** cycle`` instead of a lookup table."""

    __slots__ = ()

    def at(self, step: Step) -> Any:
        cycle, local = step.cycle(self.period, self.times)
        value = self.schedule.at(local)
        return value if self.level_factor == 1 else value * self.level_factor ** step.xp.to_float(cycle)


class SelectingJoin(_SameClass, Join):
    """Selects a value, as Python does, instead of looking up the parameters of the current schedule."""

    __slots__ = ()

    def at(self, step: Step) -> Any:
        return self._at_by_selection(step)


POWERS = {ExponentialDecay: PowerDecay, Repeat: PowerRepeat}
PYTHON = {**POWERS, Join: SelectingJoin}


def rewritten(value: Any, classes: dict[Any, Any]) -> Any:
    """The same schedule without recipes, with some classes replaced."""
    if isinstance(value, tuple):
        return tuple(rewritten(item, classes) for item in value)
    if not isinstance(value, Schedule):
        return value
    composition = value.composition()
    if composition is not None:
        return rewritten(composition, classes)
    if isinstance(value, (Stretch, DividedStep, GrowingRepeat)):  # also in Python, they use the general formula
        classes = {key: kind for key, kind in classes.items() if key is not ExponentialDecay}
    kind = classes.get(type(value), type(value))
    return kind(*(rewritten(argument, classes) for argument in value.arguments().values()))
