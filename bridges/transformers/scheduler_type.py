"""The schedules of Hugging Face transformers, by the names and arguments of its `get_scheduler`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from inspect import signature
from math import isclose, lcm
from typing import Any, NamedTuple

import funcsched as fs
from bridges.arguments import call_by_name, choose, option, zero_or
from funcsched.core.validation import MAX_CYCLES, argument_error, concrete_nonnegative, number_rule, positive
from funcsched.numerics.number_system import MAX_COUNT

METRIC_TYPES = {"reduce_lr_on_plateau": "plateau", "greedy": "greedy"}  # the controllers that follow a metric
_MAX_DENOMINATOR = 4096  # the largest for which `stretch` does not round the step
_nonnegative_steps = number_rule("a number from 0 to 2**53", 0, MAX_COUNT)


def _steps(function: str, argument: str, value: Any) -> Fraction:
    """The rule of a number of steps, such as 74.04, which is a simple fraction up to rounding."""
    number = _nonnegative_steps(function, argument, value)
    fraction = Fraction(number).limit_denominator(_MAX_DENOMINATOR)
    if not isclose(fraction, number, rel_tol=2.0**-50):
        requirement = f"an integer or a fraction with a denominator of at most {_MAX_DENOMINATOR}"
        raise argument_error(function, argument, requirement, value, fix="round it")
    return fraction


_WARMUPS = {"linear": fs.linear, "cosine": fs.cosine, "1-sqrt": fs.reverse(fs.sqrt)}
_DECAYS = {"linear": fs.linear, "cosine": fs.cosine, "1-sqrt": fs.sqrt}
_STEPS = ("num_warmup_steps", "num_training_steps", "num_stable_steps", "num_decay_steps", "timescale")
_RATES = ("lr_end", "min_lr", "min_lr_rate", "warmup_lr_rate", "min_lr_ratio")
_RULES = {
    **dict.fromkeys(_STEPS, _steps),
    **dict.fromkeys(_RATES, concrete_nonnegative),
    **dict.fromkeys(["base_lr", "power"], positive),
    "num_cycles": zero_or(f"0 or a number from 1e-6 to {MAX_CYCLES}", 1e-6, MAX_CYCLES),
    "warmup_type": option(list(_WARMUPS)),
    "decay_type": option(list(_DECAYS)),
}


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
    ``step / W``, also if it is longer than the run. After it, each type has the following formula and required
    arguments. The last value is held indefinitely.

    - constant: 1, without warmup. Requires nothing.
    - constant_with_warmup: 1. Requires W.
    - linear: ``(T - step) / D``. Requires W and T.
    - cosine (``num_cycles=0.5``): ``(1 + cos(2 * pi * num_cycles * u)) / 2``. Requires W and T.
    - cosine_with_restarts (``num_cycles=1``): ``(1 + cos(pi * (num_cycles * u mod 1))) / 2``, and 0 from ``u = 1``
      on. Requires W and T.
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
      `min_lr_ratio`. A warmup that ends after the start of the decay takes precedence. Both types are "linear",
      "cosine" or "1-sqrt"; `num_cycles` belongs to the cosine decay. Requires W, `num_decay_steps`, and T or
      `num_stable_steps`, which takes precedence.

    Args:
        name: type of the scheduler (str, or a member of transformers' `SchedulerType`).
        num_warmup_steps: number of warmup steps (int or a simple fraction, 0 to 2**53).
        num_training_steps: total number of steps, including warmup (int or a simple fraction, 0 to 2**53).
        base_lr: learning rate of the optimizer (float, above 0), which converts `lr_end` and `min_lr` to multipliers.
            Has no effect elsewhere. If parameter groups have different rates, make one schedule per group;
            `bridges.torch.lambda_lr` accepts a list.
        **scheduler_specific_kwargs: keyword arguments of the type, as above. These are `scheduler_specific_kwargs` of
            `get_scheduler` and `lr_scheduler_kwargs` of `TrainingArguments`. Rates and ratios are at least 0, and
            `lr_end` is below `base_lr`. `power` and `timescale` are above 0. `num_cycles` is at least 0; 0 means
            the constant 1.

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
    - With a fractional `num_cycles`, and from ``num_cycles=22`` on, rounding errors make transformers miss some
      restarts. Its multiplier is 0 at them; here it is 1.
    - Below step 0, transformers extrapolates the warmup. Here the value of step 0 is held.
    - A fractional number of steps must be a fraction with a denominator of at most 4096, up to rounding. The warmup of
      cosine_warmup_with_min_lr must be an int. The decays of linear and warmup_stable_decay must not be shorter than
      one step.
    - Here these are errors: polynomial with W equal to T (transformers divides by 0 at step T), a negative
      `num_stable_steps`, keywords of constant and constant_with_warmup (transformers ignores them), and `last_epoch` (a
      schedule has no state).

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
    function, common = "from_scheduler_type", dict(locals())
    name, keywords = common.pop("name"), common.pop("scheduler_specific_kwargs")
    if isinstance(name, str) and name in METRIC_TYPES:
        fix = f"use `bridges.torch.lambda_lr(optimizer, schedule, controller=fs.{METRIC_TYPES[name]}())`"
        requirement = "a schedule that depends only on the step, not on a metric"
        raise argument_error(function, "name", requirement, str.__str__(name), fix=fix)
    return build_schedule(function, name, common, keywords, common)


def build_schedule(
    function: str, name: str, common: Mapping[str, Any], keywords: Mapping[str, Any], others: Iterable[str]
) -> fs.Schedule:
    """`from_scheduler_type` with the name of the function in errors, and the other arguments that errors list."""
    name = str.__str__(name) if isinstance(name, str) else name  # the value of an enum member, for errors
    build = choose(function, "name", name, SCHEDULER_TYPES)
    defaults = {parameter.name: parameter.default for parameter in list(signature(build).parameters.values())[1:]}
    call_by_name(function, dict, [*others, *defaults], keywords)
    given = {**common, **keywords}
    optional = {argument for argument, value in given.items() if value is None and defaults.get(argument) is None}
    values = {key: None if key in optional else _RULES[key](function, key, value) for key, value in given.items()}
    unit = lcm(*(value.denominator for value in values.values() if isinstance(value, Fraction)))
    values = {key: int(value * unit) if isinstance(value, Fraction) else value for key, value in values.items()}
    arguments = _Arguments(function, name, given, values, unit)
    schedule: fs.Schedule = build(arguments, **{key: values[key] for key in keywords})
    return schedule if unit == 1 else fs.stretch(schedule, 1 / unit)


class _Arguments(NamedTuple):
    """The arguments of a type. In `values`, they are validated, and steps are in units of ``1 / unit`` of a step."""

    function: str
    name: str
    given: Mapping[str, Any]
    values: Mapping[str, Any]
    unit: int

    def error(self, argument: str, requirement: str) -> Exception:
        return argument_error(self.function, argument, requirement, self.given.get(argument))

    def required(self, argument: str, alternative: str = "") -> Any:
        value = self.values.get(argument)
        if value is None:
            unless = f" unless `{alternative}` is" if alternative else ""
            raise self.error(argument, f"given for {self.name!r}{unless}")
        return value

    def warmup_and_total(self, min_decay: int = 0) -> tuple[int, int]:
        """The numbers of warmup steps and of all steps, which a longer warmup and its decay extend."""
        warmup, total = self.required("num_warmup_steps"), self.required("num_training_steps")
        return warmup, max(total, warmup + min_decay)

    def multiplier(self, argument: str, rate: float) -> float:
        """A learning rate as a multiple of `base_lr`."""
        if self.values["base_lr"] is None:
            raise self.error("base_lr", f"given to convert `{argument}` to a multiplier")
        return rate / float(self.values["base_lr"])

    def min_multiplier(self, min_lr: float | None, min_lr_rate: float | None) -> float:
        """The lowest multiplier of a cosine, which is given as a learning rate or as a multiplier."""
        if min_lr is None:
            multiplier: float = self.required("min_lr_rate", "min_lr")
            return multiplier
        if min_lr_rate is not None:
            raise self.error("min_lr_rate", f"None if `min_lr` is given ({min_lr!r})")
        return self.multiplier("min_lr", min_lr)

    def cosine(self, num_cycles: float, end: float = 0.0) -> fs.Schedule:
        """A warmup and a cosine, which has at least one step in transformers."""
        return _waves(*self.warmup_and_total(self.unit), num_cycles, end)


def _waves(warmup: int, total: int, num_cycles: float, end: float) -> fs.Schedule:
    return fs.warmup_cosine(warmup, total, end=end, cycles=num_cycles) if num_cycles else fs.warmup_constant(warmup)


# The keyword-only arguments of these functions and their defaults are those of the functions in transformers.


def _linear(common: _Arguments) -> fs.Schedule:
    warmup, total = common.warmup_and_total()
    if 0 < total - warmup < common.unit:  # the decay of transformers has at least one step
        raise common.error("num_training_steps", "at least 1 above `num_warmup_steps`, or at most equal to it")
    return fs.warmup_linear(warmup, total)


def _cosine(common: _Arguments, *, num_cycles: float = 0.5) -> fs.Schedule:
    return common.cosine(num_cycles)


def _cosine_with_restarts(common: _Arguments, *, num_cycles: float = 1) -> fs.Schedule:
    warmup, total = common.warmup_and_total(common.unit)
    if num_cycles and num_cycles == int(num_cycles):
        return fs.warmup_cosine_restarts(warmup, total, cycles=int(num_cycles))
    decay: fs.Schedule = fs.constant()
    if num_cycles:
        fraction = Fraction(num_cycles).limit_denominator(_MAX_DENOMINATOR)
        if float(fraction) != num_cycles:
            raise common.error("num_cycles", f"a fraction with a denominator of at most {_MAX_DENOMINATOR}")
        period = (total - warmup) * fraction.denominator
        decay = fs.stretch(fs.repeat(fs.ramp(1.0, 0.0, steps=period, shape=fs.cosine), period), 1 / fraction.numerator)
    return fs.join([fs.ramp(0.0, 1.0, steps=warmup), decay, fs.constant(0.0)], [warmup, total])


def _polynomial(common: _Arguments, *, lr_end: float = 1e-7, power: float = 1.0) -> fs.Schedule:
    warmup, total = common.warmup_and_total()
    if warmup == common.values["num_training_steps"]:
        raise common.error("num_warmup_steps", f"other than `num_training_steps` for {common.name!r}")
    end = common.multiplier("lr_end", lr_end)
    if end >= 1.0:
        raise common.error("lr_end", f"below the learning rate ({common.values['base_lr']!r})")
    return fs.warmup_polynomial(warmup, total, end=end, exponent=power)


def _inverse_sqrt(common: _Arguments, *, timescale: int | None = None) -> fs.Schedule:
    warmup = common.required("num_warmup_steps")
    if timescale == 0:
        raise common.error("timescale", "above 0")
    return fs.warmup_inverse_sqrt(warmup, timescale=timescale or warmup or 10_000 * common.unit)


def _cosine_with_min_lr(
    common: _Arguments, *, num_cycles: float = 0.5, min_lr: float | None = None, min_lr_rate: float | None = None
) -> fs.Schedule:
    return common.cosine(num_cycles, common.min_multiplier(min_lr, min_lr_rate))


def _cosine_warmup_with_min_lr(
    common: _Arguments,
    *,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> fs.Schedule:
    (warmup, total), unit = common.warmup_and_total(common.unit), common.unit
    if warmup % unit:  # the warmup of transformers rises above 1
        raise common.error("num_warmup_steps", f"an integer for {common.name!r}")
    ramp = fs.shift(fs.ramp(0.0, 1.0, steps=warmup), unit)
    if warmup_lr_rate is not None:
        ramp = fs.ramp(warmup_lr_rate, 1.0, steps=max(unit, warmup - unit))
    decay = _waves(0, total - warmup, num_cycles, common.min_multiplier(min_lr, min_lr_rate))
    return fs.join([ramp, fs.shift(decay, unit)], [warmup])


def _warmup_stable_decay(
    common: _Arguments,
    *,
    num_decay_steps: int | None = None,
    num_stable_steps: int | None = None,
    warmup_type: str = "linear",
    decay_type: str = "cosine",
    min_lr_ratio: float = 0,
    num_cycles: float = 0.5,
) -> fs.Schedule:
    warmup, steps, end = common.required("num_warmup_steps"), common.required("num_decay_steps"), min_lr_ratio
    if 0 < steps < common.unit:  # the decay of transformers has at least one step
        raise common.error("num_decay_steps", "0 or at least 1")
    stable = num_stable_steps
    if stable is None:
        stable = common.required("num_training_steps", "num_stable_steps") - warmup - steps
    warmup_shape, decay_shape = _WARMUPS[warmup_type], _DECAYS[decay_type]
    if stable >= 0 and (decay_type != "cosine" or num_cycles == 0.5):
        return fs.warmup_stable_decay(
            warmup, stable, steps, start=end, end=end, warmup_shape=warmup_shape, decay_shape=decay_shape
        )
    decay = fs.ramp(1.0, end, steps=steps, shape=decay_shape)
    if decay_type == "cosine":
        # With another number of cycles, it may not end at `min_lr_ratio`, which transformers holds after the decay.
        decay = fs.join([_waves(0, steps, num_cycles, end), fs.constant(end)], [steps])
    # If the warmup ends after the start of the decay, it takes precedence.
    decay = fs.shift(decay, max(-stable, 0))
    ramp = fs.ramp(end, 1.0, steps=warmup, shape=warmup_shape)
    return fs.join([ramp, decay], [warmup + max(stable, 0)])


SCHEDULER_TYPES: dict[str, Callable[..., fs.Schedule]] = {
    "constant": lambda common: fs.constant(),
    "constant_with_warmup": lambda common: fs.warmup_constant(common.required("num_warmup_steps")),
    "linear": _linear,
    "cosine": _cosine,
    "cosine_with_restarts": _cosine_with_restarts,
    "polynomial": _polynomial,
    "inverse_sqrt": _inverse_sqrt,
    "cosine_with_min_lr": _cosine_with_min_lr,
    "cosine_warmup_with_min_lr": _cosine_warmup_with_min_lr,
    "warmup_stable_decay": _warmup_stable_decay,
}
