"""Schedules of MosaicML Composer, under the names of its classes, with its time strings.

Composer asks a scheduler for the multiplier after every batch: a step is a batch. Its times count epochs ("10ep"),
batches ("500ba"), samples ("64sp"), tokens ("1e6tok") or shares of the training ("0.1dur"); what it takes to turn them
into batches is `Training`, the last arguments of every function here. Times between two batches stay where they are.

Composer multiplies the schedulers of a list: so does `product`.
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
]
