"""The schedules of Hugging Face transformers, by the names and arguments of its `get_scheduler`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any, NamedTuple

import funcsched as fs
from bridges.rated import call_by_name, choose
from funcsched.core.validation import (
    argument_error,
    concrete_nonnegative,
    concrete_nonnegative_int,
    concrete_positive_int,
    cycles,
    integer_cycles,
    optional,
    positive,
)

_FUNCTION = "from_scheduler_type"


def from_scheduler_type(
    name: str,
    *,
    num_warmup_steps: int | None = None,
    num_training_steps: int | None = None,
    base_lr: float | None = None,
    **scheduler_specific_kwargs: Any,
) -> fs.Schedule:
    """The schedule of a `SchedulerType` of transformers, as a multiplier of the learning rate.

    W is `num_warmup_steps`, T is `num_training_steps`, ``D = max(1, T - W)`` and ``u = (step - W) / D``. The warmup is
    ``step / W``. After it, each type has the following formula and required arguments. The last value is held
    indefinitely.

    - constant: 1, without warmup. Requires nothing.
    - constant_with_warmup: 1. Requires W.
    - linear: ``(T - step) / D``. Requires W and T.
    - cosine (``num_cycles=0.5``): ``(1 + cos(2 * pi * num_cycles * u)) / 2``. Requires W and T.
    - cosine_with_restarts (``num_cycles=1``): ``(1 + cos(pi * (num_cycles * u mod 1))) / 2``, and 0 at the end.
      Requires W and T.
    - polynomial (``lr_end=1e-7, power=1.0``): ``r + (1 - r) * (1 - u) ** power`` with ``r = lr_end / base_lr``.
      Requires W, T and `base_lr`.
    - inverse_sqrt (``timescale=None``, which means W, or 10,000 if W is 0):
      ``sqrt(timescale / (timescale + step - W))``, indefinitely. Requires W.
    - cosine_with_min_lr (``num_cycles=0.5, min_lr=None, min_lr_rate=None``):
      ``r + (1 - r) * (1 + cos(2 * pi * num_cycles * u)) / 2`` with ``r = min_lr_rate`` or ``r = min_lr / base_lr``.
      Requires W, T and either `min_lr_rate` or `min_lr` and `base_lr`.
    - cosine_warmup_with_min_lr (``num_cycles=0.5, min_lr=None, min_lr_rate=None, warmup_lr_rate=None``): the same decay
      one step ahead, ``u = (step - W + 1) / D``. The warmup is ``(step + 1) / W``, or with ``w = warmup_lr_rate``
      ``w + (1 - w) * step / max(1, W - 1)``. Requires the same.
    - warmup_stable_decay (`num_decay_steps`, ``num_stable_steps=None, warmup_type="linear", decay_type="cosine",
      min_lr_ratio=0, num_cycles=0.5``): a warmup from `min_lr_ratio` to 1, a stable phase at 1, and a decay to
      `min_lr_ratio`. Both types are "linear", "cosine" or "1-sqrt"; `num_cycles` belongs to the cosine decay. Requires
      W, `num_decay_steps`, and T or `num_stable_steps`, which takes precedence.

    Args:
        name: type of the scheduler (str, or a member of transformers' `SchedulerType`).
        num_warmup_steps: number of warmup steps (int, 0 to `num_training_steps`).
        num_training_steps: total number of steps, including warmup (int, 0 to 2**53).
        base_lr: learning rate of the optimizer (float, above 0), which converts `lr_end` and `min_lr` to multipliers.
            Has no effect elsewhere. If parameter groups have different rates, make one schedule per group;
            `bridges.torch.lambda_lr` accepts a list.
        **scheduler_specific_kwargs: keyword arguments of the type, as above. These are `scheduler_specific_kwargs` of
            `get_scheduler` and `lr_scheduler_kwargs` of `TrainingArguments`. Rates and ratios are at least 0, and
            `lr_end` is below `base_lr`. `power` and `num_cycles` are above 0. `timescale` and the `num_cycles` of
            cosine_with_restarts are ints of at least 1.

    Returns:
        A schedule. As in transformers, the first update is step 0.

    Raises:
        TypeError, ValueError: the type is unknown or depends on a metric (reduce_lr_on_plateau, greedy), a required
            argument is missing, or an argument is unknown, has the wrong type or is out of range.

    Differs: off-by-one conventions are preserved, except:

    - After the end of the three cosines without restarts, transformers continues the cosine. With ``num_cycles=0.5``,
      its multiplier is ``(1 - r) * sin(pi/2 * k/D) ** 2`` higher k steps after the end, and back at 1 after D steps.
      Here the last value is held. The end is step ``W + D``, or ``W + D - 1`` for cosine_warmup_with_min_lr, which
      therefore already differs at step T if W is below T.
    - transformers divides `lr_end` and `min_lr` by ``optimizer.defaults["lr"]`` for all parameter groups, so a group
      with another rate does not end at them. Here every group ends at them if its schedule has its own `base_lr`.
    - From ``num_cycles=22`` on, rounding errors make transformers miss some restarts. Its multiplier is 0 at them;
      here it is 1.
    - Below step 0, transformers extrapolates the warmup. Here the value of step 0 is held.
    - Here these are errors: W above T and `num_decay_steps` above ``T - W`` (the multiplier of transformers jumps),
      polynomial with W equal to T (transformers divides by 0 at step T), keywords of constant and constant_with_warmup
      (transformers ignores them), and `last_epoch` (a schedule has no state).

    Example:
        >>> from bridges.transformers import from_scheduler_type
        >>> from_scheduler_type("cosine", num_warmup_steps=10, num_training_steps=100)
        warmup_cosine(warmup_steps=10, total_steps=100)
        >>> schedule = from_scheduler_type(
        ...     "polynomial", num_warmup_steps=10, num_training_steps=100, base_lr=0.1, lr_end=0.01, power=2
        ... )
        >>> [round(schedule(step), 12) for step in (0, 10, 55, 100, 101)]
        [0.0, 1.0, 0.325, 0.1, 0.1]

    Source: transformers 5.23, transformers.get_scheduler.
    """
    if isinstance(name, str):
        name = str.__str__(name)  # the value of an enum member, for errors
        if name in METRIC_TYPES:
            raise metric_error(_FUNCTION, "name", name)
    build = choose(_FUNCTION, "name", name, SCHEDULER_TYPES)
    common = _CommonArguments(
        name,
        optional(concrete_nonnegative_int)(_FUNCTION, "num_warmup_steps", num_warmup_steps),
        optional(concrete_nonnegative_int)(_FUNCTION, "num_training_steps", num_training_steps),
        optional(positive)(_FUNCTION, "base_lr", base_lr),
    )
    keywords = list(signature(build).parameters)[1:]
    names = ["num_warmup_steps", "num_training_steps", "base_lr", *keywords]
    schedule: fs.Schedule = call_by_name(_FUNCTION, partial(build, common), names, scheduler_specific_kwargs)
    return schedule


class _CommonArguments(NamedTuple):
    """The arguments of `get_scheduler` for all types. Each method raises an error if a required one is missing."""

    name: str
    num_warmup_steps: int | None
    num_training_steps: int | None
    base_lr: float | None

    def required(self, argument: str, value: Any, alternative: str = "") -> Any:
        if value is None:
            unless = f" unless `{alternative}` is" if alternative else ""
            raise argument_error(_FUNCTION, argument, f"given for {self.name!r}{unless}", value)
        return value

    def warmup_steps(self) -> int:
        steps: int = self.required("num_warmup_steps", self.num_warmup_steps)
        return steps

    def total_steps(self, alternative: str = "") -> int:
        total: int = self.required("num_training_steps", self.num_training_steps, alternative)
        warmup = self.warmup_steps()
        if warmup > total:
            raise argument_error(_FUNCTION, "num_warmup_steps", f"at most `num_training_steps` ({total})", warmup)
        return total

    def cosine_total_steps(self) -> int:
        """The total of the cosine types, whose decay has at least one step in transformers."""
        return max(self.total_steps(), self.warmup_steps() + 1)

    def multiplier(self, argument: str, rate: float) -> float:
        """A learning rate as a multiple of `base_lr`."""
        rate = concrete_nonnegative(_FUNCTION, argument, rate)
        if self.base_lr is None:
            raise argument_error(_FUNCTION, "base_lr", f"given to convert `{argument}` to a multiplier", None)
        return rate / self.base_lr

    def min_multiplier(self, min_lr: float | None, min_lr_rate: float | None) -> float:
        """The lowest multiplier of a cosine, which is given as a learning rate or as a multiplier."""
        if min_lr is None:
            ratio = self.required("min_lr_rate", min_lr_rate, "min_lr")
            multiplier: float = concrete_nonnegative(_FUNCTION, "min_lr_rate", ratio)
            return multiplier
        if min_lr_rate is not None:
            raise argument_error(_FUNCTION, "min_lr_rate", f"None if `min_lr` is given ({min_lr!r})", min_lr_rate)
        return self.multiplier("min_lr", min_lr)


# The keyword-only arguments of these functions and their defaults are those of the functions in transformers.


def _constant(common: _CommonArguments) -> fs.Schedule:
    return fs.constant()


def _constant_with_warmup(common: _CommonArguments) -> fs.Schedule:
    return fs.warmup_constant(common.warmup_steps())


def _linear(common: _CommonArguments) -> fs.Schedule:
    return fs.warmup_linear(common.warmup_steps(), common.total_steps())


def _cosine(common: _CommonArguments, *, num_cycles: float = 0.5) -> fs.Schedule:
    num_cycles = cycles(_FUNCTION, "num_cycles", num_cycles)
    return fs.warmup_cosine(common.warmup_steps(), common.cosine_total_steps(), cycles=num_cycles)


def _cosine_with_restarts(common: _CommonArguments, *, num_cycles: int = 1) -> fs.Schedule:
    num_cycles = integer_cycles(_FUNCTION, "num_cycles", num_cycles)
    return fs.warmup_cosine_restarts(common.warmup_steps(), common.cosine_total_steps(), cycles=num_cycles)


def _polynomial(common: _CommonArguments, *, lr_end: float = 1e-7, power: float = 1.0) -> fs.Schedule:
    warmup, total = common.warmup_steps(), common.total_steps()
    if warmup == total:
        requirement = f"below `num_training_steps` ({total}) for {common.name!r}"
        raise argument_error(_FUNCTION, "num_warmup_steps", requirement, warmup)
    end = common.multiplier("lr_end", lr_end)
    if end >= 1.0:
        raise argument_error(_FUNCTION, "lr_end", f"below `base_lr` ({common.base_lr!r})", lr_end)
    return fs.warmup_polynomial(warmup, total, end=end, exponent=positive(_FUNCTION, "power", power))


def _inverse_sqrt(common: _CommonArguments, *, timescale: int | None = None) -> fs.Schedule:
    warmup = common.warmup_steps()
    if timescale is None:
        timescale = warmup or 10_000  # the default of transformers
    return fs.warmup_inverse_sqrt(warmup, timescale=concrete_positive_int(_FUNCTION, "timescale", timescale))


def _cosine_with_min_lr(
    common: _CommonArguments, *, num_cycles: float = 0.5, min_lr: float | None = None, min_lr_rate: float | None = None
) -> fs.Schedule:
    num_cycles = cycles(_FUNCTION, "num_cycles", num_cycles)
    end = common.min_multiplier(min_lr, min_lr_rate)
    return fs.warmup_cosine(common.warmup_steps(), common.cosine_total_steps(), end=end, cycles=num_cycles)


def _cosine_warmup_with_min_lr(
    common: _CommonArguments,
    *,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> fs.Schedule:
    warmup, decay = common.warmup_steps(), common.cosine_total_steps() - common.warmup_steps()
    num_cycles = cycles(_FUNCTION, "num_cycles", num_cycles)
    end = common.min_multiplier(min_lr, min_lr_rate)
    if warmup_lr_rate is None:
        ramp = fs.shift(fs.ramp(0.0, 1.0, steps=warmup), 1)
    else:
        start = concrete_nonnegative(_FUNCTION, "warmup_lr_rate", warmup_lr_rate)
        ramp = fs.ramp(start, 1.0, steps=max(1, warmup - 1))
    return fs.join([ramp, fs.shift(fs.warmup_cosine(0, decay, end=end, cycles=num_cycles), 1)], [warmup])


_WARMUPS = {"linear": fs.linear, "cosine": fs.cosine, "1-sqrt": fs.reverse(fs.sqrt)}
_DECAYS = {"linear": fs.linear, "cosine": fs.cosine, "1-sqrt": fs.sqrt}


def _warmup_stable_decay(
    common: _CommonArguments,
    *,
    num_decay_steps: int | None = None,
    num_stable_steps: int | None = None,
    warmup_type: str = "linear",
    decay_type: str = "cosine",
    min_lr_ratio: float = 0,
    num_cycles: float = 0.5,
) -> fs.Schedule:
    warmup = common.warmup_steps()
    decay = concrete_nonnegative_int(_FUNCTION, "num_decay_steps", common.required("num_decay_steps", num_decay_steps))
    if num_stable_steps is None:
        remaining = common.total_steps(alternative="num_stable_steps") - warmup
        if decay > remaining:
            requirement = f"at most `num_training_steps` - `num_warmup_steps` ({remaining})"
            raise argument_error(_FUNCTION, "num_decay_steps", requirement, decay)
        num_stable_steps = remaining - decay
    stable = concrete_nonnegative_int(_FUNCTION, "num_stable_steps", num_stable_steps)
    end = concrete_nonnegative(_FUNCTION, "min_lr_ratio", min_lr_ratio)
    num_cycles = cycles(_FUNCTION, "num_cycles", num_cycles)
    warmup_shape = choose(_FUNCTION, "warmup_type", warmup_type, _WARMUPS)
    decay_shape = choose(_FUNCTION, "decay_type", decay_type, _DECAYS)
    if decay_type != "cosine" or num_cycles == 0.5:
        return fs.warmup_stable_decay(
            warmup, stable, decay, start=end, end=end, warmup_shape=warmup_shape, decay_shape=decay_shape
        )
    # With another number of cycles, the cosine may not end at `min_lr_ratio`, which transformers holds after the decay.
    warmup_and_stable = fs.ramp(end, 1.0, steps=warmup, shape=warmup_shape)
    cosine = fs.warmup_cosine(0, decay, end=end, cycles=num_cycles)
    until_end = fs.join([warmup_and_stable, cosine], [warmup + stable])
    return fs.join([until_end, fs.constant(end)], [warmup + stable + decay])


METRIC_TYPES = {"reduce_lr_on_plateau": "plateau", "greedy": "greedy"}  # the controllers that follow a metric


def metric_error(function: str, argument: str, name: str) -> Exception:
    """The error about a type that follows a metric."""
    fix = f"use `bridges.torch.lambda_lr(optimizer, schedule, controller=fs.{METRIC_TYPES[name]}())`"
    requirement = "a schedule that depends only on the step, not on a metric"
    return argument_error(function, argument, requirement, name, fix=fix)


SCHEDULER_TYPES: dict[str, Callable[..., fs.Schedule]] = {
    "constant": _constant,
    "constant_with_warmup": _constant_with_warmup,
    "linear": _linear,
    "cosine": _cosine,
    "cosine_with_restarts": _cosine_with_restarts,
    "polynomial": _polynomial,
    "inverse_sqrt": _inverse_sqrt,
    "cosine_with_min_lr": _cosine_with_min_lr,
    "cosine_warmup_with_min_lr": _cosine_warmup_with_min_lr,
    "warmup_stable_decay": _warmup_stable_decay,
}
