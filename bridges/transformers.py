"""Schedules of Hugging Face transformers, by the names and arguments of its `get_scheduler`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import funcsched as fs
from bridges.rated import call_by_name, choose
from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    argument_error,
    concrete_level,
    concrete_nonnegative_int,
    concrete_positive_int,
    cycles,
    integer_cycles,
    optional,
    positive,
)

_NAME = "from_scheduler_type"


def from_scheduler_type(
    name: str,
    *,
    num_warmup_steps: int | None = None,
    num_training_steps: int | None = None,
    base_lr: float | None = None,
    **scheduler_specific_kwargs: Any,
) -> Schedule:
    """The schedule of a `SchedulerType` of transformers: the multiplier that its `LambdaLR` gives the learning rate.

    With W and T the numbers of warmup and of training steps, ``D = max(1, T - W)``, ``u = (step - W) / D``, and r the
    lowest rate over the base rate, the warmup is ``step / W``, and what follows it, of which the last value is held:

    - constant: 1, without warmup; needs nothing
    - constant_with_warmup: 1; needs W
    - linear: ``(T - step) / D``; needs W and T
    - cosine (``num_cycles=0.5``): ``(1 + cos(2 pi num_cycles u)) / 2``; needs W and T
    - cosine_with_restarts (``num_cycles=1``): ``(1 + cos(pi * (num_cycles * u mod 1))) / 2``, at the end 0; needs W
      and T
    - polynomial (``lr_end=1e-7, power=1.0``): ``r + (1 - r) * (1 - u) ** power`` with ``r = lr_end / base_lr``; needs
      W and T, and `base_lr`
    - inverse_sqrt (``timescale=None``, which is W, or 10,000 where W is 0):
      ``sqrt(timescale / (timescale + step - W))``, without an end; needs W
    - cosine_with_min_lr (``num_cycles=0.5, min_lr=None, min_lr_rate=None``):
      ``r + (1 - r) * (1 + cos(2 pi num_cycles u)) / 2``; needs W and T, and one of ``min_lr_rate = r`` and
      ``min_lr = r * base_lr``, the latter with `base_lr`
    - cosine_warmup_with_min_lr (``num_cycles=0.5, min_lr=None, min_lr_rate=None, warmup_lr_rate=None``): the same decay
      one step ahead, ``u = (step - W + 1) / D``, after a warmup of ``(step + 1) / W``, or with w for `warmup_lr_rate`
      ``w + (1 - w) * step / max(1, W - 1)``; needs the same
    - warmup_stable_decay (`num_decay_steps`, ``num_stable_steps=None, warmup_type="linear", decay_type="cosine",
      min_lr_ratio=0, num_cycles=0.5``): from r = `min_lr_ratio` to 1, 1, and back to r, along "linear", "cosine" or
      "1-sqrt"; needs W, `num_decay_steps`, and T or `num_stable_steps`, the latter taking precedence. `num_cycles` is
      that of a cosine decay, after which r is held.

    Args:
        name: the type, as a string or as a member of transformers' `SchedulerType`.
        num_warmup_steps: the length of the warmup, an integer from 0 to `num_training_steps`.
        num_training_steps: the length with the warmup, an integer.
        base_lr: the learning rate that the multiplier is for, above 0. It is asked for where an argument is a rate
            (`lr_end`, `min_lr`) and of no effect elsewhere. Parameter groups of different rates then need a schedule
            each, from the rate of each; `bridges.torch.lambda_lr` takes such a list.
        **scheduler_specific_kwargs: the keywords of the type, as above: what `get_scheduler` takes under this name and
            `TrainingArguments` as `lr_scheduler_kwargs`. Rates and their ratios are at least 0, `power` and
            `num_cycles` above 0; `timescale` and the `num_cycles` of cosine_with_restarts are integers of at least
            1.

    Returns:
        A schedule; its first update is step 0, as in transformers.

    Raises:
        TypeError, ValueError: no such type, one that follows a metric (reduce_lr_on_plateau and greedy), a keyword
            that the type does not have, an argument that it needs and is not given, or one of the wrong type or out of
            its range.

    Differs: where transformers leaves its own curve.

    - Past the end of the three cosines without restarts the value is held, where in transformers the wave goes on. With
      `num_cycles` 0.5 that is above ours by ``(1 - r) * sin(pi/2 * k/D) ** 2`` k steps after the end, and 1 again
      after D steps. The end is step ``W + D``, and the first difference at the step after it; for
      cosine_warmup_with_min_lr the end is ``W + D - 1``, so that with W below T the two differ at step T already.
    - A rate as argument is honoured in every group that has a schedule of its own. transformers divides it by
      ``optimizer.defaults["lr"]`` in all groups: one of another rate ends as many times higher or lower.
    - From ``num_cycles=22`` on the float remainder of transformers misses some restarts: it is at 0 there, ours at 1.
    - Below step 0 the value at 0 is held; the warmups of transformers go on below it.
    - Refused are lengths that transformers does not fit: more warmup than training, where it jumps, the same with
      `num_decay_steps`, and polynomial without a step of decay, where it divides by 0 at step T. Refused too are
      keywords of constant and constant_with_warmup, which it ignores, and `last_epoch`, for a schedule has no state.

    Example:
        >>> from bridges.transformers import from_scheduler_type
        >>> from_scheduler_type("cosine", num_warmup_steps=10, num_training_steps=100)
        warmup_cosine(warmup_steps=10, total_steps=100)
        >>> schedule = from_scheduler_type(
        ...     "polynomial", num_warmup_steps=10, num_training_steps=100, base_lr=0.1, lr_end=0.01, power=2
        ... )
        >>> [round(schedule(step), 12) for step in (0, 10, 55, 100, 101)]
        [0.0, 1.0, 0.325, 0.1, 0.1]

    Source: get_scheduler, SchedulerType and optimization.py of transformers 5.23.
    """
    if isinstance(name, str):
        name = str.__str__(name)  # of a member of the enum, the word alone
        if name in _METRIC:
            raise argument_error(_NAME, "name", "a function of the step alone, and this type follows a metric", name)
    build = choose(_NAME, "name", name, _TYPES)
    run = _Run(
        name,
        optional(concrete_nonnegative_int)(_NAME, "num_warmup_steps", num_warmup_steps),
        optional(concrete_nonnegative_int)(_NAME, "num_training_steps", num_training_steps),
        optional(positive)(_NAME, "base_lr", base_lr),
    )
    names = ["num_warmup_steps", "num_training_steps", *(build.__kwdefaults__ or {})]
    schedule: Schedule = call_by_name(_NAME, partial(build, run), names, scheduler_specific_kwargs)
    return schedule


class _Run(NamedTuple):
    """What `get_scheduler` is told of every run; a part that a type needs must be given."""

    name: str
    num_warmup_steps: int | None
    num_training_steps: int | None
    base_lr: float | None

    def needed(self, argument: str, value: Any) -> Any:
        if value is None:
            raise argument_error(_NAME, argument, f"given for {self.name!r}", value)
        return value

    def warmup(self) -> int:
        steps: int = self.needed("num_warmup_steps", self.num_warmup_steps)
        return steps

    def total(self) -> int:
        """The training steps, of which the warmup must be a part."""
        total: int = self.needed("num_training_steps", self.num_training_steps)
        if self.warmup() > total:
            raise argument_error(_NAME, "num_warmup_steps", f"at most `num_training_steps` ({total})", self.warmup())
        return total

    def cosine_total(self) -> int:
        """The same with a decay of at least one step, from its peak to its end, as the cosines of transformers have."""
        return max(self.total(), self.warmup() + 1)

    def ratio(self, argument: str, rate: float) -> float:
        """An absolute rate as a multiplier."""
        rate = concrete_level(_NAME, argument, rate)
        if self.base_lr is None:
            raise argument_error(_NAME, "base_lr", f"given with `{argument}`, a learning rate and no multiplier", None)
        return rate / self.base_lr

    def lowest(self, min_lr: float | None, min_lr_rate: float | None) -> float:
        """The end of a cosine, given as a rate or as a ratio."""
        if min_lr is None:
            if min_lr_rate is None:
                raise argument_error(_NAME, "min_lr_rate", f"given for {self.name!r}, or `min_lr` in its place", None)
            lowest: float = concrete_level(_NAME, "min_lr_rate", min_lr_rate)
            return lowest
        if min_lr_rate is not None:
            raise argument_error(_NAME, "min_lr_rate", f"None where `min_lr` is given ({min_lr!r})", min_lr_rate)
        return self.ratio("min_lr", min_lr)


# The keyword-only arguments of each are those of transformers' own function, with their defaults.


def _constant(run: _Run) -> Schedule:
    return fs.constant()


def _constant_with_warmup(run: _Run) -> Schedule:
    return fs.warmup_constant(run.warmup())


def _linear(run: _Run) -> Schedule:
    return fs.warmup_linear(run.warmup(), run.total())


def _cosine(run: _Run, *, num_cycles: float = 0.5) -> Schedule:
    num_cycles = cycles(_NAME, "num_cycles", num_cycles)
    return fs.warmup_cosine(run.warmup(), run.cosine_total(), cycles=num_cycles)


def _cosine_with_restarts(run: _Run, *, num_cycles: int = 1) -> Schedule:
    num_cycles = integer_cycles(_NAME, "num_cycles", num_cycles)
    return fs.warmup_cosine_restarts(run.warmup(), run.cosine_total(), cycles=num_cycles)


def _polynomial(run: _Run, *, lr_end: float = 1e-7, power: float = 1.0) -> Schedule:
    warmup, total = run.warmup(), run.total()
    if warmup == total:
        raise argument_error(
            _NAME, "num_warmup_steps", f"below `num_training_steps` ({total}) for {run.name!r}", warmup
        )
    end = run.ratio("lr_end", lr_end)
    if end >= 1.0:
        raise argument_error(_NAME, "lr_end", f"below `base_lr` ({run.base_lr!r})", lr_end)
    return fs.warmup_polynomial(warmup, total, end=end, exponent=positive(_NAME, "power", power))


def _inverse_sqrt(run: _Run, *, timescale: int | None = None) -> Schedule:
    warmup = run.warmup()
    if timescale is None:
        timescale = warmup or 10_000
    return fs.warmup_inverse_sqrt(warmup, timescale=concrete_positive_int(_NAME, "timescale", timescale))


def _cosine_with_min_lr(
    run: _Run, *, num_cycles: float = 0.5, min_lr: float | None = None, min_lr_rate: float | None = None
) -> Schedule:
    num_cycles = cycles(_NAME, "num_cycles", num_cycles)
    end = run.lowest(min_lr, min_lr_rate)
    return fs.warmup_cosine(run.warmup(), run.cosine_total(), end=end, cycles=num_cycles)


def _cosine_warmup_with_min_lr(
    run: _Run,
    *,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> Schedule:
    warmup, decay = run.warmup(), run.cosine_total() - run.warmup()
    num_cycles = cycles(_NAME, "num_cycles", num_cycles)
    end = run.lowest(min_lr, min_lr_rate)
    if warmup_lr_rate is None:
        rise = fs.shift(fs.ramp(0.0, 1.0, steps=warmup), 1)
    else:
        start = concrete_level(_NAME, "warmup_lr_rate", warmup_lr_rate)
        rise = fs.ramp(start, 1.0, steps=max(1, warmup - 1))
    return fs.join([rise, fs.shift(fs.warmup_cosine(0, decay, end=end, cycles=num_cycles), 1)], [warmup])


_WARMUPS = {"linear": fs.linear, "cosine": fs.cosine, "1-sqrt": fs.reverse(fs.sqrt)}
_DECAYS = {"linear": fs.linear, "cosine": fs.cosine, "1-sqrt": fs.sqrt}


def _warmup_stable_decay(
    run: _Run,
    *,
    num_decay_steps: int | None = None,
    num_stable_steps: int | None = None,
    warmup_type: str = "linear",
    decay_type: str = "cosine",
    min_lr_ratio: float = 0,
    num_cycles: float = 0.5,
) -> Schedule:
    warmup = run.warmup()
    decay = concrete_nonnegative_int(_NAME, "num_decay_steps", run.needed("num_decay_steps", num_decay_steps))
    stable = _stable_steps(run, decay) if num_stable_steps is None else num_stable_steps
    stable = concrete_nonnegative_int(_NAME, "num_stable_steps", stable)
    low = concrete_level(_NAME, "min_lr_ratio", min_lr_ratio)
    num_cycles = cycles(_NAME, "num_cycles", num_cycles)
    warmup_shape = choose(_NAME, "warmup_type", warmup_type, _WARMUPS)
    decay_shape = choose(_NAME, "decay_type", decay_type, _DECAYS)
    if decay_type != "cosine" or num_cycles == 0.5:
        return fs.warmup_stable_decay(
            warmup, stable, decay, start=low, end=low, warmup_shape=warmup_shape, decay_shape=decay_shape
        )
    # Another number of waves does not end at the lowest level.
    rise = fs.ramp(low, 1.0, steps=warmup, shape=warmup_shape)
    waves = fs.warmup_cosine(0, decay, end=low, cycles=num_cycles)
    return fs.join([fs.join([rise, waves], [warmup + stable]), fs.constant(low)], [warmup + stable + decay])


def _stable_steps(run: _Run, decay: int) -> int:
    """What warmup and decay leave of the training."""
    if run.num_training_steps is None:
        raise argument_error(
            _NAME, "num_training_steps", f"given for {run.name!r}, or `num_stable_steps` in its place", None
        )
    left = run.total() - run.warmup()
    if decay > left:
        raise argument_error(
            _NAME, "num_decay_steps", f"at most `num_training_steps` - `num_warmup_steps` ({left})", decay
        )
    return left - decay


_METRIC = ("reduce_lr_on_plateau", "greedy")
_TYPES: dict[str, Callable[..., Schedule]] = {
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
