"""The schedulers of timm as functions, with the arguments of its classes and of its factory.

A step is timm's ``t``: an epoch or an update, depending on how the scheduler is stepped. `t_in_epochs` is therefore not
an argument here. Noise is not supported, because it depends on torch's random numbers and not only on the step. timm
also multiplies the rate of a parameter group by its `lr_scale`; the schedules do not include this factor, but
`bridges.torch.lambda_lr` applies it.

timm changes the rate only when the scheduler is stepped. Until then, a scheduler without warmup uses `base_lr`, even if
its schedule has another value at t = 0.
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
from bridges.timm.write_config import to_config

__all__ = [
    "cosine_lr_scheduler",
    "create_scheduler_v2",
    "multistep_lr_scheduler",
    "poly_lr_scheduler",
    "step_lr_scheduler",
    "tanh_lr_scheduler",
    "to_config",
    "wsd_lr_scheduler",
]
