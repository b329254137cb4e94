"""The schedules of Megatron-LM: the learning rate and the weight decay of its `OptimizerParamScheduler`.

Megatron's trainer measures lengths in samples. The schedules here count updates, of `global_batch_size` samples each.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

import funcsched as fs
from bridges import phases
from bridges.arguments import BY_TYPE, checked, choose, option, required
from bridges.compositions import in_updates, join_phases
from bridges.rated import Rated
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error

_RULES = {
    **BY_TYPE,
    **dict.fromkeys(["lr_decay_steps", "global_batch_size", "total_steps"], rules.concrete_positive_int),
}
STYLES = ("constant", "linear", "cosine", "inverse-square-root", "WSD")
WSD_SHAPES = {"linear": fs.linear, "cosine": fs.cosine, "exponential": fs.exponential(0.5), "minus_sqrt": fs.sqrt}
# With the style "constant", both ends are equal, and the shape does not matter.
_SHAPES = {"constant": fs.linear, "linear": fs.linear, "cosine": fs.cosine}


def _decay(
    style: str, shape: fs.Shape, end: float, warmup: int, total: int, wsd_steps: int, timescale: int
) -> dict[int, fs.Schedule]:
    """The phases after the warmup by their first samples."""
    if style == "inverse-square-root":
        return {timescale: fs.maximum(fs.inverse_sqrt(timescale), end), total + 1: fs.constant(end)}
    if style != "WSD":
        return {warmup: fs.ramp(1.0, 1.0 if style == "constant" else end, steps=total - warmup, shape=shape)}
    if wsd_steps == 0:
        return {warmup: fs.constant(), total + 1: fs.constant(end)}
    begin = origin = total - wsd_steps
    if origin < warmup:  # as in Megatron, the warmup takes precedence, also at sample `lr_warmup_steps`
        begin = warmup + 1 if warmup else 0
    ramp = fs.ramp(1.0, end, steps=wsd_steps, shape=shape)
    return {warmup: fs.constant(), begin: fs.shift(ramp, begin - origin) if begin > origin else ramp}


@checked(common=_RULES, max_lr=rules.positive, lr_decay_style=option(STYLES))
def optimizer_param_scheduler(
    *,
    init_lr: float,
    max_lr: float,
    min_lr: float,
    lr_warmup_steps: int,
    lr_decay_steps: int,
    lr_decay_style: str,
    wsd_decay_steps: int | None = None,
    lr_wsd_decay_style: str | None = None,
    global_batch_size: int = 1,
) -> Rated:
    """The learning rate of Megatron's OptimizerParamScheduler.

    With ``n = step * global_batch_size`` samples, the warmup is
    ``init_lr + (max_lr - init_lr) * n / lr_warmup_steps`` up to ``n = lr_warmup_steps``. Then, by `lr_decay_style`:

    - "constant": `max_lr`
    - "linear", "cosine": ``min_lr + (max_lr - min_lr) * f(u)`` with
      ``u = (n - lr_warmup_steps) / (lr_decay_steps - lr_warmup_steps)`` and ``f(u) = 1 - u`` or
      ``f(u) = (1 + cos(pi * u)) / 2``
    - "inverse-square-root": ``max(min_lr, max_lr * sqrt(lr_warmup_steps / n))`` up to ``n = lr_decay_steps``, then
      `min_lr`
    - "WSD": `max_lr` up to ``n = lr_decay_steps - wsd_decay_steps``, then ``min_lr + (max_lr - min_lr) * f(v)``, where
      v is the elapsed fraction of `wsd_decay_steps`, and f(v), by `lr_wsd_decay_style`, is ``1 - v`` (linear),
      ``(1 + cos(pi * v)) / 2`` (cosine), ``2 * 0.5 ** v - 1`` (exponential) or ``1 - sqrt(v)`` (minus_sqrt)

    Args:
        init_lr: learning rate at step 0 (float, 0 to `max_lr`).
        max_lr: learning rate at the end of the warmup (float, above 0).
        min_lr: learning rate after the decay (float, 0 to `max_lr`).
        lr_warmup_steps: length of the warmup in samples (int, 0 to ``lr_decay_steps - 1``). To convert
            Megatron's `lr_warmup_fraction`, multiply it by `lr_decay_steps` and round the product to an int.
        lr_decay_steps: total length in samples, including warmup (int, 1 to 2**53).
        lr_decay_style: "constant", "linear", "cosine", "inverse-square-root" or "WSD".
        wsd_decay_steps: length of the "WSD" decay in samples (int, 0 to 2**53). Has no effect for other styles. If it
            exceeds ``lr_decay_steps - lr_warmup_steps``, the learning rate drops after the warmup to the value that the
            decay has already reached.
        lr_wsd_decay_style: "linear", "cosine", "exponential" or "minus_sqrt". Has no effect for other styles.
        global_batch_size: number of samples per update (int, 1 to 2**53). With the default of 1, lengths are in
            updates. A batch size that changes during the run (`rampup_batch_size`) is not supported.

    Returns:
        A schedule that counts updates, and its peak value, `max_lr`. For a parameter group with its own `max_lr` and
        `min_lr`, call the function with these.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.megatron import optimizer_param_scheduler
        >>> schedule, peak_value = optimizer_param_scheduler(
        ...     init_lr=0.0, max_lr=0.5, min_lr=0.125, lr_warmup_steps=100, lr_decay_steps=1000, lr_decay_style="WSD",
        ...     wsd_decay_steps=400, lr_wsd_decay_style="minus_sqrt", global_batch_size=10)
        >>> [peak_value * schedule(step) for step in (0, 10, 60, 70, 100, 101)]
        [0.0, 0.5, 0.5, 0.3125, 0.125, 0.125]

    Source: megatron-core 0.16.1, megatron/core/optimizer_param_scheduler.py.
    """
    function, warmup, total = "optimizer_param_scheduler", lr_warmup_steps, lr_decay_steps
    for argument, value in (("min_lr", min_lr), ("init_lr", init_lr)):
        if value > max_lr:
            raise argument_error(function, argument, f"at most `max_lr` ({max_lr!r})", value)
    if warmup >= total:
        raise argument_error(function, "lr_warmup_steps", f"below `lr_decay_steps` ({total})", warmup)
    wsd_steps, shape = 0, _SHAPES.get(lr_decay_style, fs.linear)
    if lr_decay_style == "WSD":
        wsd_steps = required(function, "wsd_decay_steps", wsd_decay_steps, "if `lr_decay_style` is 'WSD'")
        shape = choose(function, "lr_wsd_decay_style", lr_wsd_decay_style, WSD_SHAPES)
    # As in Megatron, sample 0 counts as sample 1.
    timescale = max(warmup, 1) if lr_decay_style == "inverse-square-root" else 0

    def build(warmup: int, *others: int) -> fs.Schedule:
        phases = {0: fs.ramp(init_lr / max_lr, 1.0, steps=warmup)}
        return join_phases(phases | _decay(lr_decay_style, shape, min_lr / max_lr, warmup, *others))

    return Rated(in_updates(build, global_batch_size, warmup, total, wsd_steps, timescale), max_lr)


@checked(common=_RULES, wd_incr_style=option(list(_SHAPES)))
def weight_decay(
    *,
    start_wd: float,
    end_wd: float,
    wd_incr_steps: int,
    wd_incr_style: str,
    wd_mult: float = 1.0,
    global_batch_size: int = 1,
) -> Rated:
    """The weight decay of Megatron's OptimizerParamScheduler.

    ``wd_mult * (start_wd + (end_wd - start_wd) * f(n / wd_incr_steps))`` with ``n = step * global_batch_size`` samples
    and ``f(u) = u`` (linear) or ``f(u) = (1 - cos(pi * u)) / 2`` (cosine); ``wd_mult * end_wd`` after `wd_incr_steps`.

    Args:
        start_wd: weight decay at step 0 (float, 0 to `end_wd`).
        end_wd: weight decay after the increase (float, at least 0).
        wd_incr_steps: length of the increase in samples (int, 0 to 2**53). 0 means no increase.
        wd_incr_style: "linear", "cosine", or "constant" if `start_wd` and `end_wd` are equal.
        wd_mult: factor of the parameter group (float, at least 0).
        global_batch_size: number of samples per update (int, 1 to 2**53). With the default of 1, `wd_incr_steps` is in
            updates.

    Returns:
        A schedule that counts updates, and its peak value, ``wd_mult * end_wd``: ``peak_value * schedule(step)`` is the
        weight decay.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: if `wd_incr_steps` is 0, Megatron divides by 0 for the styles "linear" and "cosine"; here the weight decay
    is ``wd_mult * end_wd`` from the start.

    Example:
        >>> from bridges.megatron import weight_decay
        >>> schedule, peak_value = weight_decay(start_wd=0.0, end_wd=0.5, wd_incr_steps=100, wd_incr_style="linear")
        >>> [peak_value * schedule(step) for step in (0, 50, 100, 101)]
        [0.0, 0.25, 0.5, 0.5]

    Source: megatron-core 0.16.1, megatron/core/optimizer_param_scheduler.py.
    """
    if start_wd > end_wd:
        raise argument_error("weight_decay", "start_wd", f"at most `end_wd` ({end_wd!r})", start_wd)
    if start_wd == end_wd:
        return Rated(fs.constant(), wd_mult * end_wd)
    if wd_incr_style == "constant":
        requirement = f"equal to `end_wd` ({end_wd!r}) if `wd_incr_style` is 'constant'"
        raise argument_error("weight_decay", "start_wd", requirement, start_wd)

    def build(steps: int) -> fs.Schedule:
        return fs.ramp(start_wd / end_wd, 1.0, steps=steps, shape=_SHAPES[wd_incr_style])

    return Rated(in_updates(build, global_batch_size, wd_incr_steps), wd_mult * end_wd)


@checked(common=_RULES, schedule=phases.concrete_schedule, peak_value=rules.positive)
def to_config(
    schedule: fs.Schedule, peak_value: float, *, global_batch_size: int = 1, total_steps: int | None = None
) -> dict[str, Any]:
    """The arguments of Megatron's OptimizerParamScheduler with which its trainer runs a schedule.

    The opposite of `optimizer_param_scheduler`. Schedules with the same curve have the same arguments.

    Args:
        schedule: a schedule that counts updates.
        peak_value: learning rate for multiplier 1 (float, above 0).
        global_batch_size: number of samples per update (int, 1 to 2**53). With the default of 1, lengths are in
            updates.
        total_steps: number of updates of the run (int, 1 to 2**53). Default: up to the end of the schedule. Required
            for an inverse square root, which Megatron ends.

    Returns:
        A dict with the arguments of `optimizer_param_scheduler`, except `global_batch_size`. All of them are arguments
        of Megatron's class, which has others for the weight decay.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or Megatron does not have this curve.
            The message names the phase that it cannot express.

    Example:
        >>> import funcsched as fs
        >>> from bridges.megatron import to_config
        >>> config = to_config(fs.warmup_stable_decay(10, 70, 20, end=0.1, decay_shape=fs.sqrt), 0.5)
        >>> config  # doctest: +NORMALIZE_WHITESPACE
        {'init_lr': 0.0, 'max_lr': 0.5, 'min_lr': 0.05, 'lr_warmup_steps': 10, 'lr_decay_steps': 100,
         'lr_decay_style': 'WSD', 'wsd_decay_steps': 20, 'lr_wsd_decay_style': 'minus_sqrt'}

    Source: megatron-core 0.16.1, megatron/core/optimizer_param_scheduler.py.
    """

    def read(config: dict[str, Any]) -> fs.Schedule:
        return optimizer_param_scheduler(**config, global_batch_size=global_batch_size).schedule

    configs = _configs(phases.phases(schedule), peak_value, global_batch_size, total_steps)
    return phases.first_match("Megatron", schedule, configs, read, total_steps)


def _configs(
    found: list[phases.Phase], peak_value: float, batch: int, total_steps: int | None
) -> Iterator[dict[str, Any]]:
    for outline in phases.outlines(found):
        decay, last = outline.decay, found[-1]
        # A warmup at the peak only shows in the decay, which begins after its last sample or with its origin there.
        warmups = dict.fromkeys(int(n) for n in (outline.warmup * batch, decay.origin * batch, decay.begin * batch - 1))
        for warmup in (n for n in warmups if n >= 0):
            config: dict[str, Any] = {
                "init_lr": phases.rate(outline.start, peak_value),
                "max_lr": peak_value,
                "min_lr": phases.rate(decay.stop, peak_value),
                "lr_warmup_steps": warmup,
                "lr_decay_steps": max(int(decay.end * batch), warmup + 1),
            }
            for style in ("constant", "linear", "cosine"):
                yield {**config, "lr_decay_style": style}
            for style in WSD_SHAPES:
                wsd = {"wsd_decay_steps": int(decay.length * batch), "lr_wsd_decay_style": style}
                yield {**config, "lr_decay_style": "WSD", **wsd}
            # The last phase of these two begins at the first update after the last sample.
            ends = [(ceil(last.begin) * batch - 1, last.stop), *([(total_steps * batch, 0.0)] if total_steps else [])]
            timescale = phases.find(decay.curve, "inverse_power").get("timescale", 0) * decay.length
            for end, stop in ends:
                config |= {"lr_decay_steps": end, "min_lr": phases.rate(stop, peak_value)}
                yield {**config, "lr_decay_style": "WSD", "wsd_decay_steps": 0, "lr_wsd_decay_style": "linear"}
                for steps in (int(timescale * batch), warmup):
                    yield {**config, "lr_decay_style": "inverse-square-root", "lr_warmup_steps": steps}
