"""The schedules of Hugging Face transformers, by the names and arguments of its `get_scheduler`.

`from_scheduler_type` returns a schedule, and `to_config` the arguments of `TrainingArguments` for a schedule.

`get_scheduler` and the functions ``get_*_schedule*`` have the names and arguments of those in transformers, including
the optimizer, and return a torch scheduler. A training script only needs a different import line. torch is only
imported when one of these functions is called.
"""

from bridges.transformers.drop_in import (
    get_adafactor_schedule,
    get_constant_schedule,
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup_lr_rate,
    get_greedy_schedule,
    get_inverse_sqrt_schedule,
    get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup,
    get_reduce_on_plateau_schedule,
    get_scheduler,
    get_wsd_schedule,
)
from bridges.transformers.scheduler_type import SCHEDULER_TYPES, from_scheduler_type
from bridges.transformers.write_config import to_config

__all__ = [
    "SCHEDULER_TYPES",
    "from_scheduler_type",
    "get_adafactor_schedule",
    "get_constant_schedule",
    "get_constant_schedule_with_warmup",
    "get_cosine_schedule_with_warmup",
    "get_cosine_with_hard_restarts_schedule_with_warmup",
    "get_cosine_with_min_lr_schedule_with_warmup",
    "get_cosine_with_min_lr_schedule_with_warmup_lr_rate",
    "get_greedy_schedule",
    "get_inverse_sqrt_schedule",
    "get_linear_schedule_with_warmup",
    "get_polynomial_decay_schedule_with_warmup",
    "get_reduce_on_plateau_schedule",
    "get_scheduler",
    "get_wsd_schedule",
    "to_config",
]
