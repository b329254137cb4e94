"""What all functions for scheduler types have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import funcsched as fs
from bridges.rated import Rated, checked
from funcsched.core.validation import argument_error

P = ParamSpec("P")

# The values by which the Trainer of transformers replaces "auto".
_AUTO = {
    "lr": "the `learning_rate` of its TrainingArguments",
    "warmup_min_lr": "0",
    "warmup_max_lr": "the `learning_rate` of its TrainingArguments",
    "warmup_num_steps": "the `warmup_steps` of its TrainingArguments, at least 1",
    "total_num_steps": "the number of updates of the run: `max_steps`, or `num_train_epochs` times the updates per "
    "epoch",
}


def scheduler_type(build: Callable[P, Rated]) -> Callable[P, Rated]:
    """A function for a scheduler type. Unknown arguments and "auto" are errors that say what to write."""

    @checked()
    @wraps(build)
    def call(*args: P.args, **arguments: P.kwargs) -> Rated:
        for argument, value in arguments.items():
            if isinstance(value, str) and value == "auto":
                known = f"the Trainer of transformers uses {_AUTO[argument]}" if argument in _AUTO else ""
                raise argument_error(build.__name__, argument, "given as a value", value, TypeError, fix=known)
        return build(*args, **arguments)

    return call


def join_phases(phases: dict[int, fs.Schedule]) -> fs.Schedule:
    """Join phases, given by their first steps. In the dict, the next phase has replaced an empty one."""
    return fs.join(list(phases.values()), list(phases)[1:])
