"""The schedules of timm, built of the arguments of its classes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from itertools import accumulate
from typing import Any

import funcsched as fs
from bridges.rated import Rated, choose
from funcsched.core.validation import (
    argument_error,
    boolean,
    concrete_level,
    concrete_nonnegative_int,
    concrete_positive_int,
    number_rule,
    one_of,
    positive,
    ratio,
    sequence,
    tanh_bound,
)

_PARTS = 64  # into as many parts `stretch` divides a step exactly


class Given:
    """The arguments of a call, each checked under the name that the caller knows it by."""

    def __init__(self, function: str, values: Mapping[str, Any], names: Mapping[str, str] | None = None, unit: int = 1):
        self.function, self.values, self.names, self.unit = function, values, names or {}, unit
        self.base_lr: float = self("base_lr", positive)
        if self.value("noise_range_t") is not None:
            rule = "None: noise comes from random numbers and not from the step alone"
            raise self.refuse("noise_range_t", rule)

    def name(self, argument: str) -> str:
        return self.names.get(argument, argument)

    def value(self, argument: str) -> Any:
        return self.values[self.name(argument)]

    def __call__(self, argument: str, rule: Callable[[str, str, Any], Any]) -> Any:
        return rule(self.function, self.name(argument), self.value(argument))

    def share(self, argument: str) -> float:
        """A rate as a share of `base_lr`."""
        rate: float = self(argument, concrete_level) / self.base_lr
        return concrete_level(self.function, self.name(argument), rate)  # type: ignore[no-any-return]

    def steps(self, argument: str, rule: Callable[[str, str, Any], Any]) -> Any:
        """A time in steps."""
        return self(argument, self.in_steps(rule))

    def in_steps(self, rule: Callable[[str, str, Any], Any]) -> Callable[[str, str, Any], Any]:
        """The rule of a time which is given in epochs."""
        if self.unit == 1:
            return rule

        def check(function: str, argument: str, value: Any) -> Any:
            epochs = concrete_level(function, argument, value)
            return rule(function, f"{argument} * updates_per_epoch", epochs * self.unit)

        return check

    def refuse(self, argument: str, requirement: str) -> Exception:
        return argument_error(self.function, self.name(argument), requirement, self.value(argument))


def _parts(function: str, argument: str, value: Any) -> tuple[int, int]:
    """The fraction that a float stands for."""
    number = positive(function, argument, value)
    fraction = Fraction(number).limit_denominator(_PARTS)
    if float(fraction) != number:
        raise argument_error(
            function, argument, f"an integer or a fraction with a denominator of at most {_PARTS}", value
        )
    return fraction.numerator, fraction.denominator


def _divided(schedule: fs.Schedule, parts: int) -> fs.Schedule:
    """A schedule whose steps are parts of ours."""
    return schedule if parts == 1 else fs.stretch(schedule, 1 / parts)


def _warmed(given: Given, schedule: fs.Schedule, *, prefix: bool, peak: float = 1.0) -> Rated:
    """A schedule after a warmup to `peak`, or from there on."""
    steps, start = given.steps("warmup_t", concrete_nonnegative_int), given.share("warmup_lr_init")
    if steps:
        rest = schedule if prefix else fs.shift(schedule, steps)
        schedule = fs.join([fs.ramp(start, peak, steps=steps), rest], [steps])
    return Rated(schedule, given.base_lr)


def _cycles(given: Given, shape: Any, lower: float = -math.inf, upper: float = math.inf) -> fs.Schedule:
    """Decays that begin and end where the tangent stands at `lower` and `upper`."""
    end, limit, decay = (
        given.share("lr_min"),
        given("cycle_limit", concrete_nonnegative_int),
        given("cycle_decay", ratio),
    )
    if limit == 0:
        return fs.constant(end)
    first, last = _falling(lower), _falling(upper)
    first_of_end, last_of_end = end * _falling(-lower), end * _falling(-upper)
    if limit == 1 or decay == 1:
        return _repeated(given, shape, first + first_of_end, last + last_of_end, end, limit)
    # The peaks shrink and the ends do not.
    peaks = _repeated(given, shape, first, last, 0.0, limit, decay)
    return fs.add(peaks, _repeated(given, shape, first_of_end, last_of_end, end, limit)) if end else peaks


def _falling(x: float) -> float:
    """(1 - tanh(x)) / 2"""
    return 0.0 if x == math.inf else 1.0 / (1.0 + math.exp(2.0 * x))


def _repeated(
    given: Given, shape: Any, start: float, stop: float, held: float, limit: int, decay: float = 1.0
) -> fs.Schedule:
    def cycle(steps: int) -> fs.Schedule:
        ramp = fs.ramp(start, stop, steps=steps, shape=shape)
        return ramp if stop == held else fs.join([ramp, fs.constant(held)], [steps])

    length, growth = given.steps("t_initial", concrete_positive_int), given("cycle_mul", _growth)
    if limit == 1:
        return cycle(length)
    if growth == 1 or growth >= 1.001:
        return fs.repeat(cycle(length), length, limit, growth, decay)
    lengths, parts = _lengths(given, length, growth, limit)
    counts = [int(steps * parts) for steps in lengths]
    cycles = [fs.scale(cycle(count), decay**i) if decay != 1 else cycle(count) for i, count in enumerate(counts)]
    return _divided(fs.join(cycles, accumulate(counts[:-1])), parts)


_growth = number_rule("a number above 0 and at most 1e6", 0, 1e6, above=True)


def _lengths(given: Given, length: int, growth: float, limit: int) -> tuple[list[Fraction], int]:
    """The lengths of cycles that shrink, and their common denominator."""
    factor = Fraction(growth).limit_denominator(1000)
    lengths, parts = [Fraction(length)], 1
    while len(lengths) < limit and parts <= _PARTS:
        lengths.append(lengths[-1] * factor)
        parts = math.lcm(parts, lengths[-1].denominator)
    if parts > _PARTS or float(factor) != growth:
        requirement = f"1, from 1.001 to 1e6, or such that all lengths have a common denominator of at most {_PARTS}"
        raise given.refuse("cycle_mul", requirement)
    return lengths, parts


def cosine(given: Given) -> Rated:
    cycles = _cycles(given, _k_decay(given, fs.cosine))
    return _warmed(given, cycles, prefix=given("warmup_prefix", boolean))


def _k_decay(given: Given, shape: fs.Shape) -> fs.Shape:
    exponent = given("k_decay", positive)
    return shape if exponent == 1 else fs.compose(shape, fs.power(exponent))


def tanh(given: Given) -> Rated:
    lower, upper = given("lb", tanh_bound), given("ub", tanh_bound)
    if lower >= upper:
        raise given.refuse("lb", f"below `ub` ({upper!r})")
    cycles, prefix = _cycles(given, fs.tanh(lower, upper), lower, upper), given("warmup_prefix", boolean)
    peak = 1.0 if prefix else cycles(given.steps("warmup_t", concrete_nonnegative_int))
    return _warmed(given, cycles, prefix=prefix, peak=peak)


def poly(given: Given) -> Rated:
    cycles = _cycles(given, _k_decay(given, fs.reverse(fs.power(given("power", positive)))))
    return _warmed(given, cycles, prefix=given("warmup_prefix", boolean))


def step(given: Given) -> Rated:
    period, parts = given.steps("decay_t", _parts)
    decay = _divided(fs.step_decay(period, given("decay_rate", _factor)), parts)
    return _warmed(given, decay, prefix=given("warmup_prefix", boolean))


_factor = number_rule("a number from 1e-30 to 1", 1e-30, 1)


def multistep(given: Given) -> Rated:
    rate = given("decay_rate", concrete_level)
    milestones = given("decay_t", partial(sequence, rule=given.in_steps(concrete_nonnegative_int), of="integers"))
    if list(milestones) != sorted(milestones):
        raise given.refuse("decay_t", "in order")
    steps = Counter(max(milestone - 1, 0) for milestone in milestones)
    decay = fs.piecewise_constant(list(steps), factors=[rate**count for count in steps.values()])
    return _warmed(given, decay, prefix=given("warmup_prefix", boolean))


def wsd(given: Given) -> Rated:
    length, decay = given.steps("t_initial", concrete_positive_int), given.steps("decay_t", concrete_positive_int)
    if decay > length:
        raise given.refuse("decay_t", f"at most `t_initial` ({length})")
    stable_fn = given("stable_fn", one_of("constant", "rsqrt", "power"))
    return _stable_then_decay(given, length - decay, decay, stable_fn, given.value("decay_fn"))


def _wsd_of_epochs(given: Given, stable_fn: str, decay_fn: str) -> Rated:
    """wsd of the factory, where the warmup may belong to the length, and the decay be a share of what is left."""
    length = given.steps("t_initial", concrete_positive_int)
    if not given("warmup_prefix", boolean):
        length -= given.steps("warmup_t", concrete_nonnegative_int)
    if length < 1:
        raise given.refuse("t_initial", f"above `warmup_epochs` ({given.value('warmup_t')!r})")
    part = given("decay_t", positive)
    decay = round(part * length if part < 1 else part * given.unit)
    if not 1 <= decay <= length:
        raise given.refuse("decay_t", f"a length of 1 to {length} steps")
    return _stable_then_decay(given, length - decay, decay, stable_fn, given.value("decay_fn") or decay_fn)


def _stable_then_decay(given: Given, stable: int, decay: int, stable_fn: str, decay_fn: Any) -> Rated:
    shape, end = _decay_shape(given, decay_fn), given.share("lr_min")
    if stable_fn == "constant" and end <= 1:
        warmup, start = given.steps("warmup_t", concrete_nonnegative_int), given.share("warmup_lr_init")
        schedule = fs.warmup_stable_decay(warmup, stable, decay, start=start, end=end, decay_shape=shape)
        return Rated(schedule, given.base_lr)
    height = _stable(given, stable_fn)
    down = fs.join([fs.constant(), fs.ramp(1.0, 0.0, steps=decay, shape=shape)], [stable])
    if end == 0:
        return _warmed(given, fs.product(height, down), prefix=True)
    up = fs.join([fs.constant(0.0), fs.ramp(0.0, end, steps=decay, shape=shape)], [stable])
    return _warmed(given, fs.add(fs.product(fs.maximum(height, end), down), up), prefix=True)


def _stable(given: Given, stable_fn: str) -> fs.Schedule:
    if stable_fn == "constant":
        return fs.constant()
    if given.value("stable_timescale") is not None:
        timescale, parts = given.steps("stable_timescale", _parts)
    else:
        timescale, parts = given.steps("warmup_t", concrete_nonnegative_int), 1
    if timescale == 0:
        raise given.refuse("stable_timescale", "given where there is no warmup")
    exponent = 0.5 if stable_fn == "rsqrt" else given("stable_power", positive)
    return _divided(fs.inverse_power(timescale, exponent), parts)


def _decay_shape(given: Given, decay_fn: Any) -> Any:
    if callable(decay_fn):
        return partial(_left, decay_fn)
    return choose(given.function, "decay_fn", decay_fn, _DECAYS)(given)


def _left(decay_fn: Callable[[Any], Any], fraction: Any) -> Any:
    return 1.0 - decay_fn(fraction)


_below_one = number_rule("a number from 1e-30 to below 1", 1e-30, 1 - 2**-53)
_DECAYS: dict[str, Callable[[Given], fs.Shape]] = {
    "linear": lambda given: fs.linear,
    "1-sqrt": lambda given: fs.sqrt,
    "cosine": lambda given: fs.cosine,
    "power": lambda given: fs.power(given("decay_power", positive)),
    "exp": lambda given: fs.exponential(given("decay_ratio", _below_one)),
}
SCHEDULERS: dict[str, Callable[[Given], Rated]] = {
    "cosine": cosine,
    "tanh": tanh,
    "poly": poly,
    "step": step,
    "multistep": multistep,
    "wsd": partial(_wsd_of_epochs, stable_fn="constant", decay_fn="1-sqrt"),
    "rsqrt": partial(_wsd_of_epochs, stable_fn="rsqrt", decay_fn="linear"),
    "constant": lambda given: _warmed(given, fs.constant(), prefix=True),
    "none": lambda given: Rated(fs.constant(), given.base_lr),
}
