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
from bridges.arguments import BY_TYPE, checked, choose, required
from bridges.rated import Rated
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error, as_number, sequence


def _warmup_init_lr(function: str, argument: str, value: Any) -> Any:
    """The rule of a learning rate for which any negative number selects the default."""
    is_default = as_number(function, argument, "a number", value) < 0
    return value if is_default else rules.concrete_nonnegative(function, argument, value)


def _lr_period_updates(function: str, argument: str, value: Any) -> Any:
    """The rule of a period for which any number that is not above 0 selects the default."""
    is_default = as_number(function, argument, "an integer", value) <= 0
    return value if is_default else rules.concrete_positive_int(function, argument, value)


def _phase_ratio(function: str, argument: str, value: Any) -> Any:
    fractions = sequence(function, argument, value, rules.concrete_nonnegative, "numbers")
    if len(fractions) != 3 or abs(sum(fractions) - 1) > 1e-9:
        raise argument_error(function, argument, "three numbers whose sum is 1", value)
    return fractions


_RULES = {
    **BY_TYPE,
    **dict.fromkeys(["max_update", "total_num_update", "updates_per_epoch"], rules.concrete_positive_int),
    **dict.fromkeys(["lr_shrink", "lr_decay"], rules.ratio_up_to_one),
    **dict.fromkeys(["max_lr", "power"], rules.positive),
    "warmup_init_lr": _warmup_init_lr,
    "lr_period_updates": _lr_period_updates,
    "t_mult": rules.growth_factor,
    "phase_ratio": _phase_ratio,
    "final_lr_scale": rules.ratio,
}


def _learning_rates(function: str, lr: Any) -> list[float]:
    if not hasattr(lr, "__iter__") or isinstance(lr, str):
        return [rules.positive(function, "lr", lr)]
    rates = sequence(function, "lr", lr, rules.positive, "numbers")
    if not rates:
        raise argument_error(function, "lr", "at least one number", lr)
    return list(rates)


def _learning_rate(function: str, lr: Any, min_lr: float = 0.0) -> float:
    """The only learning rate, which must be above `min_lr`."""
    peak, *others = _learning_rates(function, lr)
    if others:
        raise argument_error(function, "lr", "one number (only `fixed` accepts one for each epoch)", lr)
    if min_lr >= peak:
        raise argument_error(function, "min_lr", f"below `lr` ({peak!r})", min_lr)
    return peak


@checked(common=_RULES, force_anneal=rules.concrete_positive_int)
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
    rates = _learning_rates("fixed", lr)
    peak = max(rates)
    schedule: fs.Schedule = fs.constant()
    if len(rates) > 1 or force_anneal is not None:
        condition = "if the learning rate depends on the epoch"
        epoch: int = required("fixed", "updates_per_epoch", updates_per_epoch, condition)
        boundaries = [epoch * count for count in range(1, len(rates))]
        schedule = fs.piecewise_constant(boundaries, levels=[rate / peak for rate in rates])
        if force_anneal is not None:
            annealed = fs.scale(fs.step_decay(epoch, lr_shrink), rates[-1] / peak * lr_shrink)
            schedule = fs.join([schedule, annealed], [epoch * (force_anneal - 1)])
    if warmup_updates:
        schedule = fs.product(fs.warmup_constant(warmup_updates, warmup_offset=1), schedule)
    return Rated(schedule, peak)


@checked(common=_RULES, warmup_updates=rules.concrete_positive_int)
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
    peak = _learning_rate("inverse_sqrt", lr)
    return Rated(fs.warmup_inverse_sqrt(warmup_updates, start=max(0.0, warmup_init_lr) / peak), peak)


@checked(common=_RULES, max_update=rules.concrete_nonnegative_int)
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
    peak = _learning_rate("cosine", lr, min_lr)
    if lr_period_updates <= 0:
        total: int = required("cosine", "max_update", max_update, "if `lr_period_updates` is not above 0")
        if total <= warmup_updates:
            raise argument_error("cosine", "max_update", f"above `warmup_updates` ({warmup_updates})", max_update)
        lr_period_updates = total - warmup_updates
    start = (min_lr if warmup_init_lr < 0 else warmup_init_lr) / peak
    cycle = fs.ramp(1.0, min_lr / peak, steps=lr_period_updates, shape=fs.cosine)
    cycles = fs.repeat(cycle, lr_period_updates, period_factor=t_mult, level_factor=lr_shrink)
    return Rated(fs.join([fs.ramp(start, 1.0, steps=warmup_updates), cycles], [warmup_updates]), peak)


@checked(common=_RULES)
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
    peak = _learning_rate("polynomial_decay", lr)
    if force_anneal is not None:
        requirement = "None (otherwise the learning rate depends on that of the previous epoch)"
        raise argument_error("polynomial_decay", "force_anneal", requirement, force_anneal)
    total: int = total_num_update or rules.concrete_positive_int("polynomial_decay", "max_update", max_update)
    end = end_learning_rate / peak
    if warmup_updates >= total:
        drop = [fs.ramp(0.0, 1.0, steps=warmup_updates), fs.constant(end)]
        return Rated(fs.join(drop, [warmup_updates + 1]), peak)
    return Rated(fs.warmup_polynomial(warmup_updates, total, end=end, exponent=power), peak)


@checked(common=_RULES)
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
    peak = _learning_rate("tri_stage", lr)
    lengths = [warmup_steps, hold_steps, decay_steps]
    if phase_ratio is not None:
        total: int = required("tri_stage", "max_update", max_update, "with `phase_ratio`")
        lengths = [int(total * fraction) for fraction in phase_ratio]
    if not any(lengths):
        raise argument_error("tri_stage", "warmup_steps", "above 0 if `hold_steps` and `decay_steps` are 0", 0)
    return Rated(fs.tri_stage(*lengths, start=init_lr_scale, end=final_lr_scale), peak)


@checked(common=_RULES, lr_period_updates=rules.concrete_nonnegative_int)
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
    lowest = _learning_rate("triangular", lr)
    if max_lr <= lowest:
        raise argument_error("triangular", "max_lr", f"above `lr` ({lowest!r})", max_lr)
    half = lr_period_updates // 2
    if half == 0:
        raise argument_error("triangular", "lr_period_updates", "at least 2", lr_period_updates)
    low, knots = lowest / max_lr, [0, half, 2 * half]
    if shrink_min:
        return Rated(fs.repeat(fs.interpolate(knots, [low, 1.0, low]), 2 * half, level_factor=lr_shrink), max_lr)
    # high * triangle + low * (1 - triangle): only the first term shrinks.
    highs = fs.repeat(fs.interpolate(knots, [0.0, 1.0, 0.0]), 2 * half, level_factor=lr_shrink)
    lows = fs.repeat(fs.interpolate(knots, [low, 0.0, low]), 2 * half)
    return Rated(fs.add(highs, lows), max_lr)


@checked(common=_RULES, lr_deacy_period=rules.concrete_positive_int)
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
    peak = _learning_rate("step", lr, min_lr)
    start = (min_lr if warmup_init_lr < 0 else warmup_init_lr) / peak
    schedule = fs.warmup_exponential(
        warmup_updates, lr_deacy_period, lr_decay, start=start, end=min_lr / peak, staircase=True
    )
    return Rated(schedule, peak)


_SCHEDULERS: dict[str, Callable[..., Rated]] = {
    build.__name__: build for build in (fixed, inverse_sqrt, cosine, polynomial_decay, tri_stage, triangular, step)
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
    rated: Rated = choose("from_config", "lr_scheduler", lr_scheduler, _SCHEDULERS)(**config)
    return rated
