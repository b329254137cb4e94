"""timm's scheduler classes as functions.

Each passes a dict of its arguments, `locals()`, to a builder, which validates them and builds the schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from bridges.arguments import checked
from bridges.rated import Rated
from bridges.timm import builders
from bridges.timm.arguments import Arguments


@checked()
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
    """timm's CosineLRScheduler: cosine decays, with optional warmup and restarts.

    ``lr_min + (base_lr * cycle_decay**i - lr_min) * (1 + cos(pi * u**k_decay)) / 2`` in cycle i, where u is the elapsed
    fraction of the cycle; during the warmup ``warmup_lr_init + (base_lr - warmup_lr_init) * t / warmup_t``

    Args:
        base_lr: learning rate of the optimizer (float, above 0).
        t_initial: length of the first cycle (int, 1 to 2**53).
        lr_min: learning rate at the end of each cycle (float, at least 0). Held after the last cycle.
        cycle_mul: ratio of the lengths of successive cycles (float): 1 or 1.001 to 1e6. Another value above 0 is
            accepted if all cycle lengths are fractions with a common denominator of at most 64.
        cycle_decay: ratio of the peaks of successive cycles (float, 1e-30 to 1e30).
        cycle_limit: number of cycles (int, 0 to 2**53).
        warmup_t: length of the warmup (int, 0 to 2**53).
        warmup_lr_init: learning rate at t = 0 if there is a warmup (float, at least 0).
        warmup_prefix: whether the first cycle starts after the warmup (bool). By default it starts at t = 0, so the
            rate drops when the warmup ends.
        k_decay: exponent of the elapsed fraction (float, above 0). Above 1, the rate stays high for longer.
        noise_range_t: must be None.

    Returns:
        A schedule, whose step is timm's t, and its peak value, `base_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: if `cycle_mul` is not 1, timm computes the cycle with a logarithm, whose rounding error can assign the
    first step of a cycle to the previous one. There timm's rate is `lr_min`; here it is the new peak. If `cycle_mul` is
    below 1, timm raises ValueError from ``t_initial / (1 - cycle_mul)`` on; here `lr_min` is held.

    Example:
        >>> from bridges.timm import cosine_lr_scheduler
        >>> schedule, peak_value = cosine_lr_scheduler(0.5, 100, lr_min=0.05, warmup_t=10, warmup_prefix=True)
        >>> [peak_value * schedule(t) for t in (0, 10, 110, 111)]
        [0.0, 0.5, 0.05, 0.05]

    Source: timm 1.0.31, timm.scheduler.CosineLRScheduler.
    """
    return builders.cosine(Arguments("cosine_lr_scheduler", locals()))


@checked()
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
    """timm's TanhLRScheduler: hyperbolic tangent decays, with optional warmup and restarts.

    ``lr_min + (base_lr * cycle_decay**i - lr_min) * (1 - tanh(lb + (ub - lb) * u)) / 2`` in cycle i, where u is the
    elapsed fraction of the cycle. A cycle does not reach its ends: with the default bounds, it starts at 1 - 8e-7 of
    the distance from `lr_min` to the peak and ends at 2.5e-3 of it.

    Args:
        base_lr: learning rate of the optimizer (float, above 0).
        t_initial: length of the first cycle (int, 1 to 2**53).
        lb: argument of tanh at the start of a cycle (float, -40 to 40).
        ub: argument of tanh at the end of a cycle (float, above `lb`, at most 40).
        lr_min: learning rate after the last cycle (float, at least 0).
        cycle_mul: ratio of the lengths of successive cycles (float); see `cosine_lr_scheduler`.
        cycle_decay: ratio of the peaks of successive cycles (float, 1e-30 to 1e30).
        cycle_limit: number of cycles (int, 0 to 2**53).
        warmup_t: length of the warmup (int, 0 to 2**53).
        warmup_lr_init: learning rate at t = 0 if there is a warmup (float, at least 0).
        warmup_prefix: whether the first cycle starts after the warmup, which then rises to `base_lr` (bool). By default
            it starts at t = 0, and the warmup rises to the rate of the cycle at `warmup_t`.
        noise_range_t: must be None.

    Returns:
        A schedule, whose step is timm's t, and its peak value, `base_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: like `cosine_lr_scheduler`.

    Example:
        >>> from bridges.timm import tanh_lr_scheduler
        >>> schedule, peak_value = tanh_lr_scheduler(1.0, 100, lr_min=0.25)
        >>> [round(peak_value * schedule(t), 6) for t in (0, 70, 99, 100)]
        [0.999999, 0.625, 0.252264, 0.25]

    Source: timm 1.0.31, timm.scheduler.TanhLRScheduler.
    """
    return builders.tanh(Arguments("tanh_lr_scheduler", locals()))


@checked()
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
    """timm's PolyLRScheduler: polynomial decays, with optional warmup and restarts.

    ``lr_min + (base_lr * cycle_decay**i - lr_min) * (1 - u**k_decay) ** power`` in cycle i, where u is the elapsed
    fraction of the cycle

    Args:
        base_lr: learning rate of the optimizer (float, above 0).
        t_initial: length of the first cycle (int, 1 to 2**53).
        power: exponent of the decay (float, above 0). Above 1, a cycle ends with slope 0.
        lr_min: learning rate at the end of each cycle (float, at least 0). Held after the last cycle.
        cycle_mul: ratio of the lengths of successive cycles (float); see `cosine_lr_scheduler`.
        cycle_decay: ratio of the peaks of successive cycles (float, 1e-30 to 1e30).
        cycle_limit: number of cycles (int, 0 to 2**53).
        warmup_t: length of the warmup (int, 0 to 2**53).
        warmup_lr_init: learning rate at t = 0 if there is a warmup (float, at least 0).
        warmup_prefix: whether the first cycle starts after the warmup (bool). By default it starts at t = 0, so the
            rate drops when the warmup ends.
        k_decay: exponent of the elapsed fraction (float, above 0). Above 1, the rate stays high for longer.
        noise_range_t: must be None.

    Returns:
        A schedule, whose step is timm's t, and its peak value, `base_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: like `cosine_lr_scheduler`.

    Example:
        >>> from bridges.timm import poly_lr_scheduler
        >>> schedule, peak_value = poly_lr_scheduler(0.5, 100, power=2.0)
        >>> [peak_value * schedule(t) for t in (0, 50, 100)]
        [0.5, 0.125, 0.0]

    Source: timm 1.0.31, timm.scheduler.PolyLRScheduler.
    """
    return builders.poly(Arguments("poly_lr_scheduler", locals()))


@checked()
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
    """timm's StepLRScheduler: multiply by `decay_rate` after every `decay_t`, with optional warmup.

    ``base_lr * decay_rate ** floor(t / decay_t)``

    Args:
        base_lr: learning rate of the optimizer (float, above 0).
        decay_t: interval between decays (int, or a fraction such as 2.4 with a denominator of at most 64; above 0).
        decay_rate: factor of each decay (float, 1e-30 to 1).
        warmup_t: length of the warmup (int, 0 to 2**53).
        warmup_lr_init: learning rate at t = 0 if there is a warmup (float, at least 0).
        warmup_prefix: whether the schedule starts after the warmup instead of at t = 0 (bool). Default: True, unlike in
            the cosine, tanh and poly schedulers.
        noise_range_t: must be None.

    Returns:
        A schedule, whose step is timm's t, and its peak value, `base_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: if the float `decay_t` is slightly above the fraction, timm's ``t // decay_t`` is one too small at exact
    multiples (``11 // 1.1`` is 9), so the decay is one step late. Here it is at the multiple.

    Example:
        >>> from bridges.timm import step_lr_scheduler
        >>> schedule, peak_value = step_lr_scheduler(1.0, 2.4, 0.5, warmup_t=3)
        >>> [peak_value * schedule(t) for t in (0, 3, 5, 6, 7, 8)]
        [0.0, 1.0, 1.0, 0.5, 0.5, 0.25]

    Source: timm 1.0.31, timm.scheduler.StepLRScheduler.
    """
    return builders.step(Arguments("step_lr_scheduler", locals()))


@checked()
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
    """timm's MultiStepLRScheduler: multiply by `decay_rate` one step before each milestone, with optional warmup.

    ``base_lr * decay_rate ** (number of milestones <= t + 1)``

    Args:
        base_lr: learning rate of the optimizer (float, above 0).
        decay_t: milestones (ints, 0 to 2**53, sorted). A milestone of 30 takes effect at t = 29, as in timm. A repeated
            milestone counts twice.
        decay_rate: factor of each decay (float, at least 0).
        warmup_t: length of the warmup (int, 0 to 2**53).
        warmup_lr_init: learning rate at t = 0 if there is a warmup (float, at least 0).
        warmup_prefix: whether the schedule starts after the warmup instead of at t = 0 (bool). Default: True, unlike in
            the cosine, tanh and poly schedulers.
        noise_range_t: must be None.

    Returns:
        A schedule, whose step is timm's t, and its peak value, `base_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.timm import multistep_lr_scheduler
        >>> schedule, peak_value = multistep_lr_scheduler(1.0, [30, 60], 0.5)
        >>> [peak_value * schedule(t) for t in (28, 29, 58, 59)]
        [1.0, 0.5, 0.5, 0.25]

    Source: timm 1.0.31, timm.scheduler.MultiStepLRScheduler.
    """
    return builders.multistep(Arguments("multistep_lr_scheduler", locals()))


@checked()
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
    """timm's WSDLRScheduler: warmup, stable phase and decay.

    ``lr_min + (max(base_lr * stable(s), lr_min) - lr_min) * decay(u)``, where s is the number of steps since the end of
    the warmup and u the elapsed fraction of the decay. `stable` is 1 for "constant",
    ``(1 + s / stable_timescale) ** -0.5`` for "rsqrt" and ``(1 + s / stable_timescale) ** -stable_power`` for "power".

    Args:
        base_lr: learning rate of the optimizer (float, above 0).
        t_initial: length of the stable phase and the decay, without the warmup (int, 1 to 2**53).
        decay_t: length of the decay (int, 1 to `t_initial`).
        lr_min: learning rate after the decay (float, at least 0).
        stable_fn: curve of the stable phase: "constant", "rsqrt" or "power".
        stable_timescale: timescale of "rsqrt" and "power" (int, or a fraction with a denominator of at most 64; above
            0). Default: `warmup_t`.
        stable_power: exponent of "power" (float, above 0).
        decay_fn: curve of the decay: "linear" (``1 - u``), "1-sqrt" (``1 - sqrt(u)``), "cosine"
            (``(1 + cos(pi * u)) / 2``), "power" (``1 - u ** decay_power``), "exp"
            (``(decay_ratio ** u - decay_ratio) / (1 - decay_ratio)``), or a function of u, such as ``1 - u / 2``,
            that accepts every type of array with which the schedule is called.
        decay_power: exponent of the "power" decay (float, above 0).
        decay_ratio: parameter of the "exp" decay (float, between 0 and 1).
        warmup_t: length of the warmup (int, 0 to 2**53).
        warmup_lr_init: learning rate at t = 0 if there is a warmup (float, at least 0).
        noise_range_t: must be None.

    Returns:
        A schedule, whose step is timm's t, and its peak value, `base_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.timm import wsd_lr_scheduler
        >>> schedule, peak_value = wsd_lr_scheduler(0.5, 90, 20, warmup_t=10)
        >>> [peak_value * schedule(t) for t in (0, 5, 10, 80, 85, 100)]
        [0.0, 0.25, 0.5, 0.5, 0.25, 0.0]

    Source: timm 1.0.31, timm.scheduler.WSDLRScheduler.
    """
    return builders.wsd(Arguments("wsd_lr_scheduler", locals()))
