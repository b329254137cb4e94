"""The rules for the arguments of DeepSpeed's schedules."""

from __future__ import annotations

from typing import Any

from bridges.rated import option, zero_or
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error, optional

_growth_rate = zero_or("0 or a number from 1e-30 to 1e30", 1e-30, 1e30)
# The values by which the Trainer of transformers replaces "auto".
_AUTO = {
    "lr": "the `learning_rate` of its TrainingArguments",
    "warmup_min_lr": "0",
    "warmup_max_lr": "the `learning_rate` of its TrainingArguments",
    "warmup_num_steps": "the `warmup_steps` of its TrainingArguments, at least 1",
    "total_num_steps": "the number of updates of the run: `max_steps`, or `num_train_epochs` times the updates per "
    "epoch",
}


def _not_auto(rule: rules.Rule) -> rules.Rule:
    """The same rule, with an error about "auto" that says what to write."""

    def check(function: str, argument: str, value: Any) -> Any:
        if isinstance(value, str) and value == "auto":
            known = f"the Trainer of transformers uses {_AUTO[argument]}" if argument in _AUTO else ""
            raise argument_error(function, argument, "given as a value", value, TypeError, fix=known)
        return rule(function, argument, value)

    return check


_RULES: dict[str, rules.Rule] = {
    **dict.fromkeys(["total_num_steps", "cycle_second_step_size", "decay_step_size"], rules.concrete_nonnegative_int),
    **dict.fromkeys(["cycle_first_stair_count", "cycle_second_stair_count"], rules.concrete_nonnegative_int),
    **dict.fromkeys(["cycle_first_step_size", "lr_range_test_step_size"], rules.concrete_positive_int),
    **dict.fromkeys(["warmup_min_lr", "warmup_min_ratio", "cos_min_ratio"], rules.concrete_nonnegative),
    **dict.fromkeys(["cycle_min_lr", "cycle_min_mom"], rules.concrete_nonnegative),
    **dict.fromkeys(["lr", "cycle_max_lr", "cycle_max_mom", "lr_range_test_min_lr"], rules.positive),
    **dict.fromkeys(["decay_lr_rate", "decay_mom_rate", "lr_range_test_step_rate"], _growth_rate),
    **dict.fromkeys(["cycle_momentum", "lr_range_test_staircase"], rules.boolean),
    "warmup_num_steps": rules.concrete_positive_int,
    "warmup_max_lr": optional(rules.positive),
    "warmup_type": option(["log", "linear"]),
}
RULES = {argument: _not_auto(rule) for argument, rule in _RULES.items()}
