"""The schedule of MaxText's `create_learning_rate_schedule`, built from the arguments in its configuration."""

from __future__ import annotations

from typing import Any

import funcsched as fs
from bridges.arguments import BY_TYPE, checked, option
from bridges.compositions import join_phases
from bridges.rated import Rated
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error

_FUNCTION = "create_learning_rate_schedule"
_SHAPES = {"linear": fs.linear, "cosine": fs.cosine}


def _steps(function: str, argument: str, value: Any) -> Any:
    """The rule of a number of steps, or -1."""
    return value if value == -1 else rules.concrete_positive_int(function, argument, value)


def _decay(end: float, steps: int, shape: fs.Shape) -> fs.Schedule:
    """A decay that reaches its end at its last step, ``steps - 1``. As in MaxText, a linear decay of 1 step is 1."""
    if steps == 0 or (steps == 1 and shape == fs.linear):
        return fs.constant()
    return fs.ramp(1.0, end, steps=steps - 1, shape=shape)


@checked(
    common=BY_TYPE | {"int": _steps},
    learning_rate=rules.positive,
    lr_schedule_type=option(["cosine", "wsd"]),
    warmup_steps_fraction=rules.unit_interval,
    wsd_decay_steps_fraction=rules.unit_interval,
    wsd_decay_style=option(list(_SHAPES)),
)
def create_learning_rate_schedule(
    *,
    learning_rate: float = 3e-5,
    lr_schedule_type: str = "cosine",
    learning_rate_final_fraction: float = 0.1,
    warmup_steps_fraction: float = 0.1,
    wsd_decay_steps_fraction: float = 0.1,
    wsd_decay_style: str = "linear",
    learning_rate_schedule_steps: int = -1,
    steps: int = 150_001,
    early_peak: bool = False,
) -> Rated:
    """MaxText's create_learning_rate_schedule: a warmup, then a cosine decay, or a stable phase and a decay (WSD).

    ``learning_rate * m``, with ``T = learning_rate_schedule_steps``, ``W = int(T * warmup_steps_fraction)``,
    ``D = int(T * wsd_decay_steps_fraction)`` and ``f = learning_rate_final_fraction``. The multiplier m is
    ``step / W`` below step W. Then, by `lr_schedule_type`:

    - "cosine": ``f + (1 - f) * (1 + cos(pi * u)) / 2`` with ``u = (step - W) / (T - W - 1)``
    - "wsd": 1 up to step ``T - D``, then, with ``u = (step - (T - D)) / (D - 1)`` and by `wsd_decay_style`,
      ``1 + (f - 1) * u`` (linear) or ``f + (1 - f) * (1 + cos(pi * u)) / 2`` (cosine)

    If `steps` is more than T, the multiplier is 0 from step T on.

    Args:
        learning_rate: learning rate at the end of the warmup (float, above 0).
        lr_schedule_type: "cosine" or "wsd".
        learning_rate_final_fraction: multiplier at the last step of the schedule, ``T - 1`` (float, at least 0).
        warmup_steps_fraction: fraction of T for the warmup (float, 0 to 1).
        wsd_decay_steps_fraction: fraction of T for the decay of "wsd" (float, 0 to 1). For "wsd", its sum with
            `warmup_steps_fraction` must be at most 1.
        wsd_decay_style: "linear" or "cosine". As in MaxText, a linear decay of one step stays at `learning_rate`.
        learning_rate_schedule_steps: total number of steps T, including warmup (int, 1 to 2**53). -1 means `steps`.
        steps: number of updates of the run (int, 1 to 2**53). -1 means `learning_rate_schedule_steps`.
        early_peak: whether the warmup is ``step / (W - 1)``, which reaches the peak one step earlier, and is 0 if W is
            1 (bool). Not an argument of MaxText: it selects the behavior of some versions, such as commit 65dda9a.

    Returns:
        A schedule and its peak value, `learning_rate`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: if `steps` is not more than T, MaxText's cosines rise again from step T on (a cosine of n steps is back
    at the peak after another ``n - 1`` steps); here the multiplier stays at `learning_rate_final_fraction`.

    Example:
        >>> from bridges.maxtext import create_learning_rate_schedule
        >>> schedule, peak_value = create_learning_rate_schedule(
        ...     learning_rate=0.5, learning_rate_schedule_steps=20, steps=25, learning_rate_final_fraction=0.5,
        ...     warmup_steps_fraction=0.2, wsd_decay_steps_fraction=0.25, lr_schedule_type="wsd")
        >>> [peak_value * schedule(step) for step in (0, 2, 4, 15, 17, 19, 20)]
        [0.0, 0.25, 0.5, 0.5, 0.375, 0.25, 0.0]

    Source: AI-Hypercomputer/maxtext, commit 00902f3, src/maxtext/utils/maxtext_utils.py. For versions before the
    introduction of "wsd", whose cosine ends at step T, use `funcsched.warmup_cosine`.
    """
    total = steps if learning_rate_schedule_steps == -1 else learning_rate_schedule_steps
    if total == -1:
        raise argument_error(_FUNCTION, "steps", "at least 1 if `learning_rate_schedule_steps` is -1", steps)
    warmup, decay = int(total * warmup_steps_fraction), int(total * wsd_decay_steps_fraction)
    phases: dict[int, fs.Schedule] = {0: fs.ramp(0.0, 1.0, steps=max(1, warmup - 1) if early_peak else warmup)}
    if lr_schedule_type == "cosine":
        phases[warmup] = _decay(learning_rate_final_fraction, total - warmup, fs.cosine)
    else:
        if warmup_steps_fraction + wsd_decay_steps_fraction > 1:
            requirement = f"at most 1 - `warmup_steps_fraction` ({warmup_steps_fraction})"
            raise argument_error(_FUNCTION, "wsd_decay_steps_fraction", requirement, wsd_decay_steps_fraction)
        phases[warmup] = fs.constant()
        phases[total - decay] = _decay(learning_rate_final_fraction, decay, _SHAPES[wsd_decay_style])
    if steps > total:
        phases[total] = fs.constant(0.0)
    return Rated(join_phases(phases), learning_rate)
