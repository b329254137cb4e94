"""Schedules of timm, under the names of its classes and of its factory.

A step is timm's ``t``: an epoch or an update, whichever the scheduler is stepped by. What decides that, or draws noise,
does not change the curve: `t_in_epochs` is not an argument here, and noise is refused, for it comes from the random
numbers of torch and not from the step alone. A group's `lr_scale` multiplies the rate, as it does in timm.

timm computes a rate when it is stepped and not before: without a warmup, t = 0 runs at `base_lr` itself.
"""

from bridges.timm.factory import create_scheduler_v2
from bridges.timm.schedulers import (
    cosine_lr_scheduler,
    multistep_lr_scheduler,
    poly_lr_scheduler,
    step_lr_scheduler,
    tanh_lr_scheduler,
    wsd_lr_scheduler,
)

__all__ = [
    "cosine_lr_scheduler",
    "create_scheduler_v2",
    "multistep_lr_scheduler",
    "poly_lr_scheduler",
    "step_lr_scheduler",
    "tanh_lr_scheduler",
    "wsd_lr_scheduler",
]
