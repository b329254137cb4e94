"""The schedules of Megatron-LM: the learning rate and the weight decay of its `OptimizerParamScheduler`.

Megatron's trainer measures lengths in samples. The schedules here count updates, of `global_batch_size` samples each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import gcd
from typing import Any, NamedTuple

import funcsched as fs
from bridges import phases
from bridges.rated import Rated, checked, choose
from funcsched.core.validation import (
    argument_error,
    concrete_nonnegative,
    concrete_nonnegative_int,
    concrete_positive_int,
    optional,
    positive,
)


class _Phase(NamedTuple):
    """A phase of a schedule, with all lengths in samples."""

    begin: int  # sample at which the phase begins
    origin: int  # sample at which its curve is at step 0, at most `begin`
    length: int  # length of the curve; 0 if it is constant
    curve: Callable[[int], fs.Schedule]  # function from the length to the curve


def _constant(begin: int, level: float = 1.0) -> _Phase:
    return _Phase(begin, begin, 0, lambda length: fs.constant(level))


def _ramp(begin: int, length: int, start: float, stop: float, shape: Any = fs.linear) -> _Phase:
    return _Phase(begin, begin, length, lambda steps: fs.ramp(start, stop, steps=steps, shape=shape))


def _in_updates(phases: list[_Phase], batch: int) -> fs.Schedule:
    """Join the phases into a schedule that counts updates of `batch` samples."""
    # A phase begins at the first update at or after its first sample. It is skipped if the next one begins there too.
    by_update = {-(-phase.begin // batch): phase for phase in phases}
    curves = [_rescaled(phase, update, batch) for update, phase in by_update.items()]
    return fs.join(curves, list(by_update)[1:])


def _rescaled(phase: _Phase, update: int, batch: int) -> fs.Schedule:
    """The curve of a phase that begins at `update`, with steps of one update instead of one sample."""
    offset = update * batch - phase.origin if phase.length else 0  # samples of the curve before the update
    unit = gcd(batch, offset, phase.length)  # if this equals the batch size, no step is rescaled
    curve = phase.curve(phase.length // unit)
    if offset:
        curve = fs.shift(curve, offset // unit)
    return curve if unit == batch else fs.stretch(curve, unit / batch)


class _Decay(NamedTuple):
    """The arguments of the phases after the warmup: lengths in samples, and ``end = min_lr / max_lr``."""

    warmup: int
    total: int
    end: float
    wsd_steps: int | None
    wsd_style: str | None


def _constant_decay(decay: _Decay) -> list[_Phase]:
    return [_constant(decay.warmup)]


def _ramp_decay(shape: Any, decay: _Decay) -> list[_Phase]:
    return [_ramp(decay.warmup, decay.total - decay.warmup, 1.0, decay.end, shape)]


def _inverse_sqrt_decay(decay: _Decay) -> list[_Phase]:
    def curve(steps: int) -> fs.Schedule:
        return fs.maximum(fs.inverse_sqrt(steps), decay.end)

    drop = _constant(decay.total + 1, decay.end)
    if decay.warmup == 0:  # as in Megatron, sample 0 counts as sample 1
        return [_constant(0), _Phase(1, 1, 1, curve), drop]
    return [_Phase(decay.warmup, decay.warmup, decay.warmup, curve), drop]


_WSD_SHAPES = {"linear": fs.linear, "cosine": fs.cosine, "exponential": fs.exponential(0.5), "minus_sqrt": fs.sqrt}


def _wsd_decay(decay: _Decay) -> list[_Phase]:
    function = "optimizer_param_scheduler"
    if decay.wsd_steps is None:
        raise argument_error(function, "wsd_decay_steps", "given if `lr_decay_style` is 'WSD'", None)
    steps = concrete_nonnegative_int(function, "wsd_decay_steps", decay.wsd_steps)
    shape = choose(function, "lr_wsd_decay_style", decay.wsd_style, _WSD_SHAPES)
    stable = _constant(decay.warmup)
    if steps == 0:
        return [stable, _constant(decay.total + 1, decay.end)]
    ramp = _ramp(decay.total - steps, steps, 1.0, decay.end, shape)
    if ramp.begin < decay.warmup:  # as in Megatron, the warmup takes precedence, also at sample `lr_warmup_steps`
        ramp = ramp._replace(begin=decay.warmup + 1 if decay.warmup else 0)
    return [stable, ramp]


_STYLES: dict[str, Callable[[_Decay], list[_Phase]]] = {
    "constant": _constant_decay,
    "linear": partial(_ramp_decay, fs.linear),
    "cosine": partial(_ramp_decay, fs.cosine),
    "inverse-square-root": _inverse_sqrt_decay,
    "WSD": _wsd_decay,
}


@checked()
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
    function = "optimizer_param_scheduler"
    peak = positive(function, "max_lr", max_lr)
    lowest, first = concrete_nonnegative(function, "min_lr", min_lr), concrete_nonnegative(function, "init_lr", init_lr)
    for argument, value in (("min_lr", lowest), ("init_lr", first)):
        if value > peak:
            raise argument_error(function, argument, f"at most `max_lr` ({max_lr!r})", value)
    total = concrete_positive_int(function, "lr_decay_steps", lr_decay_steps)
    warmup = concrete_nonnegative_int(function, "lr_warmup_steps", lr_warmup_steps)
    if warmup >= total:
        raise argument_error(function, "lr_warmup_steps", f"below `lr_decay_steps` ({total})", lr_warmup_steps)
    batch = concrete_positive_int(function, "global_batch_size", global_batch_size)
    style = choose(function, "lr_decay_style", lr_decay_style, _STYLES)
    phases = [_ramp(0, warmup, first / peak, 1.0)] if warmup else []
    phases += style(_Decay(warmup, total, lowest / peak, wsd_decay_steps, lr_wsd_decay_style))
    return Rated(_in_updates(phases, batch), peak)


# With the style "constant", both ends are equal, and the shape does not matter.
_WEIGHT_DECAY_SHAPES = {"constant": fs.linear, "linear": fs.linear, "cosine": fs.cosine}


@checked()
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
    function = "weight_decay"
    start, end = concrete_nonnegative(function, "start_wd", start_wd), concrete_nonnegative(function, "end_wd", end_wd)
    if start > end:
        raise argument_error(function, "start_wd", f"at most `end_wd` ({end_wd!r})", start_wd)
    steps = concrete_nonnegative_int(function, "wd_incr_steps", wd_incr_steps)
    factor = concrete_nonnegative(function, "wd_mult", wd_mult)
    batch = concrete_positive_int(function, "global_batch_size", global_batch_size)
    shape = choose(function, "wd_incr_style", wd_incr_style, _WEIGHT_DECAY_SHAPES)
    if start == end:
        return Rated(fs.constant(), factor * end)
    if wd_incr_style == "constant":
        requirement = f"equal to `end_wd` ({end!r}) if `wd_incr_style` is 'constant'"
        raise argument_error(function, "start_wd", requirement, start)
    return Rated(_in_updates([_ramp(0, steps, start / end, 1.0, shape)], batch), factor * end)


@checked(
    schedule=phases.concrete_schedule,
    peak_value=positive,
    global_batch_size=concrete_positive_int,
    total_steps=optional(concrete_positive_int),
)
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
        warmup, decay = int(outline.warmup * batch), outline.decay
        config: dict[str, Any] = {
            "init_lr": phases.rate(outline.start, peak_value),
            "max_lr": peak_value,
            "min_lr": phases.rate(decay.stop, peak_value),
            "lr_warmup_steps": warmup,
            "lr_decay_steps": max(int(decay.end * batch), warmup + 1),
        }
        for style in ("constant", "linear", "cosine"):
            yield {**config, "lr_decay_style": style}
        for style in _WSD_SHAPES:
            wsd = {"wsd_decay_steps": int(decay.length * batch), "lr_wsd_decay_style": style}
            yield {**config, "lr_decay_style": "WSD", **wsd}
        # The last phase of these two begins at the first update after the last sample.
        last = found[-1]
        config["lr_decay_steps"] = (total_steps or int(last.begin)) * batch - (total_steps is None)
        config["min_lr"] = phases.rate(0.0 if total_steps else last.stop, peak_value)
        yield {**config, "lr_decay_style": "WSD", "wsd_decay_steps": 0, "lr_wsd_decay_style": "linear"}
        timescale = phases.find(decay.curve, "inverse_power").get("timescale", 0) * decay.length
        yield {**config, "lr_decay_style": "inverse-square-root", "lr_warmup_steps": int(timescale * batch)}
