"""The rules for the arguments of DeepSpeed's schedules."""

from __future__ import annotations

from typing import Any

from bridges.arguments import BY_TYPE, option, zero_or_ratio
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error

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
    **BY_TYPE,
    **dict.fromkeys(
        ["warmup_num_steps", "cycle_first_step_size", "lr_range_test_step_size"], rules.concrete_positive_int
    ),
    **dict.fromkeys(["lr", "cycle_max_lr", "cycle_max_mom", "lr_range_test_min_lr"], rules.positive),
    **dict.fromkeys(["decay_lr_rate", "decay_mom_rate", "lr_range_test_step_rate"], zero_or_ratio),
    "warmup_max_lr": rules.optional(rules.positive),
    "warmup_type": option(["log", "linear"]),
}
RULES = {argument: _not_auto(rule) for argument, rule in _RULES.items()}
