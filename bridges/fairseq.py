"""Schedules of fairseq, by the names of its configuration (`--lr-scheduler` and its fields).

fairseq's trainer sets the rate by the number of updates made: `step` is its `num_updates`. `lr` is a number, or a list
of one as in fairseq's configuration. "reduce_lr_on_plateau" follows the validation loss and is no function of the step;
"manual" and "pass_through" give no curve of their own (`funcsched.piecewise_constant` is the one written by hand).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import signature
from typing import Any

import funcsched as fs
from bridges.rated import Rated, call_by_name, choose
from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    argument_error,
    as_number,
    boolean,
    concrete_level,
    concrete_nonnegative_int,
    concrete_positive_int,
    number_rule,
    positive,
    ratio,
    sequence,
)

_shrinking = number_rule("a number from 1e-30 to 1", 1e-30, 1)
_growth = number_rule("1 or a number from 1.001 to 1e6", 1, 1e6)


def _rates(function: str, lr: Any) -> tuple[float, ...]:
    if not hasattr(lr, "__iter__"):
        return (float(positive(function, "lr", lr)),)
    rates = sequence(function, "lr", lr, positive, "numbers")
    if not rates:
        raise argument_error(function, "lr", "at least one number", lr)
    return rates


def _rate(function: str, lr: Any) -> float:
    rates = _rates(function, lr)
    if len(rates) > 1:
        raise argument_error(function, "lr", "one number (one for each epoch is for 'fixed')", lr)
    return rates[0]


def _start(function: str, warmup_init_lr: Any, otherwise: float) -> float:
    """Any negative number stands for what the schedule says."""
    value: float = as_number(function, "warmup_init_lr", "a number", warmup_init_lr)
    return otherwise if value < 0 else float(concrete_level(function, "warmup_init_lr", value))


def _floor(function: str, min_lr: Any, peak: float) -> float:
    value: float = concrete_level(function, "min_lr", min_lr)
    if value >= peak:
        raise argument_error(function, "min_lr", f"below `lr` ({peak!r})", min_lr)
    return value


def fixed(
    *,
    lr: float | Iterable[float],
    force_anneal: int | None = None,
    lr_shrink: float = 0.1,
    warmup_updates: int = 0,
    updates_per_epoch: int | None = None,
) -> Rated:
    """fairseq's "fixed": a rate for each epoch, and a warmup that leaves no update at 0.

    ``min(1, (step + 1) / warmup_updates)`` times ``lr[min(e, len(lr)) - 1]`` in epoch ``e = 1 + step //
    updates_per_epoch``, and from the epoch `force_anneal` on ``lr[-1] * lr_shrink ** (e + 1 - force_anneal)``

    Args:
        lr: the rate, or one for each epoch, above 0; the last one holds.
        force_anneal: from which epoch on the last rate shrinks, an integer of at least 1.
        lr_shrink: the factor in each epoch then, from 1e-30 to 1.
        warmup_updates: an integer; with 0 there is no warmup.
        updates_per_epoch: an argument of this library: the updates of one epoch, an integer of at least 1. It must
            be given where the rate depends on the epoch; of epochs of unequal length there is no such schedule.

    Returns:
        A schedule, and the highest of the rates.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.fairseq import fixed
        >>> schedule, peak_value = fixed(
        ...     lr=[0.5, 0.25], force_anneal=4, lr_shrink=0.5, warmup_updates=4, updates_per_epoch=10)
        >>> [peak_value * schedule(step) for step in (0, 3, 9, 10, 29, 30, 40)]
        [0.125, 0.5, 0.5, 0.25, 0.25, 0.125, 0.0625]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/fixed_schedule.py.
    """
    rates = _rates("fixed", lr)
    peak = max(rates)
    shrink = _shrinking("fixed", "lr_shrink", lr_shrink)
    warmup = concrete_nonnegative_int("fixed", "warmup_updates", warmup_updates)
    schedule: Schedule = fs.constant()
    if len(rates) > 1 or force_anneal is not None:
        if updates_per_epoch is None:
            raise argument_error("fixed", "updates_per_epoch", "given where the rate depends on the epoch", None)
        epoch = concrete_positive_int("fixed", "updates_per_epoch", updates_per_epoch)
        begins = [epoch * count for count in range(1, len(rates))]
        schedule = fs.piecewise_constant(begins, levels=[rate / peak for rate in rates])
        if force_anneal is not None:
            begin = epoch * (concrete_positive_int("fixed", "force_anneal", force_anneal) - 1)
            schedule = fs.join([schedule, fs.scale(fs.step_decay(epoch, shrink), rates[-1] / peak * shrink)], [begin])
    if warmup:
        schedule = fs.product(fs.shift(fs.ramp(0.0, 1.0, steps=warmup), 1), schedule)
    return Rated(schedule, peak)


def inverse_sqrt(*, lr: float | Iterable[float], warmup_updates: int = 4000, warmup_init_lr: float = -1) -> Rated:
    """fairseq's "inverse_sqrt": a warmup, and a decay with the inverse square root of the step.

    ``warmup_init_lr + (lr - warmup_init_lr) * step / warmup_updates`` below `warmup_updates`, then
    ``lr * sqrt(warmup_updates / step)``

    Args:
        lr: the rate at the end of the warmup, above 0.
        warmup_updates: an integer of at least 1.
        warmup_init_lr: the rate at update 0; any negative number stands for 0.

    Returns:
        A schedule, and `lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range. Without warmup fairseq divides by
            0.

    Example:
        >>> from bridges.fairseq import inverse_sqrt
        >>> schedule, peak_value = inverse_sqrt(lr=0.5, warmup_updates=100, warmup_init_lr=0.25)
        >>> [peak_value * schedule(step) for step in (0, 50, 100, 400)]
        [0.25, 0.375, 0.5, 0.25]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/inverse_square_root_schedule.py.
    """
    peak = _rate("inverse_sqrt", lr)
    warmup = concrete_positive_int("inverse_sqrt", "warmup_updates", warmup_updates)
    start = _start("inverse_sqrt", warmup_init_lr, 0.0)
    return Rated(fs.warmup_inverse_sqrt(warmup, start=start / peak), peak)


def cosine(
    *,
    lr: float | Iterable[float],
    warmup_updates: int = 0,
    warmup_init_lr: float = -1,
    min_lr: float = 0.0,
    t_mult: float = 1.0,
    lr_period_updates: int = -1,
    lr_shrink: float = 0.1,
    max_update: int | None = None,
) -> Rated:
    """fairseq's "cosine": a warmup, and cosine decays that restart lower, without an end.

    ``warmup_init_lr + (lr - warmup_init_lr) * step / warmup_updates`` below `warmup_updates`, then in cycle i, with u
    the fraction of it, ``lr_shrink ** i * (min_lr + (lr - min_lr) * (1 + cos(pi u)) / 2)``

    Args:
        lr: the rate at the end of the warmup, above `min_lr`.
        warmup_updates: an integer; with 0 there is no warmup.
        warmup_init_lr: the rate at update 0; any negative number stands for `min_lr`.
        min_lr: the rate at the end of the first cycle, at least 0; it shrinks with the peaks.
        t_mult: how many times as long each cycle is as the one before, 1 or from 1.001 to 1e6. fairseq takes less than
            1 as well, and fails where such cycles come to an end.
        lr_period_updates: the length of the first cycle, an integer; 0 or less stands for
            ``max_update - warmup_updates``.
        lr_shrink: the factor of each cycle, from 1e-30 to 1. With the 0.1 of fairseq, the rate does not stay at
            `min_lr` after the first cycle: it is back at a tenth of `lr`.
        max_update: the length of the run, above `warmup_updates`; needed without `lr_period_updates`.

    Returns:
        A schedule, and `lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: with `t_mult` other than 1, fairseq finds the cycle as the rounded down logarithm of a float, which at some
    restarts still gives the cycle before, and with it that one's end instead of the new peak (``t_mult=3``,
    ``lr_period_updates=1``: at 121 updates after the warmup, the fifth restart); ours counts in integers.

    Example:
        >>> from bridges.fairseq import cosine
        >>> schedule, peak_value = cosine(lr=0.5, max_update=110, warmup_updates=10, lr_shrink=0.5)
        >>> [round(peak_value * schedule(step), 12) for step in (0, 5, 10, 60, 110, 160, 210)]
        [0.0, 0.25, 0.5, 0.25, 0.25, 0.125, 0.125]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/cosine_lr_scheduler.py.
    """
    name = "cosine"
    peak = _rate(name, lr)
    end = _floor(name, min_lr, peak)
    warmup = concrete_nonnegative_int(name, "warmup_updates", warmup_updates)
    start = _start(name, warmup_init_lr, end)
    factor = _growth(name, "t_mult", t_mult)
    if 1 < factor < 1.001:
        raise argument_error(name, "t_mult", "1 or a number from 1.001 to 1e6", t_mult)
    shrink = _shrinking(name, "lr_shrink", lr_shrink)
    period = _period(warmup, lr_period_updates, max_update)
    cycle = fs.ramp(1.0, end / peak, steps=period, shape=fs.cosine)
    cycles = fs.repeat(cycle, period, period_factor=factor, level_factor=shrink)
    return Rated(fs.join([fs.ramp(start / peak, 1.0, steps=warmup), cycles], [warmup]), peak)


def _period(warmup: int, lr_period_updates: Any, max_update: Any) -> int:
    if as_number("cosine", "lr_period_updates", "an integer", lr_period_updates) > 0:
        return int(concrete_positive_int("cosine", "lr_period_updates", lr_period_updates))
    if max_update is None:
        raise argument_error("cosine", "max_update", "given, or `lr_period_updates`", None)
    total = concrete_nonnegative_int("cosine", "max_update", max_update)
    if total <= warmup:
        raise argument_error("cosine", "max_update", f"above `warmup_updates` ({warmup})", max_update)
    return int(total - warmup)


def polynomial_decay(
    *,
    lr: float | Iterable[float],
    warmup_updates: int = 0,
    force_anneal: None = None,
    end_learning_rate: float = 0.0,
    power: float = 1.0,
    total_num_update: int | None = None,
    max_update: int | None = None,
) -> Rated:
    """fairseq's "polynomial_decay".

    ``lr * step / warmup_updates`` up to `warmup_updates`, then ``end_learning_rate + (lr - end_learning_rate) * (1 -
    u) ** power`` with ``u = (step - warmup_updates) / (total_num_update - warmup_updates)``, and `end_learning_rate`
    from `total_num_update` on

    Args:
        lr: the rate at the end of the warmup, above 0. A list with one for each epoch is refused.
        warmup_updates: an integer; with 0 there is no warmup. Not below `total_num_update`, it leaves the warmup,
            and `end_learning_rate` after it.
        force_anneal: None. With a number, fairseq's rate at the end of each epoch is what the next decays from: it
            depends on the epochs and on itself, and is refused.
        end_learning_rate: the rate at the end, at least 0.
        power: above 0.
        total_num_update: the length with the warmup, an integer of at least 1; by default `max_update`.
        max_update: the length of the run.

    Returns:
        A schedule, and `lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or `force_anneal` is given.

    Example:
        >>> from bridges.fairseq import polynomial_decay
        >>> schedule, peak_value = polynomial_decay(lr=0.5, warmup_updates=10, total_num_update=110, power=2)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 60, 110)]
        [0.0, 0.25, 0.5, 0.125, 0.0]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/polynomial_decay_schedule.py.
    """
    name = "polynomial_decay"
    peak = _rate(name, lr)
    if force_anneal is not None:
        raise argument_error(
            name, "force_anneal", "None (with it the rate depends on itself at the last epoch)", force_anneal
        )
    end = concrete_level(name, "end_learning_rate", end_learning_rate) / peak
    exponent = positive(name, "power", power)
    warmup = concrete_nonnegative_int(name, "warmup_updates", warmup_updates)
    argument = "max_update" if total_num_update is None else "total_num_update"
    total = concrete_positive_int(name, argument, max_update if total_num_update is None else total_num_update)
    if warmup >= total:
        return Rated(fs.join([fs.ramp(0.0, 1.0, steps=warmup), fs.constant(end)], [warmup + 1]), peak)
    return Rated(fs.warmup_polynomial(warmup, total, end=end, exponent=exponent), peak)


def tri_stage(
    *,
    lr: float | Iterable[float],
    warmup_steps: int = 0,
    hold_steps: int = 0,
    decay_steps: int = 0,
    phase_ratio: Iterable[float] | None = None,
    init_lr_scale: float = 0.01,
    final_lr_scale: float = 0.01,
    max_update: int | None = None,
) -> Rated:
    """fairseq's "tri_stage": a linear warmup, a plateau, and an exponential decay.

    ``lr`` times ``init_lr_scale + (1 - init_lr_scale) * step / warmup_steps``, then times 1 for `hold_steps`, then
    times ``final_lr_scale ** u`` with u the fraction of `decay_steps`; that is held

    Args:
        lr: the rate of the plateau, above 0.
        warmup_steps: an integer of at least 0, as all three; a phase of 0 steps is absent.
        hold_steps: the length of the plateau.
        decay_steps: the length of the decay.
        phase_ratio: the lengths as three shares of `max_update` instead, rounded down; from 0 to 1, with the sum 1.
        init_lr_scale: the multiplier at step 0, at least 0.
        final_lr_scale: the multiplier in the end, from 1e-30 to 1e30.
        max_update: the length of the run, an integer of at least 1; needed with `phase_ratio`.

    Returns:
        A schedule, and `lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or all phases are absent.

    Differs: without `decay_steps` fairseq divides by 0, and ours goes to the end at once. fairseq compares the sum of
    `phase_ratio` with 1 as it was rounded, and so refuses (0.6, 0.3, 0.1); here it may be 1e-9 off.

    Example:
        >>> from bridges.fairseq import tri_stage
        >>> schedule, peak_value = tri_stage(lr=0.5, phase_ratio=(0.1, 0.4, 0.5), max_update=100)
        >>> [round(peak_value * schedule(step), 12) for step in (0, 10, 50, 75, 100)]
        [0.005, 0.5, 0.5, 0.05, 0.005]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/tri_stage_lr_scheduler.py.
    """
    name = "tri_stage"
    peak = _rate(name, lr)
    start, end = concrete_level(name, "init_lr_scale", init_lr_scale), ratio(name, "final_lr_scale", final_lr_scale)
    if phase_ratio is None:
        given = {"warmup_steps": warmup_steps, "hold_steps": hold_steps, "decay_steps": decay_steps}
        lengths = [concrete_nonnegative_int(name, argument, value) for argument, value in given.items()]
    else:
        lengths = _shares(name, phase_ratio, max_update)
    if not any(lengths):
        raise argument_error(name, "warmup_steps", "above 0, or `hold_steps`, `decay_steps` or `phase_ratio` given", 0)
    return Rated(fs.tri_stage(*lengths, start=start, end=end), peak)


def _shares(name: str, phase_ratio: Any, max_update: Any) -> list[int]:
    shares = sequence(name, "phase_ratio", phase_ratio, concrete_level, "numbers")
    if len(shares) != 3 or abs(sum(shares) - 1) > 1e-9:
        raise argument_error(name, "phase_ratio", "three numbers with the sum 1", phase_ratio)
    if max_update is None:
        raise argument_error(name, "max_update", "given for `phase_ratio`", None)
    total = concrete_positive_int(name, "max_update", max_update)
    return [int(total * part) for part in shares]


def triangular(
    *,
    lr: float | Iterable[float],
    max_lr: float,
    lr_period_updates: int = 5000,
    lr_shrink: float = 0.1,
    shrink_min: bool = False,
) -> Rated:
    """fairseq's "triangular": triangles between two rates, of which each is lower than the one before.

    ``low + (high - low) * triangle`` with ``high = max_lr * lr_shrink ** i`` in cycle i, ``low = lr`` or, with
    `shrink_min`, ``lr * lr_shrink ** i``, and the triangle from 0 to 1 and back over two halves of
    ``lr_period_updates // 2`` steps

    Args:
        lr: the lowest rate, above 0.
        max_lr: the highest, above `lr`.
        lr_period_updates: the length of a cycle, an integer of at least 2; an odd one counts as one less.
        lr_shrink: the factor of each cycle, from 1e-30 to 1.
        shrink_min: whether the lowest rate shrinks too. Without it, the triangles stand on their heads as soon as the
            highest rate has shrunk below `lr`, as in fairseq.

    Returns:
        A schedule without an end, and `max_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.fairseq import triangular
        >>> schedule, peak_value = triangular(lr=0.25, max_lr=1.0, lr_period_updates=20, lr_shrink=0.5)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 20, 30, 40, 50, 70)]
        [0.25, 0.625, 1.0, 0.25, 0.5, 0.25, 0.25, 0.125]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/triangular_lr_scheduler.py.
    """
    name = "triangular"
    lowest, peak = _rate(name, lr), float(positive(name, "max_lr", max_lr))
    if peak <= lowest:
        raise argument_error(name, "max_lr", f"above `lr` ({lowest!r})", max_lr)
    half = concrete_nonnegative_int(name, "lr_period_updates", lr_period_updates) // 2
    if half == 0:
        raise argument_error(name, "lr_period_updates", "at least 2", lr_period_updates)
    shrink = _shrinking(name, "lr_shrink", lr_shrink)
    low = lowest / peak
    if boolean(name, "shrink_min", shrink_min):
        return Rated(fs.repeat(_triangle(low, 1.0, half), 2 * half, level_factor=shrink), peak)
    highs = fs.repeat(_triangle(0.0, 1.0, half), 2 * half, level_factor=shrink)
    lows = fs.repeat(_triangle(low, 0.0, half), 2 * half)
    return Rated(fs.add(highs, lows), peak)


def _triangle(start: float, top: float, half: int) -> Schedule:
    return fs.join([fs.ramp(start, top, steps=half), fs.ramp(top, start, steps=half)], [half])


def step(
    *,
    lr: float | Iterable[float],
    warmup_updates: int = 0,
    warmup_init_lr: float = -1,
    min_lr: float = 0.0,
    lr_deacy_period: int = 25000,
    lr_decay: float = 0.5,
) -> Rated:
    """fairseq's "step": a warmup, and the same factor after every period, down to a floor.

    ``warmup_init_lr + (lr - warmup_init_lr) * step / warmup_updates`` below `warmup_updates`, then
    ``max(min_lr, lr * lr_decay ** ((step - warmup_updates) // lr_deacy_period))``

    Args:
        lr: the rate at the end of the warmup, above `min_lr`.
        warmup_updates: an integer; with 0 there is no warmup.
        warmup_init_lr: the rate at update 0; any negative number stands for `min_lr`.
        min_lr: the lowest rate after the warmup, at least 0.
        lr_deacy_period: the length of a period, an integer of at least 1; fairseq spells it so.
        lr_decay: the factor, from 1e-30 to 1.

    Returns:
        A schedule, and `lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.fairseq import step
        >>> schedule, peak_value = step(lr=0.5, warmup_updates=4, min_lr=0.1, lr_deacy_period=10)
        >>> [peak_value * schedule(step) for step in (0, 4, 13, 14, 24, 34, 1000)]
        [0.1, 0.5, 0.5, 0.25, 0.125, 0.1, 0.1]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/step_lr_scheduler.py.
    """
    name = "step"
    peak = _rate(name, lr)
    end = _floor(name, min_lr, peak)
    warmup = concrete_nonnegative_int(name, "warmup_updates", warmup_updates)
    start = _start(name, warmup_init_lr, end) / peak
    period = concrete_positive_int(name, "lr_deacy_period", lr_deacy_period)
    factor = _shrinking(name, "lr_decay", lr_decay)
    return Rated(fs.warmup_exponential(warmup, period, factor, start=start, end=end / peak, staircase=True), peak)


_SCHEDULERS: dict[str, Callable[..., Rated]] = {
    "fixed": fixed,
    "inverse_sqrt": inverse_sqrt,
    "cosine": cosine,
    "polynomial_decay": polynomial_decay,
    "tri_stage": tri_stage,
    "triangular": triangular,
    "step": step,
}


def from_config(lr_scheduler: str, **config: Any) -> Rated:
    """A schedule by fairseq's name of it.

    Args:
        lr_scheduler: "fixed", "inverse_sqrt", "cosine", "polynomial_decay", "tri_stage", "triangular" or "step".
        **config: the arguments of the function here of that name.

    Returns:
        A schedule, and its peak value.

    Raises:
        TypeError, ValueError: the name or an argument does not exist, or an argument is out of its range.

    Example:
        >>> from bridges.fairseq import from_config
        >>> schedule, peak_value = from_config("inverse_sqrt", lr=[0.5], warmup_updates=100)
        >>> [peak_value * schedule(step) for step in (0, 50, 100, 400)]
        [0.0, 0.25, 0.5, 0.25]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler.
    """
    build = choose("from_config", "lr_scheduler", lr_scheduler, _SCHEDULERS)
    rated: Rated = call_by_name(lr_scheduler, build, signature(build).parameters, config)
    return rated
