"""The schedule of big_vision's `create_learning_rate_schedule`, built from its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, NamedTuple

import funcsched as fs
from bridges.rated import Rated, call_by_name, choose
from funcsched.core.validation import (
    argument_error,
    boolean,
    concrete_nonnegative,
    concrete_nonnegative_int,
    concrete_positive_int,
    optional,
    positive,
    require_increasing,
    sequence,
    unit_interval,
)

_FUNCTION = "create_learning_rate_schedule"


class _Training(NamedTuple):
    """The sizes that convert durations to steps."""

    total_steps: int
    batch_size: int | None
    data_size: int | None

    def required(self, size: str, argument: str) -> int:
        """The size of this name, which the argument requires."""
        value: int | None = getattr(self, size)
        if value is None:
            raise argument_error(_FUNCTION, size, f"given with `{argument}`", None)
        return value


def _from_steps(training: _Training, argument: str, value: Any) -> int:
    return int(concrete_nonnegative_int(_FUNCTION, argument, value))


def _from_examples(training: _Training, argument: str, value: Any) -> int:
    return _rounded(concrete_nonnegative(_FUNCTION, argument, value) / training.required("batch_size", argument))


def _from_epochs(training: _Training, argument: str, value: Any) -> int:
    data_size, batch_size = training.required("data_size", argument), training.required("batch_size", argument)
    return _rounded(concrete_nonnegative(_FUNCTION, argument, value) * (data_size / batch_size))


def _from_percent(training: _Training, argument: str, value: Any) -> int:
    return _rounded(unit_interval(_FUNCTION, argument, value) * training.total_steps)


def _rounded(steps: float) -> int:
    return max(1, round(steps)) if steps else 0


_CONVERSIONS: dict[str, Callable[[_Training, str, Any], int]] = {
    "steps": _from_steps,
    "examples": _from_examples,
    "epochs": _from_epochs,
    "percent": _from_percent,
}


def _names(duration: str) -> list[str]:
    """The argument names of a duration, one for each unit."""
    return [f"{duration}_{unit}" for unit in _CONVERSIONS]


def _duration(
    duration: str, training: _Training, arguments: Mapping[str, Any], default: int, *, allow_no_unit: bool = False
) -> int:
    """A duration in steps, converted from the unit in the name of its argument. Without a unit, it is in steps."""
    conversions = {f"{duration}_{unit}": conversion for unit, conversion in _CONVERSIONS.items()}
    if allow_no_unit:
        conversions[duration] = _from_steps
    given = [argument for argument in conversions if _is_set(arguments.get(argument))]
    if not given:
        return default
    first, *others = given
    if others:
        raise argument_error(_FUNCTION, others[0], f"None if `{first}` is given", arguments[others[0]])
    return conversions[first](training, first, arguments[first])


def _is_set(value: Any) -> bool:
    """Whether a duration is given. As in big_vision, a negative number means that it is not."""
    return value is not None and not (isinstance(value, (int, float)) and value < 0)


class _Decay(NamedTuple):
    """The arguments of a decay, which begins at the end of the warmup."""

    training: _Training
    warmup_steps: int
    peak: float
    arguments: Mapping[str, Any]

    def ramp(self, end: float, shape: fs.Shape) -> fs.Schedule:
        steps = max(0, self.training.total_steps - self.warmup_steps)
        return self.after_warmup(fs.ramp(1.0, end, steps=steps, shape=shape))

    def after_warmup(self, curve: fs.Schedule) -> fs.Schedule:
        return fs.join([fs.ramp(0.0, curve(0), steps=self.warmup_steps), curve], [self.warmup_steps])


def _polynomial(decay: _Decay) -> fs.Schedule:
    exponent = positive(_FUNCTION, "power", decay.arguments.get("power", 1))
    argument = "end" if "end" in decay.arguments else "linear_end"
    end = concrete_nonnegative(_FUNCTION, argument, decay.arguments.get(argument, 0)) / decay.peak
    return decay.ramp(end, fs.linear if exponent == 1 else fs.reverse(fs.power(exponent)))


def _cosine(decay: _Decay) -> fs.Schedule:
    return decay.ramp(0.0, fs.cosine)


def _rsqrt(decay: _Decay) -> fs.Schedule:
    timescale = _duration("timescale", decay.training, decay.arguments, 10_000, allow_no_unit=True)
    if timescale == 0:
        raise argument_error(_FUNCTION, "timescale", "at least 1 step", timescale)
    shift = _duration("shift", decay.training, decay.arguments, 0, allow_no_unit=True)
    return decay.after_warmup(fs.shift(fs.inverse_sqrt(timescale), shift))


def _stair(decay: _Decay) -> fs.Schedule:
    steps = sequence(_FUNCTION, "steps", decay.arguments.get("steps", ()), concrete_nonnegative_int, "integers")
    levels = sequence(_FUNCTION, "mults", decay.arguments.get("mults", ()), concrete_nonnegative, "numbers")
    require_increasing(_FUNCTION, "steps", steps)
    if len(levels) != len(steps):
        raise argument_error(_FUNCTION, "mults", f"as long as `steps` ({len(steps)})", list(levels))
    stairs = fs.piecewise_constant(steps, levels=[1.0, *levels])
    return fs.product(fs.ramp(0.0, 1.0, steps=decay.warmup_steps), stairs) if decay.warmup_steps else stairs


# The arguments of each decay.
_DECAYS: dict[str, tuple[Callable[[_Decay], fs.Schedule], list[str]]] = {
    "linear": (_polynomial, ["power", "end", "linear_end"]),
    "polynomial": (_polynomial, ["power", "end", "linear_end"]),
    "cosine": (_cosine, []),
    "rsqrt": (_rsqrt, ["timescale", *_names("timescale"), "shift", *_names("shift")]),
    "stair": (_stair, ["steps", "mults"]),
}


def _cooldown(total_steps: int, steps: int) -> fs.Schedule:
    ramp = fs.ramp(1.0, 0.0, steps=steps)
    if steps > total_steps:
        return fs.shift(ramp, steps - total_steps)
    return fs.join([fs.constant(), ramp], [total_steps - steps])


def create_learning_rate_schedule(
    total_steps: int,
    batch_size: int | None = None,
    data_size: int | None = None,
    base: float = 1.0,
    decay_type: str = "stair",
    scale_with_batchsize: bool = False,
    **kw: Any,
) -> Rated:
    """big_vision's create_learning_rate_schedule: the product of a warmup, a decay and a cooldown.

    ``lr * decay * min(1, step / W) * min(1, (total_steps - step) / C)`` with ``lr = base``, or
    ``lr = base * batch_size / 256`` with `scale_with_batchsize`; W and C are the numbers of warmup and cooldown steps.
    With ``u = clip((step - W) / (total_steps - W), 0, 1)``, ``lr * decay`` is, by `decay_type`:

    - "linear", "polynomial": ``end + (lr - end) * (1 - u) ** power``
    - "cosine": ``lr * (1 + cos(pi * u)) / 2``
    - "rsqrt": ``lr / sqrt(1 + (max(step - W, 0) + shift) / timescale)``
    - "stair": `lr`, and ``lr * mults[i]`` from step ``steps[i]`` on

    Args:
        total_steps: total number of steps, including warmup (int, 0 to 2**53).
        batch_size: number of examples per update (int, 1 to 2**53).
        data_size: number of examples per epoch (int, 1 to 2**53).
        base: base learning rate (float, above 0).
        decay_type: "linear", "polynomial", "cosine", "rsqrt" or "stair".
        scale_with_batchsize: whether `base` is the learning rate for a batch size of 256 (bool).
        warmup_steps, warmup_examples, warmup_epochs, warmup_percent: length of the warmup in one of these units. Steps
            are an int, below `total_steps` unless that is 0 or 1. The others are floats of at least 0, rounded to
            steps, and to at least 1 step unless 0. A percent is a fraction of `total_steps` (0 to 1). Examples
            require `batch_size`; epochs require `batch_size` and `data_size`. None or a negative number means no
            warmup.
        cooldown_steps, cooldown_examples, cooldown_epochs, cooldown_percent: length of the cooldown, in the same units.
        power: exponent of "linear" and "polynomial" (float, above 0). Default: 1.
        end, linear_end: learning rate at the end of "linear" and "polynomial", without the cooldown (float, at least
            0). `end` takes precedence. Default: 0.
        timescale, timescale_steps, timescale_examples, timescale_epochs, timescale_percent: timescale of "rsqrt", at
            least 1 step. Without a unit, in steps. Default: 10,000 steps.
        shift, shift_steps, shift_examples, shift_epochs, shift_percent: number of steps by which "rsqrt" is ahead.
            Without a unit, in steps. Default: 0.
        steps: steps at which the multiplier of "stair" changes (list of int, increasing).
        mults: multiplier of "stair" from each of these steps on (list of float, at least 0).

    Returns:
        A schedule and its peak value, `lr`.

    Raises:
        TypeError, ValueError: an argument is unknown for this `decay_type`, has the wrong type or is out of range, or a
            duration is given in two units.

    Differs: with a cooldown of C steps, big_vision's learning rate is negative after `total_steps`: at step
    ``total_steps + k``, it is ``-k / C`` times the decay; here it stays 0. big_vision ignores arguments that it does
    not use and durations that it cannot convert to steps; here they raise an error.

    Example:
        >>> from bridges.big_vision import create_learning_rate_schedule
        >>> schedule, peak_value = create_learning_rate_schedule(
        ...     100, batch_size=512, data_size=5120, base=0.25, decay_type="rsqrt", scale_with_batchsize=True,
        ...     warmup_epochs=1, timescale=10, cooldown_percent=0.2)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 40, 100, 101)]
        [0.0, 0.25, 0.5, 0.25, 0.0, 0.0]

    Source: google-research/big_vision, commit 0127fb6, big_vision/utils.py. In earlier versions, `timescale` and
    `shift` have no units except `timescale_examples`, which is not rounded.
    """
    total = concrete_nonnegative_int(_FUNCTION, "total_steps", total_steps)
    batch = optional(concrete_positive_int)(_FUNCTION, "batch_size", batch_size)
    data = optional(concrete_positive_int)(_FUNCTION, "data_size", data_size)
    training = _Training(total, batch, data)
    peak = positive(_FUNCTION, "base", base)
    if boolean(_FUNCTION, "scale_with_batchsize", scale_with_batchsize):
        peak = peak * training.required("batch_size", "scale_with_batchsize") / 256.0
    build, own_names = choose(_FUNCTION, "decay_type", decay_type, _DECAYS)
    common = [name for name in signature(create_learning_rate_schedule).parameters if name != "kw"]
    arguments = call_by_name(_FUNCTION, dict, [*common, *_names("warmup"), *_names("cooldown"), *own_names], kw)
    warmup = _duration("warmup", training, arguments, 0)
    cooldown = _duration("cooldown", training, arguments, 0)
    if total > 1 and warmup >= total:
        raise argument_error(_FUNCTION, "warmup_steps", f"below `total_steps` ({total})", warmup)
    schedule: fs.Schedule = build(_Decay(training, warmup, peak, arguments))
    return Rated(fs.product(schedule, _cooldown(total, cooldown)) if cooldown else schedule, peak)
