"""The schedulers of MosaicML Composer as functions, with the arguments of its classes and its time strings.

Composer evaluates its schedulers after every batch, so a step is a batch. Its times are strings: epochs ("10ep"),
batches ("500ba"), samples ("64sp"), tokens ("1e6tok") or a fraction of the training duration ("0.1dur"). The fields of
`Training` convert them to batches; every function accepts them as keyword arguments. A length in samples or tokens may
be a fractional number of batches. In the formulas, t is the time since the start of training.

Composer multiplies the schedulers of a list. `funcsched.product` does the same.
"""

from bridges.composer.decay import (
    constant_scheduler,
    cosine_annealing_scheduler,
    cosine_annealing_warm_restarts_scheduler,
    exponential_scheduler,
    linear_scheduler,
    multi_step_scheduler,
    polynomial_scheduler,
    step_scheduler,
)
from bridges.composer.time import Training
from bridges.composer.warmup import (
    constant_with_warmup_scheduler,
    cosine_annealing_with_warmup_scheduler,
    linear_with_warmup_scheduler,
    multi_step_with_warmup_scheduler,
    polynomial_with_warmup_scheduler,
)
from bridges.composer.write_config import to_config

__all__ = [
    "Training",
    "constant_scheduler",
    "constant_with_warmup_scheduler",
    "cosine_annealing_scheduler",
    "cosine_annealing_warm_restarts_scheduler",
    "cosine_annealing_with_warmup_scheduler",
    "exponential_scheduler",
    "linear_scheduler",
    "linear_with_warmup_scheduler",
    "multi_step_scheduler",
    "multi_step_with_warmup_scheduler",
    "polynomial_scheduler",
    "polynomial_with_warmup_scheduler",
    "step_scheduler",
    "to_config",
]
