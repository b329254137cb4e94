"""The schedules of fairseq, built from the name of a scheduler (`--lr-scheduler`) and its arguments.

A step is fairseq's `num_updates`, the number of updates already made. As in fairseq's configuration, `lr` is a number
or a list of one number.

"reduce_lr_on_plateau" is not supported, because it depends on the validation loss and not on the step alone. "manual"
and "pass_through" define no schedule; for a hand-written one, use `funcsched.piecewise_constant`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import funcsched as fs
from bridges.rated import Rated, checked, choose
from funcsched.core.validation import (
    argument_error,
    as_number,
    boolean,
    concrete_nonnegative,
    concrete_nonnegative_int,
    concrete_positive_int,
    growth_factor,
    positive,
    ratio,
    ratio_up_to_one,
    sequence,
)


def _learning_rates(function: str, lr: Any) -> list[float]:
    if not hasattr(lr, "__iter__") or isinstance(lr, str):
        return [float(positive(function, "lr", lr))]
    rates = sequence(function, "lr", lr, positive, "numbers")
    if not rates:
        raise argument_error(function, "lr", "at least one number", lr)
    return list(rates)


def _learning_rate(function: str, lr: Any) -> float:
    rates = _learning_rates(function, lr)
    if len(rates) > 1:
        raise argument_error(function, "lr", "one number (only `fixed` accepts one for each epoch)", lr)
    return rates[0]


def _warmup_init_lr(function: str, warmup_init_lr: Any, default: float) -> float:
    """The learning rate at step 0. A negative number selects the default."""
    value: float = as_number(function, "warmup_init_lr", "a number", warmup_init_lr)
    return default if value < 0 else float(concrete_nonnegative(function, "warmup_init_lr", value))


def _min_lr(function: str, min_lr: Any, peak: float) -> float:
    value: float = concrete_nonnegative(function, "min_lr", min_lr)
    if value >= peak:
        raise argument_error(function, "min_lr", f"below `lr` ({peak!r})", min_lr)
    return value


@checked()
def fixed(
    *,
    lr: float | Iterable[float],
    force_anneal: int | None = None,
    lr_shrink: float = 0.1,
    warmup_updates: int = 0,
    updates_per_epoch: int | None = None,
) -> Rated:
    """fairseq's "fixed": a learning rate for each epoch, with an optional warmup that starts above 0.

    ``min(1, (step + 1) / warmup_updates)`` times the rate of epoch ``e = 1 + step // updates_per_epoch``, which is
    ``lr[min(e, len(lr)) - 1]``, and from epoch `force_anneal` on ``lr[-1] * lr_shrink ** (e + 1 - force_anneal)``.

    Args:
        lr: learning rate, or one for each epoch (float or list of float, above 0). The last one is held.
        force_anneal: first epoch in which the last learning rate shrinks (int, 1 to 2**53). Default: never.
        lr_shrink: factor per epoch from `force_anneal` on (float, 1e-30 to 1).
        warmup_updates: number of warmup steps (int, 0 to 2**53). 0 means no warmup.
        updates_per_epoch: number of updates per epoch (int, 1 to 2**53). Not an argument of fairseq. Required if the
            learning rate depends on the epoch; epochs of different lengths are not supported.

    Returns:
        A schedule and its peak value, the highest of the learning rates.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.fairseq import fixed
        >>> schedule, peak_value = fixed(
        ...     lr=[0.5, 0.25], force_anneal=4, lr_shrink=0.5, warmup_updates=4, updates_per_epoch=10)
        >>> [peak_value * schedule(step) for step in (0, 3, 9, 10, 29, 30, 40)]
        [0.125, 0.5, 0.5, 0.25, 0.25, 0.125, 0.0625]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/fixed_schedule.py.
    """
    function = "fixed"
    rates = _learning_rates(function, lr)
    peak = max(rates)
    shrink = ratio_up_to_one(function, "lr_shrink", lr_shrink)
    warmup = concrete_nonnegative_int(function, "warmup_updates", warmup_updates)
    schedule: fs.Schedule = fs.constant()
    if len(rates) > 1 or force_anneal is not None:
        if updates_per_epoch is None:
            raise argument_error(function, "updates_per_epoch", "given if the learning rate depends on the epoch", None)
        epoch = concrete_positive_int(function, "updates_per_epoch", updates_per_epoch)
        boundaries = [epoch * count for count in range(1, len(rates))]
        schedule = fs.piecewise_constant(boundaries, levels=[rate / peak for rate in rates])
        if force_anneal is not None:
            annealed = fs.scale(fs.step_decay(epoch, shrink), rates[-1] / peak * shrink)
            boundary = epoch * (concrete_positive_int(function, "force_anneal", force_anneal) - 1)
            schedule = fs.join([schedule, annealed], [boundary])
    if warmup:
        schedule = fs.product(fs.shift(fs.ramp(0.0, 1.0, steps=warmup), 1), schedule)
    return Rated(schedule, peak)


@checked()
def inverse_sqrt(*, lr: float | Iterable[float], warmup_updates: int = 4000, warmup_init_lr: float = -1) -> Rated:
    """fairseq's "inverse_sqrt": a warmup, then a decay with the inverse square root of the step.

    ``warmup_init_lr + (lr - warmup_init_lr) * step / warmup_updates`` below `warmup_updates`, then
    ``lr * sqrt(warmup_updates / step)``.

    Args:
        lr: learning rate at the end of the warmup (float, above 0).
        warmup_updates: number of warmup steps (int, 1 to 2**53). With 0, fairseq divides by 0.
        warmup_init_lr: learning rate at step 0 (float). A negative number means 0.

    Returns:
        A schedule and its peak value, `lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.fairseq import inverse_sqrt
        >>> schedule, peak_value = inverse_sqrt(lr=0.5, warmup_updates=100, warmup_init_lr=0.25)
        >>> [peak_value * schedule(step) for step in (0, 50, 100, 400)]
        [0.25, 0.375, 0.5, 0.25]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/inverse_square_root_schedule.py.
    """
    function = "inverse_sqrt"
    peak = _learning_rate(function, lr)
    warmup = concrete_positive_int(function, "warmup_updates", warmup_updates)
    start = _warmup_init_lr(function, warmup_init_lr, 0.0)
    return Rated(fs.warmup_inverse_sqrt(warmup, start=start / peak), peak)


@checked()
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
    """fairseq's "cosine": a warmup, then cosine decays that restart at lower peaks, indefinitely.

    ``warmup_init_lr + (lr - warmup_init_lr) * step / warmup_updates`` below `warmup_updates`, then
    ``lr_shrink ** i * (min_lr + (lr - min_lr) * (1 + cos(pi * u)) / 2)``, where u is the elapsed fraction of
    cycle i.

    Args:
        lr: learning rate at the end of the warmup (float, above `min_lr`).
        warmup_updates: number of warmup steps (int, 0 to 2**53). 0 means no warmup.
        warmup_init_lr: learning rate at step 0 (float). A negative number means `min_lr`.
        min_lr: learning rate at the end of the first cycle (float, at least 0). It shrinks like the peaks.
        t_mult: ratio of the lengths of successive cycles (float, 1 or 1.001 to 1e6). Below 1, fairseq raises ValueError
            from ``lr_period_updates / (1 - t_mult)`` steps after the warmup on.
        lr_period_updates: number of steps of the first cycle (int, at most 2**53). 0 or less means
            ``max_update - warmup_updates``.
        lr_shrink: factor of the learning rate per cycle (float, 1e-30 to 1). With fairseq's default of 0.1, the
            learning rate restarts at ``0.1 * lr`` after the first cycle.
        max_update: number of updates of the run (int, above `warmup_updates`). Required if `lr_period_updates` is
            not above 0.

    Returns:
        A schedule and its peak value, `lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: if `t_mult` is not 1, fairseq computes the cycle with a logarithm, whose rounding error can assign the
    first step of a cycle to the previous one. There fairseq's rate is that of the end of the previous cycle; here it is
    the new peak. Example: 121 steps after the warmup with ``t_mult=3, lr_period_updates=1``.

    Example:
        >>> from bridges.fairseq import cosine
        >>> schedule, peak_value = cosine(lr=0.5, max_update=110, warmup_updates=10, lr_shrink=0.5)
        >>> [round(peak_value * schedule(step), 12) for step in (0, 5, 10, 60, 110, 160, 210)]
        [0.0, 0.25, 0.5, 0.25, 0.25, 0.125, 0.125]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/cosine_lr_scheduler.py.
    """
    function = "cosine"
    peak = _learning_rate(function, lr)
    end = _min_lr(function, min_lr, peak)
    warmup = concrete_nonnegative_int(function, "warmup_updates", warmup_updates)
    start = _warmup_init_lr(function, warmup_init_lr, end)
    factor = growth_factor(function, "t_mult", t_mult)
    shrink = ratio_up_to_one(function, "lr_shrink", lr_shrink)
    period = _first_period(function, warmup, lr_period_updates, max_update)
    cycle = fs.ramp(1.0, end / peak, steps=period, shape=fs.cosine)
    cycles = fs.repeat(cycle, period, period_factor=factor, level_factor=shrink)
    return Rated(fs.join([fs.ramp(start / peak, 1.0, steps=warmup), cycles], [warmup]), peak)


def _first_period(function: str, warmup: int, lr_period_updates: Any, max_update: Any) -> int:
    if as_number(function, "lr_period_updates", "an integer", lr_period_updates) > 0:
        return int(concrete_positive_int(function, "lr_period_updates", lr_period_updates))
    if max_update is None:
        raise argument_error(function, "max_update", "given if `lr_period_updates` is not above 0", None)
    total = concrete_nonnegative_int(function, "max_update", max_update)
    if total <= warmup:
        raise argument_error(function, "max_update", f"above `warmup_updates` ({warmup})", max_update)
    return int(total - warmup)


@checked()
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
    """fairseq's "polynomial_decay": a warmup, then a polynomial decay.

    ``lr * step / warmup_updates`` up to `warmup_updates`, then
    ``end_learning_rate + (lr - end_learning_rate) * (1 - u) ** power`` with
    ``u = (step - warmup_updates) / (total_num_update - warmup_updates)``, and `end_learning_rate` from
    `total_num_update` on.

    Args:
        lr: learning rate at the end of the warmup (float, above 0). A list with one for each epoch is not supported.
        warmup_updates: number of warmup steps (int, 0 to 2**53). 0 means no warmup. If it is not
            below `total_num_update`, the learning rate drops to `end_learning_rate` after the warmup.
        force_anneal: must be None. With a number, fairseq's learning rate depends on that of the previous epoch and not
            on the step alone.
        end_learning_rate: learning rate after the decay (float, at least 0).
        power: exponent of the decay (float, above 0).
        total_num_update: total number of steps, including warmup (int, 1 to 2**53). Default: `max_update`.
        max_update: number of updates of the run (int, 1 to 2**53). Required without `total_num_update`.

    Returns:
        A schedule and its peak value, `lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or `force_anneal` is given.

    Example:
        >>> from bridges.fairseq import polynomial_decay
        >>> schedule, peak_value = polynomial_decay(lr=0.5, warmup_updates=10, total_num_update=110, power=2)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 60, 110)]
        [0.0, 0.25, 0.5, 0.125, 0.0]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/polynomial_decay_schedule.py.
    """
    function = "polynomial_decay"
    peak = _learning_rate(function, lr)
    if force_anneal is not None:
        requirement = "None (otherwise the learning rate depends on that of the previous epoch)"
        raise argument_error(function, "force_anneal", requirement, force_anneal)
    end = concrete_nonnegative(function, "end_learning_rate", end_learning_rate) / peak
    exponent = positive(function, "power", power)
    warmup = concrete_nonnegative_int(function, "warmup_updates", warmup_updates)
    if total_num_update is None:
        total = concrete_positive_int(function, "max_update", max_update)
    else:
        total = concrete_positive_int(function, "total_num_update", total_num_update)
    if warmup >= total:
        return Rated(fs.join([fs.ramp(0.0, 1.0, steps=warmup), fs.constant(end)], [warmup + 1]), peak)
    return Rated(fs.warmup_polynomial(warmup, total, end=end, exponent=exponent), peak)


@checked()
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
    """fairseq's "tri_stage": a linear warmup, a constant phase, and an exponential decay.

    ``lr * m``, where the multiplier m is ``init_lr_scale + (1 - init_lr_scale) * step / warmup_steps``, then 1 for
    `hold_steps`, then ``final_lr_scale ** u``, where u is the elapsed fraction of `decay_steps`, then `final_lr_scale`.

    Args:
        lr: learning rate of the constant phase (float, above 0).
        warmup_steps: number of warmup steps (int, 0 to 2**53). A phase of 0 steps is absent.
        hold_steps: number of steps of the constant phase (int, 0 to 2**53).
        decay_steps: number of steps of the decay (int, 0 to 2**53).
        phase_ratio: the three lengths as fractions of `max_update`, rounded down (three floats from 0 to 1, whose sum
            is 1). They replace the three arguments above.
        init_lr_scale: multiplier at step 0 (float, at least 0).
        final_lr_scale: multiplier after the decay (float, 1e-30 to 1e30).
        max_update: number of updates of the run (int, 1 to 2**53). Required with `phase_ratio`.

    Returns:
        A schedule and its peak value, `lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or all phases are absent.

    Differs: if `decay_steps` is 0, fairseq divides by 0; here the multiplier drops to `final_lr_scale`. fairseq
    requires the floating-point sum of `phase_ratio` to be exactly 1, and so rejects (0.6, 0.3, 0.1); here an error of
    1e-9 is accepted.

    Example:
        >>> from bridges.fairseq import tri_stage
        >>> schedule, peak_value = tri_stage(lr=0.5, phase_ratio=(0.1, 0.4, 0.5), max_update=100)
        >>> [round(peak_value * schedule(step), 12) for step in (0, 10, 50, 75, 100)]
        [0.005, 0.5, 0.5, 0.05, 0.005]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/tri_stage_lr_scheduler.py.
    """
    function = "tri_stage"
    peak = _learning_rate(function, lr)
    start = concrete_nonnegative(function, "init_lr_scale", init_lr_scale)
    end = ratio(function, "final_lr_scale", final_lr_scale)
    if phase_ratio is None:
        arguments = {"warmup_steps": warmup_steps, "hold_steps": hold_steps, "decay_steps": decay_steps}
        lengths = [concrete_nonnegative_int(function, argument, value) for argument, value in arguments.items()]
    else:
        lengths = _phase_lengths(function, phase_ratio, max_update)
    if not any(lengths):
        raise argument_error(function, "warmup_steps", "above 0 if `hold_steps` and `decay_steps` are 0", 0)
    return Rated(fs.tri_stage(*lengths, start=start, end=end), peak)


def _phase_lengths(function: str, phase_ratio: Any, max_update: Any) -> list[int]:
    fractions = sequence(function, "phase_ratio", phase_ratio, concrete_nonnegative, "numbers")
    if len(fractions) != 3 or abs(sum(fractions) - 1) > 1e-9:
        raise argument_error(function, "phase_ratio", "three numbers whose sum is 1", phase_ratio)
    if max_update is None:
        raise argument_error(function, "max_update", "given with `phase_ratio`", None)
    total = concrete_positive_int(function, "max_update", max_update)
    return [int(total * fraction) for fraction in fractions]


@checked()
def triangular(
    *,
    lr: float | Iterable[float],
    max_lr: float,
    lr_period_updates: int = 5000,
    lr_shrink: float = 0.1,
    shrink_min: bool = False,
) -> Rated:
    """fairseq's "triangular": triangular cycles between two learning rates, whose peaks shrink, indefinitely.

    ``low + (high - low) * triangle``, where the triangle rises from 0 to 1 and falls back to 0, over
    ``lr_period_updates // 2`` steps each. In cycle i, ``high = max_lr * lr_shrink ** i``, and ``low = lr``, or with
    `shrink_min` ``low = lr * lr_shrink ** i``.

    Args:
        lr: lowest learning rate (float, above 0).
        max_lr: highest learning rate (float, above `lr`).
        lr_period_updates: number of steps of a cycle (int, 2 to 2**53). An odd number is rounded down.
        lr_shrink: factor of the highest learning rate per cycle (float, 1e-30 to 1).
        shrink_min: whether the lowest learning rate shrinks too (bool). Otherwise, as in fairseq, the triangles are
            inverted once the highest learning rate has shrunk below `lr`.

    Returns:
        A schedule and its peak value, `max_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.fairseq import triangular
        >>> schedule, peak_value = triangular(lr=0.25, max_lr=1.0, lr_period_updates=20, lr_shrink=0.5)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 20, 30, 40, 50, 70)]
        [0.25, 0.625, 1.0, 0.25, 0.5, 0.25, 0.25, 0.125]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/triangular_lr_scheduler.py.
    """
    function = "triangular"
    lowest, peak = _learning_rate(function, lr), positive(function, "max_lr", max_lr)
    if peak <= lowest:
        raise argument_error(function, "max_lr", f"above `lr` ({lowest!r})", max_lr)
    half = concrete_nonnegative_int(function, "lr_period_updates", lr_period_updates) // 2
    if half == 0:
        raise argument_error(function, "lr_period_updates", "at least 2", lr_period_updates)
    shrink = ratio_up_to_one(function, "lr_shrink", lr_shrink)
    low = lowest / peak
    if boolean(function, "shrink_min", shrink_min):
        return Rated(fs.repeat(_triangle(low, 1.0, half), 2 * half, level_factor=shrink), peak)
    # high * triangle + low * (1 - triangle): only the first term shrinks.
    highs = fs.repeat(_triangle(0.0, 1.0, half), 2 * half, level_factor=shrink)
    lows = fs.repeat(_triangle(low, 0.0, half), 2 * half)
    return Rated(fs.add(highs, lows), peak)


def _triangle(start: float, middle: float, half: int) -> fs.Schedule:
    return fs.join([fs.ramp(start, middle, steps=half), fs.ramp(middle, start, steps=half)], [half])


@checked()
def step(
    *,
    lr: float | Iterable[float],
    warmup_updates: int = 0,
    warmup_init_lr: float = -1,
    min_lr: float = 0.0,
    lr_deacy_period: int = 25000,
    lr_decay: float = 0.5,
) -> Rated:
    """fairseq's "step": a warmup, then a decay by a factor after every period, with a lower bound.

    ``warmup_init_lr + (lr - warmup_init_lr) * step / warmup_updates`` below `warmup_updates`, then
    ``max(min_lr, lr * lr_decay ** ((step - warmup_updates) // lr_deacy_period))``.

    Args:
        lr: learning rate at the end of the warmup (float, above `min_lr`).
        warmup_updates: number of warmup steps (int, 0 to 2**53). 0 means no warmup.
        warmup_init_lr: learning rate at step 0 (float). A negative number means `min_lr`.
        min_lr: lower bound of the learning rate after the warmup (float, at least 0).
        lr_deacy_period: number of steps of a period (int, 1 to 2**53). The spelling is fairseq's.
        lr_decay: factor of the learning rate per period (float, 1e-30 to 1).

    Returns:
        A schedule and its peak value, `lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.fairseq import step
        >>> schedule, peak_value = step(lr=0.5, warmup_updates=4, min_lr=0.1, lr_deacy_period=10)
        >>> [peak_value * schedule(step) for step in (0, 4, 13, 14, 24, 34, 1000)]
        [0.1, 0.5, 0.5, 0.25, 0.125, 0.1, 0.1]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler/step_lr_scheduler.py.
    """
    function = "step"
    peak = _learning_rate(function, lr)
    end = _min_lr(function, min_lr, peak)
    warmup = concrete_nonnegative_int(function, "warmup_updates", warmup_updates)
    start = _warmup_init_lr(function, warmup_init_lr, end) / peak
    period = concrete_positive_int(function, "lr_deacy_period", lr_deacy_period)
    factor = ratio_up_to_one(function, "lr_decay", lr_decay)
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
    """The schedule of a fairseq configuration.

    Args:
        lr_scheduler: "fixed", "inverse_sqrt", "cosine", "polynomial_decay", "tri_stage", "triangular" or "step".
        **config: arguments of the function with this name.

    Returns:
        A schedule and its peak value, as returned by this function.

    Raises:
        TypeError, ValueError: the name or an argument is unknown, or an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.fairseq import from_config
        >>> schedule, peak_value = from_config("inverse_sqrt", lr=[0.5], warmup_updates=100)
        >>> [peak_value * schedule(step) for step in (0, 50, 100, 400)]
        [0.0, 0.25, 0.5, 0.25]

    Source: fairseq 0.12.2, fairseq/optim/lr_scheduler.
    """
    build = choose("from_config", "lr_scheduler", lr_scheduler, _SCHEDULERS)
    rated: Rated = build(**config)
    return rated
