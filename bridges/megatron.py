"""Schedules of Megatron-LM: its `OptimizerParamScheduler`, for the learning rate and for the weight decay."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import gcd
from typing import Any, NamedTuple

import funcsched as fs
from bridges.rated import Rated, choose
from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    argument_error,
    concrete_level,
    concrete_nonnegative_int,
    concrete_positive_int,
    positive,
)


class _Piece(NamedTuple):
    """A part of a schedule whose clock counts samples."""

    first: int  # the count at which it takes over
    origin: int  # the count at which its own clock stands at 0, at most `first`
    curve: Callable[..., Schedule]  # of its lengths
    lengths: tuple[int, ...] = ()


def _in_updates(pieces: list[_Piece], batch: int) -> Schedule:
    """The pieces one after another on the clock of updates, each of which moves the count by `batch`."""
    begun = {-(-piece.first // batch): piece for piece in pieces}  # one that ends before its first update is left out
    begins = list(begun)
    return fs.join([_slowed(piece, begin, batch) for begin, piece in begun.items()], begins[1:])


def _slowed(piece: _Piece, begin: int, batch: int) -> Schedule:
    if not piece.lengths:
        return piece.curve()
    ahead = begin * batch - piece.origin
    unit = gcd(batch, ahead, *piece.lengths)
    curve = piece.curve(*(length // unit for length in piece.lengths))
    if ahead:
        curve = fs.shift(curve, ahead // unit)
    return curve if unit == batch else fs.stretch(curve, unit / batch)


_WSD_SHAPES = {"linear": fs.linear, "cosine": fs.cosine, "exponential": fs.exponential(0.5), "minus_sqrt": fs.sqrt}


class _Decay(NamedTuple):
    """The part after the warmup; `end` is the minimum over the maximum rate."""

    warmup: int
    total: int
    end: float
    wsd_steps: int | None
    wsd_style: str | None


def _ramp(start: float, stop: float, shape: Any = fs.linear) -> Callable[[int], Schedule]:
    return lambda steps: fs.ramp(start, stop, steps=steps, shape=shape)


def _constant(decay: _Decay) -> list[_Piece]:
    return [_Piece(decay.warmup, decay.warmup, fs.constant)]


def _down(shape: Any, decay: _Decay) -> list[_Piece]:
    return [_Piece(decay.warmup, decay.warmup, _ramp(1.0, decay.end, shape), (decay.total - decay.warmup,))]


def _inverse_sqrt(decay: _Decay) -> list[_Piece]:
    timescale = max(decay.warmup, 1)  # without warmup the count 0 stands for 1
    return [
        _Piece(0, 0, fs.constant),
        _Piece(timescale, timescale, lambda steps: fs.maximum(fs.inverse_sqrt(steps), decay.end), (timescale,)),
        _Piece(decay.total + 1, decay.total + 1, partial(fs.constant, decay.end)),
    ]


def _wsd(decay: _Decay) -> list[_Piece]:
    function = "optimizer_param_scheduler"
    if decay.wsd_steps is None:
        raise argument_error(function, "wsd_decay_steps", "given for the style 'WSD'", None)
    steps = concrete_nonnegative_int(function, "wsd_decay_steps", decay.wsd_steps)
    shape = choose(function, "lr_wsd_decay_style", decay.wsd_style, _WSD_SHAPES)
    stable, begin = _Piece(decay.warmup, decay.warmup, fs.constant), decay.total - steps
    if steps == 0:
        return [stable, _Piece(decay.total + 1, decay.total + 1, partial(fs.constant, decay.end))]
    # A decay that is longer than what the warmup leaves begins inside it, and is seen from its end on.
    first = begin if begin >= decay.warmup else decay.warmup + 1 if decay.warmup else 0
    return [stable, _Piece(first, begin, _ramp(1.0, decay.end, shape), (steps,))]


_STYLES: dict[str, Callable[[_Decay], list[_Piece]]] = {
    "constant": _constant,
    "linear": partial(_down, fs.linear),
    "cosine": partial(_down, fs.cosine),
    "inverse-square-root": _inverse_sqrt,
    "WSD": _wsd,
}


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
    """The learning rate of Megatron's `OptimizerParamScheduler`.

    ``init_lr + (max_lr - init_lr) * n / lr_warmup_steps`` up to ``n = lr_warmup_steps``, then
    ``min_lr + (max_lr - min_lr) * f(u)`` with ``u = (n - lr_warmup_steps) / (lr_decay_steps - lr_warmup_steps)`` and
    ``f = 1 - u`` (linear) or ``(1 + cos(pi u)) / 2`` (cosine), where ``n = step * global_batch_size``;
    for "WSD" 1 up to ``lr_decay_steps - wsd_decay_steps`` and then, with v the fraction of `wsd_decay_steps`,
    ``1 - v`` (linear), ``(1 + cos(pi v)) / 2`` (cosine), ``2 * 0.5 ** v - 1`` (exponential) or ``1 - sqrt(v)``
    (minus_sqrt); for "inverse-square-root" ``max(min_lr, max_lr * sqrt(lr_warmup_steps / n))`` up to
    ``n = lr_decay_steps`` and `min_lr`, at once, after it; for "constant" `max_lr`.

    Args:
        init_lr: the rate at update 0, from 0 to `max_lr`.
        max_lr: the rate at the end of the warmup, above 0.
        min_lr: the rate at the end, from 0 to `max_lr`.
        lr_warmup_steps: in samples, as Megatron's trainer counts them; an integer below `lr_decay_steps`. Where it
            comes from a fraction of the samples, round it.
        lr_decay_steps: the length with the warmup, in samples; at least 1.
        lr_decay_style: "constant", "linear", "cosine", "inverse-square-root" or "WSD".
        wsd_decay_steps: the length of the decay of "WSD", in samples, an integer; without effect on the other
            styles, as `lr_wsd_decay_style`. If it is more than the warmup leaves, the rate drops after the warmup to
            where such a decay would stand.
        lr_wsd_decay_style: "linear", "cosine", "exponential" or "minus_sqrt".
        global_batch_size: the samples of one update, at least 1. With the 1 given here, all lengths are in updates.
            A batch size that changes during the run (`rampup_batch_size`) has no such clock.

    Returns:
        A schedule on the clock of updates, and `max_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.megatron import optimizer_param_scheduler
        >>> schedule, peak_value = optimizer_param_scheduler(
        ...     init_lr=0.0, max_lr=0.5, min_lr=0.125, lr_warmup_steps=100, lr_decay_steps=1000, lr_decay_style="WSD",
        ...     wsd_decay_steps=400, lr_wsd_decay_style="minus_sqrt", global_batch_size=10)
        >>> [peak_value * schedule(step) for step in (0, 10, 60, 70, 100, 101)]
        [0.0, 0.5, 0.5, 0.3125, 0.125, 0.125]

    A parameter group with its own `max_lr` or `min_lr` is the same function of these numbers.

    Source: megatron-core 0.16.1, megatron/core/optimizer_param_scheduler.py.
    """
    name = "optimizer_param_scheduler"
    peak = positive(name, "max_lr", max_lr)
    lowest, first = concrete_level(name, "min_lr", min_lr), concrete_level(name, "init_lr", init_lr)
    for argument, value in (("min_lr", lowest), ("init_lr", first)):
        if value > peak:
            raise argument_error(name, argument, f"at most `max_lr` ({max_lr!r})", value)
    total = concrete_positive_int(name, "lr_decay_steps", lr_decay_steps)
    warmup = concrete_nonnegative_int(name, "lr_warmup_steps", lr_warmup_steps)
    if warmup >= total:
        raise argument_error(name, "lr_warmup_steps", f"below `lr_decay_steps` ({total})", lr_warmup_steps)
    batch = concrete_positive_int(name, "global_batch_size", global_batch_size)
    style = choose(name, "lr_decay_style", lr_decay_style, _STYLES)
    pieces = style(_Decay(warmup, total, lowest / peak, wsd_decay_steps, lr_wsd_decay_style))
    if warmup:
        pieces = [_Piece(0, 0, _ramp(first / peak, 1.0), (warmup,)), *(piece for piece in pieces if piece.first)]
    return Rated(_in_updates(pieces, batch), peak)


def _constant_decay(start: float, end: float) -> Any:
    if start != end:
        raise argument_error("weight_decay", "start_wd", f"`end_wd` ({end!r}) for the style 'constant'", start)
    return fs.linear


_WD_SHAPES = {
    "constant": _constant_decay,
    "linear": lambda start, end: fs.linear,
    "cosine": lambda start, end: fs.cosine,
}


def weight_decay(
    *,
    start_wd: float,
    end_wd: float,
    wd_incr_steps: int,
    wd_incr_style: str,
    wd_mult: float = 1.0,
    global_batch_size: int = 1,
) -> Rated:
    """The weight decay of Megatron's `OptimizerParamScheduler`.

    ``wd_mult * (start_wd + (end_wd - start_wd) * f(n / wd_incr_steps))`` with ``n = step * global_batch_size`` and
    ``f(u) = u`` (linear) or ``(1 - cos(pi u)) / 2`` (cosine); `end_wd` from `wd_incr_steps` on

    Args:
        start_wd: the weight decay at update 0, from 0 to `end_wd`.
        end_wd: the weight decay in the end, at least 0.
        wd_incr_steps: in samples, an integer; with 0 there is no increase.
        wd_incr_style: "constant", where the two are equal, "linear" or "cosine".
        wd_mult: what the parameter group multiplies it by, at least 0.
        global_batch_size: the samples of one update, at least 1. With the 1 given here, `wd_incr_steps` is in updates.

    Returns:
        A schedule on the clock of updates, and ``wd_mult * end_wd``: ``peak_value * schedule(step)`` is the weight
        decay of an update.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: with `wd_incr_steps` 0, Megatron divides by 0 in the styles "linear" and "cosine".

    Example:
        >>> from bridges.megatron import weight_decay
        >>> schedule, peak_value = weight_decay(start_wd=0.0, end_wd=0.5, wd_incr_steps=100, wd_incr_style="linear")
        >>> [peak_value * schedule(step) for step in (0, 50, 100, 101)]
        [0.0, 0.25, 0.5, 0.5]

    Source: megatron-core 0.16.1, megatron/core/optimizer_param_scheduler.py.
    """
    name = "weight_decay"
    start, end = concrete_level(name, "start_wd", start_wd), concrete_level(name, "end_wd", end_wd)
    if start > end:
        raise argument_error(name, "start_wd", f"at most `end_wd` ({end_wd!r})", start_wd)
    steps = concrete_nonnegative_int(name, "wd_incr_steps", wd_incr_steps)
    factor = concrete_level(name, "wd_mult", wd_mult)
    batch = concrete_positive_int(name, "global_batch_size", global_batch_size)
    shape = choose(name, "wd_incr_style", wd_incr_style, _WD_SHAPES)(start, end)
    first = start / end if end else 1.0
    schedule = fs.constant() if first == 1.0 else _in_updates([_Piece(0, 0, _ramp(first, 1.0, shape), (steps,))], batch)
    return Rated(schedule, factor * end)
