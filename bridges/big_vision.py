"""Schedules of big_vision: its `create_learning_rate_schedule`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import funcsched as fs
from bridges.rated import Rated, call_by_name, choose
from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    argument_error,
    boolean,
    concrete_level,
    concrete_nonnegative_int,
    concrete_positive_int,
    optional,
    positive,
    require_increasing,
    sequence,
    unit_interval,
)

_NAME = "create_learning_rate_schedule"


class _Training(NamedTuple):
    """What turns a duration into steps."""

    total: int
    batch: int | None
    data: int | None

    def known(self, unit: str, argument: str) -> int:
        value = {"batch_size": self.batch, "data_size": self.data}[unit]
        if value is None:
            raise argument_error(_NAME, unit, f"given for `{argument}`", None)
        return value


def _steps(training: _Training, argument: str, value: Any) -> int:
    return int(concrete_nonnegative_int(_NAME, argument, value))


def _examples(training: _Training, argument: str, value: Any) -> int:
    return _rounded(concrete_level(_NAME, argument, value) / training.known("batch_size", argument))


def _epochs(training: _Training, argument: str, value: Any) -> int:
    data, batch = training.known("data_size", argument), training.known("batch_size", argument)
    return _rounded(concrete_level(_NAME, argument, value) * (data / batch))


def _percent(training: _Training, argument: str, value: Any) -> int:
    return _rounded(unit_interval(_NAME, argument, value) * training.total)


def _rounded(steps: float) -> int:
    return max(1, round(steps)) if steps else 0


_UNITS: dict[str, Callable[[_Training, str, Any], int]] = {
    "steps": _steps,
    "examples": _examples,
    "epochs": _epochs,
    "percent": _percent,
}


def _spellings(duration: str) -> list[str]:
    return [f"{duration}_{unit}" for unit in _UNITS]


def _duration(name: str, training: _Training, given: Mapping[str, Any], default: int, bare: bool = False) -> int:
    """A duration in the one unit in which it is given; `bare` allows it without one, in steps."""
    names = {f"{name}_{unit}": convert for unit, convert in _UNITS.items()} | ({name: _steps} if bare else {})
    found = [argument for argument in names if _is_set(given.get(argument))]
    if len(found) > 1:
        raise argument_error(_NAME, found[1], f"left out where `{found[0]}` is given", given[found[1]])
    return names[found[0]](training, found[0], given[found[0]]) if found else default


def _is_set(value: Any) -> bool:
    return value is not None and not (isinstance(value, (int, float)) and value < 0)


class _Decay(NamedTuple):
    """What a decay is made of; its curve begins where the warmup ends."""

    training: _Training
    warmup: int
    peak: float
    given: Mapping[str, Any]

    @property
    def left(self) -> int:
        return max(0, self.training.total - self.warmup)


def _warmed(decay: _Decay, curve: Schedule) -> Schedule:
    """The curve after a warmup to the level at which it begins."""
    return fs.join([fs.ramp(0.0, curve(0), steps=decay.warmup), curve], [decay.warmup])


def _polynomial(decay: _Decay) -> Schedule:
    exponent = positive(_NAME, "power", decay.given.get("power", 1))
    argument = "end" if "end" in decay.given else "linear_end"
    end = concrete_level(_NAME, argument, decay.given.get(argument, 0))
    shape = fs.linear if exponent == 1 else fs.reverse(fs.power(exponent))
    return _warmed(decay, fs.ramp(1.0, end / decay.peak, steps=decay.left, shape=shape))


def _cosine(decay: _Decay) -> Schedule:
    return _warmed(decay, fs.ramp(1.0, 0.0, steps=decay.left, shape=fs.cosine))


def _rsqrt(decay: _Decay) -> Schedule:
    timescale = _duration("timescale", decay.training, decay.given, 10_000, bare=True)
    if timescale == 0:
        raise argument_error(_NAME, "timescale", "at least 1 step", timescale)
    ahead = _duration("shift", decay.training, decay.given, 0, bare=True)
    return _warmed(decay, fs.shift(fs.inverse_sqrt(timescale), ahead))


def _stair(decay: _Decay) -> Schedule:
    steps = sequence(_NAME, "steps", decay.given.get("steps", ()), concrete_nonnegative_int, "integers")
    levels = sequence(_NAME, "mults", decay.given.get("mults", ()), concrete_level, "numbers")
    require_increasing(_NAME, "steps", steps)
    if len(levels) != len(steps):
        raise argument_error(_NAME, "mults", f"as many as the {len(steps)} `steps`", list(levels))
    stairs = fs.piecewise_constant(steps, levels=[1.0, *levels])
    return fs.product(fs.ramp(0.0, 1.0, steps=decay.warmup), stairs) if decay.warmup else stairs


_DECAYS: dict[str, tuple[Callable[[_Decay], Schedule], Sequence[str]]] = {
    "linear": (_polynomial, ["power", "end", "linear_end"]),
    "polynomial": (_polynomial, ["power", "end", "linear_end"]),
    "cosine": (_cosine, []),
    "rsqrt": (_rsqrt, ["timescale", *_spellings("timescale"), "shift", *_spellings("shift")]),
    "stair": (_stair, ["steps", "mults"]),
}


def _cooldown(total: int, steps: int) -> Schedule:
    down = fs.ramp(1.0, 0.0, steps=steps)
    return fs.shift(down, steps - total) if steps > total else fs.join([fs.constant(), down], [total - steps])


def create_learning_rate_schedule(
    total_steps: int,
    batch_size: int | None = None,
    data_size: int | None = None,
    base: float = 1.0,
    decay_type: str = "stair",
    scale_with_batchsize: bool = False,
    **kw: Any,
) -> Rated:
    """big_vision's `create_learning_rate_schedule`: a decay, times a warmup, times a cooldown.

    ``lr * decay * min(1, step / W) * min(1, (total_steps - step) / C)`` with ``lr = base``, or
    ``base * batch_size / 256`` with `scale_with_batchsize`, and W and C the lengths of warmup and cooldown. With
    ``u = clip((step - W) / (total_steps - W), 0, 1)``, ``lr * decay`` is
    ``end + (lr - end) * (1 - u) ** power`` (linear, polynomial), ``lr * (1 + cos(pi u)) / 2`` (cosine),
    ``lr / sqrt(1 + (max(step - W, 0) + shift) / timescale)`` (rsqrt), or `lr`, and ``lr * mults[i]`` from ``steps[i]``
    on (stair)

    Args:
        total_steps: the length with the warmup, an integer.
        batch_size: the examples of one update, at least 1.
        data_size: the examples of one epoch, at least 1.
        base: the learning rate, above 0.
        decay_type: "linear", "polynomial", "cosine", "rsqrt" or "stair".
        scale_with_batchsize: whether `base` is for 256 examples.
        warmup_steps, warmup_examples, warmup_epochs, warmup_percent: the length of the warmup in one of these units;
            none, None or a negative number is no warmup. Steps are whole, below `total_steps` where that is above 1;
            the others are numbers of at least 0, rounded to steps, to at least one of them unless 0. A percent is a
            share of `total_steps`, from 0 to 1. Examples need `batch_size`, epochs `data_size` too.
        cooldown_steps, cooldown_examples, cooldown_epochs, cooldown_percent: the length of the cooldown, the same.
        power: of linear and polynomial; above 0, by default 1.
        end, linear_end: of linear and polynomial: the rate at the end before the cooldown, at least 0, by default 0.
        timescale, timescale_steps, timescale_examples, timescale_epochs, timescale_percent: of rsqrt; by default 10000
            steps. Without a unit it is in steps.
        shift, shift_steps, shift_examples, shift_epochs, shift_percent: of rsqrt; by default 0.
        steps, mults: of stair: the steps at which the level changes, increasing, and the level from each on.

    Returns:
        A schedule, and `lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, does not belong to `decay_type`, or
            a duration is given in two units or in one that is not known.

    Differs: with a cooldown of C steps, big_vision's rate is negative from ``total_steps + 1`` on, ``-k / C`` of its
    decay at ``total_steps + k``; ours stays at 0. big_vision takes an argument that it does not use, or that it cannot
    convert to steps, and does without; here it is refused.

    Example:
        >>> from bridges.big_vision import create_learning_rate_schedule
        >>> schedule, peak_value = create_learning_rate_schedule(
        ...     100, batch_size=512, data_size=5120, base=0.25, decay_type="rsqrt", scale_with_batchsize=True,
        ...     warmup_epochs=1, timescale=10, cooldown_percent=0.2)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 40, 100, 101)]
        [0.0, 0.25, 0.5, 0.25, 0.0, 0.0]

    Source: big_vision/utils.py of google-research/big_vision, commit 0127fb6; before it, `timescale` and `shift` had
    no units but ``timescale_examples``, which was not rounded.
    """
    total = concrete_nonnegative_int(_NAME, "total_steps", total_steps)
    batch, data = (
        optional(concrete_positive_int)(_NAME, argument, value)
        for argument, value in (("batch_size", batch_size), ("data_size", data_size))
    )
    training = _Training(total, batch, data)
    peak = float(positive(_NAME, "base", base))
    if boolean(_NAME, "scale_with_batchsize", scale_with_batchsize):
        peak = peak * training.known("batch_size", "scale_with_batchsize") / 256.0
    build, own = choose(_NAME, "decay_type", decay_type, _DECAYS)
    given = call_by_name(_NAME, dict, [*_spellings("warmup"), *_spellings("cooldown"), *own], kw)
    warmup, cooldown = (_duration(name, training, given, 0) for name in ("warmup", "cooldown"))
    if total > 1 and warmup >= total:
        raise argument_error(_NAME, "warmup_steps", f"below `total_steps` ({total})", warmup)
    schedule: Schedule = build(_Decay(training, warmup, peak, given))
    return Rated(fs.product(schedule, _cooldown(total, cooldown)) if cooldown else schedule, peak)
