"""What a torch scheduler does to the learning rate of one parameter group, from which step on."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, NamedTuple

import funcsched as fs
from funcsched.core.validation import argument_error, concrete_nonnegative

NAME = "from_lr_scheduler"


class Effect(Enum):
    """What a segment does to the learning rate."""

    MULTIPLIES = auto()  # multiplies the current rate by a factor at every step
    RESETS = auto()  # sets the rate at its first step, and multiplies it at every later step
    SETS = auto()  # sets the rate at every step


class Start(Enum):
    """How a scheduler gets to its step 0."""

    INITIAL = auto()  # by the step that its constructor makes
    MILESTONE = auto()  # by `_update_lr(0)` at a milestone of a SequentialLR, which sets the rate
    NESTED = auto()  # by a `step()` from -1, in a SequentialLR or ChainedScheduler that starts a SequentialLR


class Segment(NamedTuple):
    """From step `begin` on, the learning rate is ``peak * schedule(step - begin)``."""

    schedule: fs.Schedule
    peak: float
    effect: Effect = Effect.MULTIPLIES
    begin: int = 0
    affine: bool = False  # whether it decays to an absolute `eta_min` above 0, so that it cannot be a factor in a chain


class View(NamedTuple):
    """A scheduler as one parameter group sees it."""

    path: str  # the name of `scheduler` in error messages, such as scheduler._schedulers[0]
    scheduler: Any
    group: int
    start: Start = Start.INITIAL
    from_initial_lr: bool = False  # whether it starts from the `initial_lr` of the group, not from its own base rate
    ahead: int = 0  # the number of steps by which the counter of a nested SequentialLR is ahead

    def attribute(self, name: str, rule: Callable[[str, str, Any], Any]) -> Any:
        """An attribute of the scheduler, checked by a rule."""
        return rule(NAME, f"{self.path}.{name}", getattr(self.scheduler, name))

    def base_rate(self) -> float:
        rates = self.scheduler.base_lrs
        groups = self.scheduler.optimizer.param_groups
        if len(rates) != len(groups):
            requirement = f"of length {len(groups)}, one for each parameter group"
            raise argument_error(NAME, f"{self.path}.base_lrs", requirement, rates)
        return self.rate("base_lrs", rates[self.group])

    def initial_rate(self) -> float:
        """The learning rate that the factors of the scheduler multiply."""
        group = self.scheduler.optimizer.param_groups[self.group]
        return self.rate("initial_lr", group["initial_lr"]) if self.from_initial_lr else self.base_rate()

    def rate(self, name: str, value: Any) -> float:
        """A learning rate, which torch may store in a tensor, as a checked float."""
        return float(concrete_nonnegative(NAME, f"{self.path}.{name}", float(value)))

    def child(self, index: int, **changes: Any) -> View:
        """The view of a scheduler inside a SequentialLR or ChainedScheduler."""
        path, scheduler = f"{self.path}._schedulers[{index}]", self.scheduler._schedulers[index]
        return self._replace(path=path, scheduler=scheduler, **changes)
