"""One function for each scheduler class of timm."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from bridges.rated import Rated
from bridges.timm.construction import Given, cosine, multistep, poly, step, tanh, wsd


def cosine_lr_scheduler(
    base_lr: float,
    t_initial: int,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    *,
    k_decay: float = 1.0,
    noise_range_t: None = None,
) -> Rated:
    """timm's CosineLRScheduler: cosine decays, each longer or lower than the one before if wanted.

    ``lr_min + (base_lr * cycle_decay**i - lr_min) * (1 + cos(pi * u**k_decay)) / 2`` in cycle i, with u the fraction of
    it; before that ``warmup_lr_init + (base_lr - warmup_lr_init) * t / warmup_t``

    Args:
        base_lr: the optimizer's learning rate, above 0.
        t_initial: the length of the first cycle, an integer of at least 1.
        lr_min: the rate at the end of each cycle, at least 0; held after the last.
        cycle_mul: how many times as long each cycle is as the one before: 1, from 1.001 to 1e6, or below that where all
            lengths are fractions with a common denominator of at most 64.
        cycle_decay: how many times as high, from 1e-30 to 1e30.
        cycle_limit: how many cycles, an integer of at least 0.
        warmup_t: the length of the warmup, an integer of at least 0.
        warmup_lr_init: the rate at t = 0 with a warmup, at least 0.
        warmup_prefix: whether the cycles begin after the warmup. By default they began at t = 0, and the rate jumps
            down where the warmup ends.
        k_decay: above 1 the rate stays high for longer, above 0.
        noise_range_t: None; noise is refused.

    Returns:
        The schedule, in units of t, and `base_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: where cycles change their length, timm finds the cycle by a logarithm, whose rounding can leave the first
    step of a cycle in the one before; there timm gives `lr_min`, and ours the new peak. With `cycle_mul` below 1, timm
    raises a ValueError from ``t_initial / (1 - cycle_mul)`` on, and ours holds `lr_min`.

    Example:
        >>> from bridges.timm import cosine_lr_scheduler
        >>> schedule, base_lr = cosine_lr_scheduler(0.5, 100, lr_min=0.05, warmup_t=10, warmup_prefix=True)
        >>> [base_lr * schedule(t) for t in (0, 10, 110, 111)]
        [0.0, 0.5, 0.05, 0.05]

    Source: timm 1.0.31, timm.scheduler.CosineLRScheduler.
    """
    return cosine(Given("cosine_lr_scheduler", locals()))


def tanh_lr_scheduler(
    base_lr: float,
    t_initial: int,
    lb: float = -7.0,
    ub: float = 3.0,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    *,
    noise_range_t: None = None,
) -> Rated:
    """timm's TanhLRScheduler: decays along the hyperbolic tangent.

    ``lr_min + (base_lr * cycle_decay**i - lr_min) * (1 - tanh(lb + (ub - lb) * u)) / 2`` in cycle i, with u the
    fraction of it. Neither end is exact: by default a cycle starts 8e-7 below its peak and ends 2.5e-3 above `lr_min`.

    Args:
        base_lr: the optimizer's learning rate, above 0.
        t_initial: the length of the first cycle, an integer of at least 1.
        lb: where on the tangent a cycle begins, from -40 to 40.
        ub: where it ends, above `lb`, from -40 to 40.
        lr_min: the rate after the last cycle, at least 0.
        cycle_mul: as in `cosine_lr_scheduler`, as all the following.
        cycle_decay: how many times as high each cycle is as the one before, from 1e-30 to 1e30.
        cycle_limit: how many cycles, an integer of at least 0.
        warmup_t: the length of the warmup, an integer of at least 0.
        warmup_lr_init: the rate at t = 0 with a warmup, at least 0.
        warmup_prefix: whether the cycles begin after the warmup, which then goes to `base_lr`. By default they began at
            t = 0, and the warmup goes to the rate that they have where it ends.
        noise_range_t: None; noise is refused.

    Returns:
        The schedule, in units of t, and `base_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: as `cosine_lr_scheduler` does.

    Example:
        >>> from bridges.timm import tanh_lr_scheduler
        >>> schedule, base_lr = tanh_lr_scheduler(1.0, 100, lr_min=0.25)
        >>> [round(base_lr * schedule(t), 6) for t in (0, 70, 99, 100)]
        [0.999999, 0.625, 0.252264, 0.25]

    Source: timm 1.0.31, timm.scheduler.TanhLRScheduler.
    """
    return tanh(Given("tanh_lr_scheduler", locals()))


def poly_lr_scheduler(
    base_lr: float,
    t_initial: int,
    power: float = 0.5,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    *,
    k_decay: float = 1.0,
    noise_range_t: None = None,
) -> Rated:
    """timm's PolyLRScheduler: polynomial decays.

    ``lr_min + (base_lr * cycle_decay**i - lr_min) * (1 - u**k_decay) ** power`` in cycle i, with u the fraction of it

    Args:
        base_lr: the optimizer's learning rate, above 0.
        t_initial: the length of the first cycle, an integer of at least 1.
        power: above 0; above 1 a cycle ends flat.
        lr_min: the rate at the end of each cycle, at least 0; held after the last.
        cycle_mul: as in `cosine_lr_scheduler`, as all the following.
        cycle_decay: how many times as high each cycle is as the one before, from 1e-30 to 1e30.
        cycle_limit: how many cycles, an integer of at least 0.
        warmup_t: the length of the warmup, an integer of at least 0.
        warmup_lr_init: the rate at t = 0 with a warmup, at least 0.
        warmup_prefix: whether the cycles begin after the warmup. By default they began at t = 0, and the rate jumps
            down where the warmup ends.
        k_decay: above 1 the rate stays high for longer, above 0.
        noise_range_t: None; noise is refused.

    Returns:
        The schedule, in units of t, and `base_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: as `cosine_lr_scheduler` does.

    Example:
        >>> from bridges.timm import poly_lr_scheduler
        >>> schedule, base_lr = poly_lr_scheduler(0.5, 100, power=2.0)
        >>> [base_lr * schedule(t) for t in (0, 50, 100)]
        [0.5, 0.125, 0.0]

    Source: timm 1.0.31, timm.scheduler.PolyLRScheduler.
    """
    return poly(Given("poly_lr_scheduler", locals()))


def step_lr_scheduler(
    base_lr: float,
    decay_t: float,
    decay_rate: float = 1.0,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = True,
    *,
    noise_range_t: None = None,
) -> Rated:
    """timm's StepLRScheduler: the same factor after every `decay_t`.

    ``base_lr * decay_rate ** floor(t / decay_t)``

    Args:
        base_lr: the optimizer's learning rate, above 0.
        decay_t: above 0, an integer or a fraction with a denominator of at most 64, such as 2.4.
        decay_rate: the factor, from 1e-30 to 1.
        warmup_t: the length of the warmup, an integer of at least 0.
        warmup_lr_init: the rate at t = 0 with a warmup, at least 0.
        warmup_prefix: whether t is counted from the end of the warmup; unlike in the classes of cycles, it is.
        noise_range_t: None; noise is refused.

    Returns:
        The schedule, in units of t, and `base_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: where the float of a fraction is a little above it, timm's ``t // decay_t`` is one short at exact multiples
    (``11 // 1.1`` is 9), and the factor comes one step late there; ours comes at the multiple.

    Example:
        >>> from bridges.timm import step_lr_scheduler
        >>> schedule, base_lr = step_lr_scheduler(1.0, 2.4, 0.5, warmup_t=3)
        >>> [base_lr * schedule(t) for t in (0, 3, 5, 6, 7, 8)]
        [0.0, 1.0, 1.0, 0.5, 0.5, 0.25]

    Source: timm 1.0.31, timm.scheduler.StepLRScheduler.
    """
    return step(Given("step_lr_scheduler", locals()))


def multistep_lr_scheduler(
    base_lr: float,
    decay_t: Iterable[int],
    decay_rate: float = 1.0,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = True,
    *,
    noise_range_t: None = None,
) -> Rated:
    """timm's MultiStepLRScheduler: the same factor at each of several steps, one step before each.

    ``base_lr * decay_rate ** (how many of decay_t are at most t + 1)``

    Args:
        base_lr: the optimizer's learning rate, above 0.
        decay_t: integers in order; one that stands there twice counts twice. 30 acts from t = 29 on.
        decay_rate: the factor, at least 0.
        warmup_t: the length of the warmup, an integer of at least 0.
        warmup_lr_init: the rate at t = 0 with a warmup, at least 0.
        warmup_prefix: whether t is counted from the end of the warmup; unlike in the classes of cycles, it is.
        noise_range_t: None; noise is refused.

    Returns:
        The schedule, in units of t, and `base_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.timm import multistep_lr_scheduler
        >>> schedule, base_lr = multistep_lr_scheduler(1.0, [30, 60], 0.5)
        >>> [base_lr * schedule(t) for t in (28, 29, 58, 59)]
        [1.0, 0.5, 0.5, 0.25]

    Source: timm 1.0.31, timm.scheduler.MultiStepLRScheduler.
    """
    return multistep(Given("multistep_lr_scheduler", locals()))


def wsd_lr_scheduler(
    base_lr: float,
    t_initial: int,
    decay_t: int,
    lr_min: float = 0.0,
    stable_fn: Literal["constant", "rsqrt", "power"] = "constant",
    stable_timescale: float | None = None,
    stable_power: float = 0.5,
    decay_fn: str | Callable[[Any], Any] = "1-sqrt",
    decay_power: float = 0.5,
    decay_ratio: float = 0.1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    *,
    noise_range_t: None = None,
) -> Rated:
    """timm's WSDLRScheduler: a warmup, a stable phase and a decay.

    ``lr_min + (max(base_lr * stable(s), lr_min) - lr_min) * decay(u)``, with s counted from the end of the warmup and u
    the fraction of the last `decay_t` of `t_initial`; `stable` is 1, ``(1 + s / stable_timescale) ** -0.5`` or
    ``(1 + s / stable_timescale) ** -stable_power``

    Args:
        base_lr: the optimizer's learning rate, above 0.
        t_initial: the length of the stable phase and the decay, without the warmup, an integer of at least 1.
        decay_t: the length of the decay, an integer from 1 to `t_initial`.
        lr_min: the rate after the decay, at least 0.
        stable_fn: "constant", "rsqrt" or "power".
        stable_timescale: of the other two, above 0, an integer or a fraction with a denominator of at most 64; by
            default `warmup_t`.
        stable_power: the exponent of "power", above 0.
        decay_fn: "linear" (``1 - u``), "1-sqrt" (``1 - sqrt(u)``), "cosine", "power" (``1 - u ** decay_power``), "exp"
            (``(decay_ratio ** u - decay_ratio) / (1 - decay_ratio)``), or a function of u that is 1 at 0 and 0 at 1 and
            runs on the arrays it will meet.
        decay_power: above 0.
        decay_ratio: between 0 and 1.
        warmup_t: the length of the warmup, an integer of at least 0.
        warmup_lr_init: the rate at t = 0 with a warmup, at least 0.
        noise_range_t: None; noise is refused.

    Returns:
        The schedule, in units of t, and `base_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: after the end timm holds what a function as `decay_fn` gives at 1, ours `lr_min`.

    Example:
        >>> from bridges.timm import wsd_lr_scheduler
        >>> schedule, base_lr = wsd_lr_scheduler(0.5, 90, 20, warmup_t=10)
        >>> [base_lr * schedule(t) for t in (0, 5, 10, 80, 85, 100)]
        [0.0, 0.25, 0.5, 0.5, 0.25, 0.0]

    Source: timm 1.0.31, timm.scheduler.WSDLRScheduler.
    """
    return wsd(Given("wsd_lr_scheduler", locals()))
