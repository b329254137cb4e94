"""The arguments of a call, read and validated one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from funcsched.core import validation as rules
from funcsched.core.validation import argument_error, concrete_nonnegative, positive


class Arguments:
    """The arguments of one call, under the names that timm's scheduler classes have for them.

    timm's factory has other names for the same arguments (`num_epochs` for `t_initial`) and counts time in epochs. For
    it, `names` maps the names of the classes to its own, which errors use, and times are multiplied by
    `steps_per_epoch`.
    """

    def __init__(
        self, function: str, values: Mapping[str, Any], names: Mapping[str, str] = {}, steps_per_epoch: int = 1
    ) -> None:
        self.function, self.values, self.names, self.steps_per_epoch = function, values, names, steps_per_epoch
        self.base_lr: float = self.get("base_lr", positive)
        if values["noise_range_t"] is not None:
            raise self.error("noise_range_t", "None (noise depends on random numbers, not only on the step)")

    def name(self, argument: str) -> str:
        return self.names.get(argument, argument)

    def get(self, argument: str, rule: rules.Rule) -> Any:
        return rule(self.function, self.name(argument), self.values[argument])

    def multiplier(self, argument: str) -> float:
        """A learning rate as a multiple of `base_lr`."""
        quotient = self.get(argument, concrete_nonnegative) / self.base_lr  # may be out of range if both are valid
        return float(concrete_nonnegative(self.function, self.name(argument), quotient))

    def steps(self, argument: str, rule: rules.Rule) -> Any:
        """A time, converted to steps."""
        return self.get(argument, self.in_steps(rule))

    def in_steps(self, rule: rules.Rule) -> rules.Rule:
        """The rule of a number of steps, for a time in epochs."""
        if self.steps_per_epoch == 1:
            return rule

        def check(function: str, argument: str, value: Any) -> Any:
            epochs = concrete_nonnegative(function, argument, value)
            return rule(function, f"{argument} * updates_per_epoch", epochs * self.steps_per_epoch)

        return check

    def error(self, argument: str, requirement: str) -> Exception:
        return argument_error(self.function, self.name(argument), requirement, self.values[argument])
