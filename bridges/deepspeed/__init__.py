"""The schedules of DeepSpeed, built from the arguments in its JSON configuration.

DeepSpeed's engine steps the scheduler after the optimizer, and the scheduler starts at iteration -1. Update k therefore
uses the learning rate of iteration k - 1, and the first two updates both run at the first rate of a warmup. The
schedules here count updates: `step` is the number of updates already made, and the value is the one that DeepSpeed's
engine uses for that update.
"""

from bridges.deepspeed.config import from_config
from bridges.deepspeed.cycle import lr_range_test, one_cycle, one_cycle_momentum
from bridges.deepspeed.warmup import warmup_cosine_lr, warmup_decay_lr, warmup_lr
from bridges.deepspeed.write_config import to_config

__all__ = [
    "from_config",
    "lr_range_test",
    "one_cycle",
    "one_cycle_momentum",
    "to_config",
    "warmup_cosine_lr",
    "warmup_decay_lr",
    "warmup_lr",
]
