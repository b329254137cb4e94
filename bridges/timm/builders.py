"""The schedules of timm's scheduler classes, built from their arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import accumulate
from typing import Any

import funcsched as fs
from bridges.arguments import choose
from bridges.compositions import from_parts, multiply_at
from bridges.rated import Rated
from bridges.timm.arguments import Arguments
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error, number_rule, sequence

_Weights = tuple[float, float]
_MAX_DENOMINATOR = 64  # of a float that is a fraction, such as 2.4
_growth = number_rule("a number above 0 and at most 1e6", 0, 1e6, above=True)
_below_one = number_rule("a number from 1e-30 to below 1", 1e-30, 1 - 2**-53)


def cosine(arguments: Arguments) -> Rated:
    cycles = _cycles(arguments, _with_k_decay(arguments, fs.cosine))
    return with_warmup(arguments, cycles, prefix=arguments.get("warmup_prefix", rules.boolean))


def poly(arguments: Arguments) -> Rated:
    shape = fs.reverse(fs.power(arguments.get("power", rules.positive)))
    cycles = _cycles(arguments, _with_k_decay(arguments, shape))
    return with_warmup(arguments, cycles, prefix=arguments.get("warmup_prefix", rules.boolean))


def tanh(arguments: Arguments) -> Rated:
    lower, upper = arguments.get("lb", rules.tanh_bound), arguments.get("ub", rules.tanh_bound)
    if lower >= upper:
        raise arguments.error("lb", f"below `ub` ({upper!r})")
    cycles = _cycles(arguments, fs.tanh(lower, upper), _tanh_weights(lower), _tanh_weights(upper))
    prefix = arguments.get("warmup_prefix", rules.boolean)
    # Without a prefix, timm's warmup rises to the rate that the cycle has when the warmup ends.
    peak = 1.0 if prefix else cycles(arguments.steps("warmup_t", rules.concrete_nonnegative_int))
    return with_warmup(arguments, cycles, prefix=prefix, peak=peak)


def step(arguments: Arguments) -> Rated:
    period, denominator = arguments.steps("decay_t", _fraction)
    decay = from_parts(fs.step_decay(period, arguments.get("decay_rate", rules.ratio_up_to_one)), denominator)
    return with_warmup(arguments, decay, prefix=arguments.get("warmup_prefix", rules.boolean))


def multistep(arguments: Arguments) -> Rated:
    rate = arguments.get("decay_rate", rules.concrete_nonnegative)
    rule = partial(sequence, rule=arguments.in_steps(rules.concrete_nonnegative_int), of="integers")
    milestones = arguments.get("decay_t", rule)
    if list(milestones) != sorted(milestones):
        raise arguments.error("decay_t", "sorted")
    decay = multiply_at((max(milestone - 1, 0) for milestone in milestones), rate)  # timm compares them with t + 1
    return with_warmup(arguments, decay, prefix=arguments.get("warmup_prefix", rules.boolean))


def wsd(arguments: Arguments) -> Rated:
    total, decay = (arguments.steps(name, rules.concrete_positive_int) for name in ("t_initial", "decay_t"))
    if decay > total:
        raise arguments.error("decay_t", f"at most `t_initial` ({total})")
    stable_fn = choose(arguments.function, "stable_fn", arguments.values["stable_fn"], ["constant", "rsqrt", "power"])
    return stable_then_decay(arguments, total - decay, decay, stable_fn, arguments.values["decay_fn"])


def with_warmup(arguments: Arguments, schedule: fs.Schedule, *, prefix: bool, peak: float = 1.0) -> Rated:
    """A linear warmup to `peak`, then the schedule, which starts after the warmup with `prefix`, or else at t = 0."""
    steps, start = arguments.steps("warmup_t", rules.concrete_nonnegative_int), arguments.multiplier("warmup_lr_init")
    if steps:
        rest = schedule if prefix else fs.shift(schedule, steps)
        schedule = fs.join([fs.ramp(start, peak, steps=steps), rest], [steps])
    return Rated(schedule, arguments.base_lr)


def stable_then_decay(arguments: Arguments, stable: int, decay: int, stable_fn: str, decay_fn: Any) -> Rated:
    """A warmup, `stable` steps of a stable phase, and `decay` steps of decay."""
    shape, end = None if callable(decay_fn) else _decay_shape(arguments, decay_fn), arguments.multiplier("lr_min")
    if stable_fn == "constant" and end <= 1 and shape is not None:
        warmup = arguments.steps("warmup_t", rules.concrete_nonnegative_int)
        start = arguments.multiplier("warmup_lr_init")
        schedule = fs.warmup_stable_decay(warmup, stable, decay, start=start, end=end, decay_shape=shape)
        return Rated(schedule, arguments.base_lr)
    # lr_min + (max(stable, lr_min) - lr_min) * decay, written as max(stable, lr_min) * decay + lr_min * (1 - decay)
    stable_curve = _stable_curve(arguments, stable_fn)
    fall = fs.curve(decay_fn, steps=decay) if shape is None else fs.ramp(1.0, 0.0, steps=decay, shape=shape)
    down = fs.join([fs.constant(), fall], [stable])
    if end == 0:
        return with_warmup(arguments, fs.product(stable_curve, down), prefix=True)
    up = fs.lerp(down, end, 0.0)
    return with_warmup(arguments, fs.add(fs.product(fs.maximum(stable_curve, end), down), up), prefix=True)


def _cycles(
    arguments: Arguments, shape: fs.Shape, start_weights: _Weights = (1.0, 0.0), stop_weights: _Weights = (0.0, 1.0)
) -> fs.Schedule:
    """Decays along a shape. The weights are those of the peak and of `lr_min` at the two ends of a decay."""
    end = arguments.multiplier("lr_min")
    limit = arguments.get("cycle_limit", rules.concrete_nonnegative_int)
    level_factor = arguments.get("cycle_decay", rules.ratio)
    if limit == 0:
        return fs.constant(end)
    (peak_start, end_start), (peak_stop, end_stop) = start_weights, stop_weights
    if limit == 1 or level_factor == 1:
        return _repeated(arguments, shape, peak_start + end * end_start, peak_stop + end * end_stop, end, limit)
    # `cycle_decay` multiplies only the peak, so the terms of the peak and of `lr_min` are repeated separately.
    peaks = _repeated(arguments, shape, peak_start, peak_stop, 0.0, limit, level_factor)
    return fs.add(peaks, _repeated(arguments, shape, end * end_start, end * end_stop, end, limit)) if end else peaks


def _tanh_weights(x: float) -> _Weights:
    """``(1 - tanh(x)) / 2`` and ``(1 + tanh(x)) / 2``"""
    return 1.0 / (1.0 + math.exp(2.0 * x)), 1.0 / (1.0 + math.exp(-2.0 * x))


def _with_k_decay(arguments: Arguments, shape: fs.Shape) -> fs.Shape:
    exponent = arguments.get("k_decay", rules.positive)
    return shape if exponent == 1 else fs.compose(shape, fs.power(exponent))


def _repeated(
    arguments: Arguments, shape: fs.Shape, start: float, stop: float, end: float, limit: int, factor: float = 1.0
) -> fs.Schedule:
    """`limit` ramps from `start` to `stop`, after which `end` is held. Each is the one before times `factor`."""

    def cycle(steps: int) -> fs.Schedule:
        ramp = fs.ramp(start, stop, steps=steps, shape=shape)
        return ramp if stop == end else fs.join([ramp, fs.constant(end)], [steps])

    first, growth = arguments.steps("t_initial", rules.concrete_positive_int), arguments.get("cycle_mul", _growth)
    if limit == 1:
        return cycle(first)
    if growth == 1 or growth >= 1.001:  # the range of `repeat`
        return fs.repeat(cycle(first), first, limit, growth, factor)
    lengths, denominator = _cycle_lengths(arguments, first, growth, limit)
    cycles = [fs.scale(cycle(n), factor**i) if factor != 1 else cycle(n) for i, n in enumerate(lengths)]
    return from_parts(fs.join(cycles, accumulate(lengths[:-1])), denominator)


def _cycle_lengths(arguments: Arguments, first: int, growth: float, limit: int) -> tuple[list[int], int]:
    """The lengths of all cycles, as numerators of fractions with a common denominator."""
    factor = Fraction(growth).limit_denominator(1000)
    lengths, denominator = [Fraction(first)], 1
    while len(lengths) < limit and denominator <= _MAX_DENOMINATOR:
        lengths.append(lengths[-1] * factor)
        denominator = math.lcm(denominator, lengths[-1].denominator)
    if denominator > _MAX_DENOMINATOR or float(factor) != growth:
        common = f"such that all cycle lengths have a common denominator of at most {_MAX_DENOMINATOR}"
        raise arguments.error("cycle_mul", f"1, from 1.001 to 1e6, or {common}")
    return [int(length * denominator) for length in lengths], denominator


def _fraction(function: str, argument: str, value: Any) -> tuple[int, int]:
    """The rule of a fraction such as 2.4, which returns its numerator and denominator."""
    number = rules.positive(function, argument, value)
    fraction = Fraction(number).limit_denominator(_MAX_DENOMINATOR)
    if float(fraction) != number:
        requirement = f"an integer or a fraction with a denominator of at most {_MAX_DENOMINATOR}"
        raise argument_error(function, argument, requirement, value)
    return fraction.numerator, fraction.denominator


def _stable_curve(arguments: Arguments, stable_fn: str) -> fs.Schedule:
    if stable_fn == "constant":
        return fs.constant()
    if arguments.values["stable_timescale"] is not None:
        timescale, denominator = arguments.steps("stable_timescale", _fraction)
    else:
        timescale, denominator = arguments.steps("warmup_t", rules.concrete_nonnegative_int), 1
    if timescale == 0:
        raise arguments.error("stable_timescale", "given if there is no warmup")
    exponent = 0.5 if stable_fn == "rsqrt" else arguments.get("stable_power", rules.positive)
    return from_parts(fs.inverse_power(timescale, exponent), denominator)


def _decay_shape(arguments: Arguments, decay_fn: Any) -> fs.Shape:
    shape: fs.Shape = choose(arguments.function, "decay_fn", decay_fn, _DECAYS)(arguments)
    return shape


_DECAYS: dict[str, Callable[[Arguments], fs.Shape]] = {
    "linear": lambda arguments: fs.linear,
    "1-sqrt": lambda arguments: fs.sqrt,
    "cosine": lambda arguments: fs.cosine,
    "power": lambda arguments: fs.power(arguments.get("decay_power", rules.positive)),
    "exp": lambda arguments: fs.exponential(arguments.get("decay_ratio", _below_one)),
}
