"""Schedules of Keras, under the names of its classes, or from their serialized form.

Keras computes in float32 by default. Jitted by JAX, its quotients ``step / decay_steps`` become products with the
rounded inverse, which for some `decay_steps` (41, 47, 55, 61, ...) miss an integer: a stair, a cycle or a restart
then comes one step late. Ours come where the formulas have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from typing import Any

import funcsched as fs
from bridges.rated import Rated, call_by_name, choose
from funcsched.core.validation import (
    argument_error,
    boolean,
    concrete_level,
    concrete_nonnegative_int,
    concrete_positive_int,
    growth_factor,
    number_rule,
    positive,
    ratio,
    require_increasing,
    sequence,
)


def exponential_decay(
    initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
) -> Rated:
    """Keras' ExponentialDecay: the same factor in every `decay_steps` steps.

    ``initial_learning_rate * decay_rate ** (step / decay_steps)``, with `staircase` of the exponent rounded down

    Args:
        initial_learning_rate: the rate at step 0, above 0.
        decay_steps: over how many steps the factor applies once, an integer of at least 1.
        decay_rate: the factor, from 1e-30 to 1; above 1 the rate would grow without an end.
        staircase: whether it applies at once at the end of each stretch of `decay_steps`.

    Returns:
        The schedule and `initial_learning_rate`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: with `staircase` and `decay_steps` 55, the stairs of a jitted Keras at 55, 110, 220, ... are a step late.

    Example:
        >>> from bridges.keras import exponential_decay
        >>> schedule, rate = exponential_decay(0.5, 10, 0.25)
        >>> [rate * schedule(step) for step in (0, 5, 10)]
        [0.5, 0.25, 0.125]

    Source: Keras 3.15.1, keras.optimizers.schedules.ExponentialDecay.
    """
    function = "exponential_decay"
    peak = positive(function, "initial_learning_rate", initial_learning_rate)
    steps = concrete_positive_int(function, "decay_steps", decay_steps)
    factor, stairs = _factor(function, "decay_rate", decay_rate), boolean(function, "staircase", staircase)
    return Rated(fs.exponential_decay(factor, steps, staircase=stairs), peak)


def inverse_time_decay(
    initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
) -> Rated:
    """Keras' InverseTimeDecay: the inverse of time.

    ``initial_learning_rate / (1 + decay_rate * step / decay_steps)``, with `staircase` of the quotient rounded down

    Args:
        initial_learning_rate: the rate at step 0, above 0.
        decay_steps: the unit of `decay_rate`, an integer of at least 1.
        decay_rate: how fast the rate falls, from 1e-30 to 1e30.
        staircase: whether it changes at the multiples of `decay_steps` alone.

    Returns:
        The schedule and `initial_learning_rate`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: with `staircase`, as `exponential_decay` does.

    Example:
        >>> from bridges.keras import inverse_time_decay
        >>> schedule, rate = inverse_time_decay(0.5, 10, 1.0)
        >>> [rate * schedule(step) for step in (0, 10, 30)]
        [0.5, 0.25, 0.125]

    Source: Keras 3.15.1, keras.optimizers.schedules.InverseTimeDecay.
    """
    function = "inverse_time_decay"
    peak = positive(function, "initial_learning_rate", initial_learning_rate)
    steps = concrete_positive_int(function, "decay_steps", decay_steps)
    fall, stairs = ratio(function, "decay_rate", decay_rate), boolean(function, "staircase", staircase)
    return Rated(fs.inverse_time(fall, steps, staircase=stairs), peak)


def piecewise_constant_decay(boundaries: Iterable[int], values: Iterable[float]) -> Rated:
    """Keras' PiecewiseConstantDecay: one rate after another, each up to its boundary and on it.

    ``values[i]`` for ``boundaries[i - 1] < step <= boundaries[i]``

    Args:
        boundaries: the last step of each rate but the last, integers, increasing: one below the boundaries of
            `piecewise_constant`, which are first steps.
        values: the rates, one more than boundaries, at least 0 and not all 0.

    Returns:
        The schedule and the highest of `values`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type, out of its range, of the wrong length or not
            increasing.

    Example:
        >>> from bridges.keras import piecewise_constant_decay
        >>> schedule, rate = piecewise_constant_decay([10, 20], [0.5, 0.25, 0.125])
        >>> [rate * schedule(step) for step in (10, 11, 20, 21)]
        [0.5, 0.25, 0.25, 0.125]

    Source: Keras 3.15.1, keras.optimizers.schedules.PiecewiseConstantDecay.
    """
    function = "piecewise_constant_decay"
    last = sequence(function, "boundaries", boundaries, concrete_nonnegative_int, "integers")
    require_increasing(function, "boundaries", last)
    rates = sequence(function, "values", values, concrete_level, "numbers")
    if len(rates) != len(last) + 1:
        raise argument_error(function, "values", f"one more than the {len(last)} boundaries", list(rates))
    peak = max(rates)
    if peak == 0:
        raise argument_error(function, "values", "above 0 somewhere", list(rates))
    schedule = fs.piecewise_constant([step + 1 for step in last], levels=[rate / peak for rate in rates])
    return Rated(schedule, peak)


def polynomial_decay(
    initial_learning_rate: float,
    decay_steps: int,
    end_learning_rate: float = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
) -> Rated:
    """Keras' PolynomialDecay: a polynomial decay, or one after another, each lower and flatter.

    ``end + (initial - end) * (1 - step / decay_steps) ** power`` up to `decay_steps`, then `end`; with `cycle`,
    ``end + (initial - end) * (1 - step / (n * decay_steps)) ** power`` with n the steps in units of `decay_steps`,
    rounded up, and 1 at step 0

    Args:
        initial_learning_rate: the rate at step 0, above 0.
        decay_steps: the length of a decay, an integer of at least 1.
        end_learning_rate: the rate at its end, at least 0; with `cycle` at most `initial_learning_rate`.
        power: above 0; with `cycle` an integer from 1 to 16, for another the powers of n cannot be composed.
        cycle: whether another decay begins after each multiple of `decay_steps`, at which the rate is `end`.

    Returns:
        The schedule and `initial_learning_rate`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: where `power` is not whole, a jitted Keras gives NaN from `decay_steps` on for some `decay_steps`, such as
    10, and ours `end_learning_rate`. With `cycle` and `decay_steps` 7, it begins the cycle after step 21 at that step.

    Example:
        >>> from bridges.keras import polynomial_decay
        >>> schedule, rate = polynomial_decay(0.5, 10, 0.0, power=2.0, cycle=True)
        >>> [rate * schedule(step) for step in (0, 5, 10, 15, 20)]
        [0.5, 0.125, 0.0, 0.03125, 0.0]

    Source: Keras 3.15.1, keras.optimizers.schedules.PolynomialDecay.
    """
    function = "polynomial_decay"
    peak = positive(function, "initial_learning_rate", initial_learning_rate)
    steps = concrete_positive_int(function, "decay_steps", decay_steps)
    end = concrete_level(
        function, "end_learning_rate", concrete_level(function, "end_learning_rate", end_learning_rate) / peak
    )
    if boolean(function, "cycle", cycle):
        if end > 1:
            requirement = f"at most `initial_learning_rate` ({initial_learning_rate!r}) where `cycle` is True"
            raise argument_error(function, "end_learning_rate", requirement, end_learning_rate)
        cycles = _cycles(steps, _whole_power(function, "power", power))
        return Rated(fs.add(end, fs.scale(cycles, 1.0 - end)) if end else cycles, peak)
    shape = fs.reverse(fs.power(positive(function, "power", power)))
    return Rated(fs.ramp(1.0, end, steps=steps, shape=shape), peak)


def _cycles(steps: int, power: int) -> fs.Schedule:
    """Decays from 1 to 0, the n-th on a line from step 0 to n * steps, and so from 1 / n of the height."""
    line = fs.ramp(1.0, 0.0, steps=steps, shape=fs.reverse(fs.power(power)))
    # A cycle begins at the first step after a multiple, one step down its line.
    decays = fs.repeat(fs.shift(line, 1), steps)
    heights = [fs.inverse_time(1.0, steps, staircase=True)] * power
    return fs.join([fs.constant(), fs.product(decays, *heights)], [1])


_whole_power = number_rule("an integer from 1 to 16 where `cycle` is True", 1, 16, int)


def cosine_decay(
    initial_learning_rate: float,
    decay_steps: int,
    alpha: float = 0.0,
    warmup_target: float | None = None,
    warmup_steps: int = 0,
) -> Rated:
    """Keras' CosineDecay: a cosine decay, after a warmup if it has a target.

    ``initial_learning_rate * (alpha + (1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2)`` up to `decay_steps`; with
    `warmup_target`, ``initial + (warmup_target - initial) * step / warmup_steps``, and then the same decay from
    `warmup_target`

    Args:
        initial_learning_rate: the rate at step 0, above 0, or at least 0 with a target.
        decay_steps: the length of the decay, without the warmup, an integer of at least 1.
        alpha: the end of the decay as a share of its beginning, at least 0.
        warmup_target: the rate at the end of the warmup, above 0; None for none.
        warmup_steps: the length of the warmup, an integer of at least 0; without a target it has no effect.

    Returns:
        The schedule, and `warmup_target` or else `initial_learning_rate`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.keras import cosine_decay
        >>> schedule, rate = cosine_decay(0.0, 90, alpha=0.1, warmup_target=0.5, warmup_steps=10)
        >>> [rate * schedule(step) for step in (0, 5, 10, 100, 101)]
        [0.0, 0.25, 0.5, 0.05, 0.05]

    Source: Keras 3.15.1, keras.optimizers.schedules.CosineDecay.
    """
    function = "cosine_decay"
    steps, warmup = (
        concrete_positive_int(function, "decay_steps", decay_steps),
        concrete_nonnegative_int(function, "warmup_steps", warmup_steps),
    )
    end = concrete_level(function, "alpha", alpha)
    if warmup_target is None:
        peak = positive(function, "initial_learning_rate", initial_learning_rate)
        return Rated(fs.ramp(1.0, end, steps=steps, shape=fs.cosine), peak)
    peak = positive(function, "warmup_target", warmup_target)
    start = concrete_level(function, "initial_learning_rate", initial_learning_rate) / peak
    start = concrete_level(function, "initial_learning_rate", start)
    return Rated(fs.warmup_cosine(warmup, warmup + steps, start=start, end=end), peak)


def cosine_decay_restarts(
    initial_learning_rate: float, first_decay_steps: int, t_mul: float = 2.0, m_mul: float = 1.0, alpha: float = 0.0
) -> Rated:
    """Keras' CosineDecayRestarts: cosine decays without an end, each longer or lower than the one before.

    ``initial_learning_rate * (alpha + (1 - alpha) * m_mul**i * (1 + cos(pi u)) / 2)`` where u of cycle i has passed

    Args:
        initial_learning_rate: the rate at step 0, above 0.
        first_decay_steps: the length of the first cycle, an integer of at least 1.
        t_mul: how many times as long each cycle is as the one before: 1, or from 1.001 to 1e6. Below 1 there would be
            infinitely many before step ``first_decay_steps / (1 - t_mul)``, and Keras gives NaN from there on.
        m_mul: how many times as high, from 1e-30 to 1; above 1 the rate would grow without an end.
        alpha: the end of each cycle as a share of `initial_learning_rate`, at least 0; at most 1 where `m_mul` is not.

    Returns:
        The schedule and `initial_learning_rate`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: Keras finds the cycle by a logarithm in float32, whose rounding leaves the first step of some cycles in the
    one before; there it gives ``alpha * initial_learning_rate``, and ours the new peak. With `first_decay_steps` 10 and
    `t_mul` 7 that is so at step 570; jitted, with `t_mul` 6, at 10, 70 and 430, and with 1 and 55 at 55.

    Example:
        >>> from bridges.keras import cosine_decay_restarts
        >>> schedule, rate = cosine_decay_restarts(0.5, 10, m_mul=0.5)
        >>> [rate * schedule(step) for step in (0, 10, 30, 70)]
        [0.5, 0.25, 0.125, 0.0625]

    Source: Keras 3.15.1, keras.optimizers.schedules.CosineDecayRestarts.
    """
    function = "cosine_decay_restarts"
    peak = positive(function, "initial_learning_rate", initial_learning_rate)
    steps = concrete_positive_int(function, "first_decay_steps", first_decay_steps)
    growth, height = growth_factor(function, "t_mul", t_mul), _factor(function, "m_mul", m_mul)
    end = concrete_level(function, "alpha", alpha)
    if height == 1:
        return Rated(fs.cosine_restarts(steps, period_factor=growth, end=end), peak)
    if end > 1:
        raise argument_error(function, "alpha", "at most 1 where `m_mul` is not 1", alpha)
    cycles = fs.cosine_restarts(steps, period_factor=growth, level_factor=height)
    return Rated(fs.add(end, fs.scale(cycles, 1.0 - end)) if end else cycles, peak)


_factor = number_rule("a number from 1e-30 to 1", 1e-30, 1)
_CLASSES: dict[str, Callable[..., Rated]] = {
    "CosineDecay": cosine_decay,
    "CosineDecayRestarts": cosine_decay_restarts,
    "ExponentialDecay": exponential_decay,
    "InverseTimeDecay": inverse_time_decay,
    "PiecewiseConstantDecay": piecewise_constant_decay,
    "PolynomialDecay": polynomial_decay,
}


def from_config(config: Mapping[str, Any]) -> Rated:
    """The schedule of what `keras.optimizers.schedules.serialize` gives.

    Args:
        config: "class_name" is the name of a class of Keras, and "config" its arguments; the `name` among them has no
            effect, as other keys.

    Returns:
        What the function of the class returns.

    Raises:
        TypeError, ValueError: no such mapping, an unknown class or argument, or one that its function refuses.

    Example:
        >>> from bridges.keras import from_config
        >>> config = {"initial_learning_rate": 0.5, "decay_steps": 100, "name": "CosineDecay"}
        >>> from_config({"class_name": "CosineDecay", "config": config})
        Rated(schedule=ramp(start=1.0, stop=0.0, steps=100, shape=cosine), peak_value=0.5)

    Source: Keras 3.15.1, keras.optimizers.schedules.deserialize.
    """
    function = "from_config"
    arguments = config.get("config") if isinstance(config, Mapping) else None
    if not isinstance(arguments, Mapping):
        raise argument_error(function, "config", "a mapping with 'class_name' and 'config'", config, TypeError)
    build = choose(function, "config['class_name']", config.get("class_name"), _CLASSES)
    given = {name: value for name, value in arguments.items() if name != "name"}
    rated: Rated = call_by_name(build.__name__, build, signature(build).parameters, given)
    return rated
