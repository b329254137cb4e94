"""The functions of the step that transformers gives to LambdaLR, as schedules."""

from __future__ import annotations

from functools import partial
from typing import Any

import funcsched as fs
from bridges.transformers import from_scheduler_type

# The types of transformers' functions of the step. Both cosines without restarts have the same function.
_LR_LAMBDAS = {
    "_get_constant_lambda": "constant",
    "_get_constant_schedule_with_warmup_lr_lambda": "constant_with_warmup",
    "_get_linear_schedule_with_warmup_lr_lambda": "linear",
    "_get_cosine_schedule_with_warmup_lr_lambda": "cosine",
    "_get_cosine_with_hard_restarts_schedule_with_warmup_lr_lambda": "cosine_with_restarts",
    "_get_polynomial_decay_schedule_with_warmup_lr_lambda": "polynomial",
    "_get_inverse_sqrt_schedule_lr_lambda": "inverse_sqrt",
    "_get_cosine_with_min_lr_schedule_with_warmup_lr_rate_lambda": "cosine_warmup_with_min_lr",
    "_get_wsd_scheduler_lambda": "warmup_stable_decay",
}
_KEYWORDS = {"lr_init": "base_lr"}  # names that differ from those of the types


def from_lr_lambda(function: Any) -> fs.Schedule | None:
    """The schedule of the function that a `get_..._schedule` of transformers gives to LambdaLR, or None for another."""
    keywords = function.keywords if isinstance(function, partial) and not function.args else {}
    function = function.func if isinstance(function, partial) else function
    if getattr(function, "__module__", None) != "transformers.optimization":
        return None
    keywords = {_KEYWORDS.get(name, name): value for name, value in keywords.items()}
    scheduler_type = _LR_LAMBDAS.get(function.__name__)
    if scheduler_type == "cosine" and keywords.get("min_lr_rate") is not None:
        scheduler_type = "cosine_with_min_lr"
    try:
        return None if scheduler_type is None else from_scheduler_type(scheduler_type, **keywords)
    except (TypeError, ValueError):  # values for which the multiplier of transformers jumps, or of another version
        return None
