"""The schedule of big_vision's `create_learning_rate_schedule`, built from its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, NamedTuple

import funcsched as fs
from bridges.arguments import call_by_name, choose, required
from bridges.rated import Rated
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error, optional, require_increasing, sequence

_FUNCTION = "create_learning_rate_schedule"


def _names(duration: str) -> list[str]:
    """The argument names of a duration, one for each unit."""
    return [f"{duration}_{unit}" for unit in ("steps", "examples", "epochs", "percent")]


class _Arguments(NamedTuple):
    """The arguments of a call. Those in `kw` are validated where they are used."""

    total_steps: int
    batch_size: int | None
    data_size: int | None
    kw: Mapping[str, Any]

    def size(self, name: str, argument: str) -> int:
        """`batch_size` or `data_size`, which the argument requires."""
        return int(required(_FUNCTION, name, getattr(self, name), f"with `{argument}`"))

    def duration(self, duration: str, default: int = 0) -> int:
        """A duration in steps, converted from the unit in the name of its argument. Without a unit, it is in steps."""
        given = [name for name in [*_names(duration), duration] if _is_set(self.kw.get(name))]
        if not given:
            return default
        first, *others = given
        if others:
            raise argument_error(_FUNCTION, others[0], f"None if `{first}` is given", self.kw[others[0]])
        return self._in_steps(first, self.kw[first])

    def _in_steps(self, argument: str, value: Any) -> int:
        if argument.endswith("_percent"):
            steps = rules.unit_interval(_FUNCTION, argument, value) * self.total_steps
        elif argument.endswith("_examples"):
            steps = rules.concrete_nonnegative(_FUNCTION, argument, value) / self.size("batch_size", argument)
        elif argument.endswith("_epochs"):
            steps_per_epoch = self.size("data_size", argument) / self.size("batch_size", argument)
            steps = rules.concrete_nonnegative(_FUNCTION, argument, value) * steps_per_epoch
        else:
            return int(rules.concrete_nonnegative_int(_FUNCTION, argument, value))
        return max(1, round(steps)) if steps else 0


def _is_set(value: Any) -> bool:
    """Whether a duration is given. As in big_vision, a negative number means that it is not."""
    return value is not None and not (isinstance(value, (int, float)) and value < 0)


# Each decay is a function of the arguments, the number of steps after the warmup, and the peak value.
def _polynomial(arguments: _Arguments, steps: int, peak: float) -> fs.Schedule:
    exponent = rules.positive(_FUNCTION, "power", arguments.kw.get("power", 1))
    name = "end" if "end" in arguments.kw else "linear_end"
    end = rules.concrete_nonnegative(_FUNCTION, name, arguments.kw.get(name, 0)) / peak
    return fs.ramp(1.0, end, steps=steps, shape=fs.linear if exponent == 1 else fs.reverse(fs.power(exponent)))


def _cosine(arguments: _Arguments, steps: int, peak: float) -> fs.Schedule:
    return fs.ramp(1.0, 0.0, steps=steps, shape=fs.cosine)


def _rsqrt(arguments: _Arguments, steps: int, peak: float) -> fs.Schedule:
    timescale = arguments.duration("timescale", 10_000)
    if timescale == 0:
        raise argument_error(_FUNCTION, "timescale", "at least 1 step", timescale)
    return fs.shift(fs.inverse_sqrt(timescale), arguments.duration("shift"))


def _stair(arguments: _Arguments, steps: int, peak: float) -> fs.Schedule:
    boundaries = sequence(_FUNCTION, "steps", arguments.kw.get("steps", ()), rules.concrete_nonnegative_int, "integers")
    levels = sequence(_FUNCTION, "mults", arguments.kw.get("mults", ()), rules.concrete_nonnegative, "numbers")
    require_increasing(_FUNCTION, "steps", boundaries)
    if len(levels) != len(boundaries):
        raise argument_error(_FUNCTION, "mults", f"as long as `steps` ({len(boundaries)})", list(levels))
    return fs.piecewise_constant(boundaries, levels=[1.0, *levels])


# The arguments of each decay.
_DECAYS: dict[str, tuple[Callable[[_Arguments, int, float], fs.Schedule], list[str]]] = {
    "linear": (_polynomial, ["power", "end", "linear_end"]),
    "polynomial": (_polynomial, ["power", "end", "linear_end"]),
    "cosine": (_cosine, []),
    "rsqrt": (_rsqrt, ["timescale", *_names("timescale"), "shift", *_names("shift")]),
    "stair": (_stair, ["steps", "mults"]),
}


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
    build, own_names = choose(_FUNCTION, "decay_type", decay_type, _DECAYS)
    common = [name for name in signature(create_learning_rate_schedule).parameters if name != "kw"]
    arguments = _Arguments(
        rules.concrete_nonnegative_int(_FUNCTION, "total_steps", total_steps),
        optional(rules.concrete_positive_int)(_FUNCTION, "batch_size", batch_size),
        optional(rules.concrete_positive_int)(_FUNCTION, "data_size", data_size),
        call_by_name(_FUNCTION, dict, [*common, *_names("warmup"), *_names("cooldown"), *own_names], kw),
    )
    total, warmup, cooldown = arguments.total_steps, arguments.duration("warmup"), arguments.duration("cooldown")
    if total > 1 and warmup >= total:
        raise argument_error(_FUNCTION, "warmup_steps", f"below `total_steps` ({total})", warmup)
    peak = rules.positive(_FUNCTION, "base", base)
    if rules.boolean(_FUNCTION, "scale_with_batchsize", scale_with_batchsize):
        peak = peak * arguments.size("batch_size", "scale_with_batchsize") / 256.0
    schedule = build(arguments, max(0, total - warmup), peak)
    if decay_type != "stair":
        schedule = fs.join([fs.ramp(0.0, schedule(0), steps=warmup), schedule], [warmup])
    elif warmup:  # the boundaries of the stairs count from step 0
        schedule = fs.product(fs.ramp(0.0, 1.0, steps=warmup), schedule)
    if cooldown:
        end = fs.shift(fs.ramp(1.0, 0.0, steps=cooldown), max(0, cooldown - total))
        schedule = fs.product(schedule, fs.join([fs.constant(), end], [max(0, total - cooldown)]))
    return Rated(schedule, peak)
