"""Keras' learning-rate schedules as functions, with the arguments of its classes, or from their serialized form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import funcsched as fs
from bridges.arguments import BY_TYPE, checked, choose
from bridges.rated import Rated
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error, number_rule

_RULES = {
    **BY_TYPE,
    **dict.fromkeys(["decay_steps", "first_decay_steps"], rules.concrete_positive_int),
    "power": rules.positive,
    "t_mul": rules.growth_factor,
    "m_mul": rules.ratio_up_to_one,
}
_integer_power = number_rule("an integer from 1 to 16 if `cycle` is True", 1, 16, int)


@checked(common=_RULES, initial_learning_rate=rules.positive, decay_rate=rules.ratio_up_to_one)
def exponential_decay(
    initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
) -> Rated:
    """Keras' ExponentialDecay: an exponential decay by `decay_rate` per `decay_steps`.

    ``initial_learning_rate * decay_rate ** (step / decay_steps)``; with `staircase`, the exponent is rounded down

    Args:
        initial_learning_rate: learning rate at step 0 (float, above 0).
        decay_steps: number of steps over which the rate is multiplied by `decay_rate` (int, 1 to 2**53).
        decay_rate: factor per `decay_steps` (float, 1e-30 to 1). Above 1, the rate would grow indefinitely.
        staircase: whether the rate only changes at multiples of `decay_steps` (bool).

    Returns:
        A schedule and its peak value, `initial_learning_rate`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: with `staircase` and ``decay_steps=55``, the stairs of jitted Keras at 55, 110, 220, ... are one step late.

    Example:
        >>> from bridges.keras import exponential_decay
        >>> schedule, peak_value = exponential_decay(0.5, 10, 0.25)
        >>> [peak_value * schedule(step) for step in (0, 5, 10)]
        [0.5, 0.25, 0.125]

    Source: Keras 3.15.1, keras.optimizers.schedules.ExponentialDecay.
    """
    return Rated(fs.exponential_decay(decay_rate, decay_steps, staircase=staircase), initial_learning_rate)


@checked(common=_RULES, initial_learning_rate=rules.positive, decay_rate=rules.ratio)
def inverse_time_decay(
    initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
) -> Rated:
    """Keras' InverseTimeDecay: an inverse-time decay.

    ``initial_learning_rate / (1 + decay_rate * step / decay_steps)``; with `staircase`, ``step / decay_steps`` is
    rounded down

    Args:
        initial_learning_rate: learning rate at step 0 (float, above 0).
        decay_steps: number of steps per unit of `decay_rate` (int, 1 to 2**53).
        decay_rate: speed of the decay (float, 1e-30 to 1e30).
        staircase: whether the rate only changes at multiples of `decay_steps` (bool).

    Returns:
        A schedule and its peak value, `initial_learning_rate`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: with `staircase`, like `exponential_decay`.

    Example:
        >>> from bridges.keras import inverse_time_decay
        >>> schedule, peak_value = inverse_time_decay(0.5, 10, 1.0)
        >>> [peak_value * schedule(step) for step in (0, 10, 30)]
        [0.5, 0.25, 0.125]

    Source: Keras 3.15.1, keras.optimizers.schedules.InverseTimeDecay.
    """
    return Rated(fs.inverse_time(decay_rate, decay_steps, staircase=staircase), initial_learning_rate)


@checked()
def piecewise_constant_decay(boundaries: Iterable[int], values: Iterable[float]) -> Rated:
    """Keras' PiecewiseConstantDecay: constant rates, each up to and including its boundary.

    ``values[i]`` for ``boundaries[i - 1] < step <= boundaries[i]``

    Args:
        boundaries: last step of each rate except the final one (ints, 0 to 2**53, increasing). `piecewise_constant`
            takes the first step of the next rate instead, which is one more.
        values: learning rates (floats, at least 0, not all 0), one more than boundaries.

    Returns:
        A schedule and its peak value, the maximum of `values`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or length, or is out of range or not increasing.

    Example:
        >>> from bridges.keras import piecewise_constant_decay
        >>> schedule, peak_value = piecewise_constant_decay([10, 20], [0.5, 0.25, 0.125])
        >>> [peak_value * schedule(step) for step in (10, 11, 20, 21)]
        [0.5, 0.25, 0.25, 0.125]

    Source: Keras 3.15.1, keras.optimizers.schedules.PiecewiseConstantDecay.
    """
    function = "piecewise_constant_decay"
    last = rules.concrete_nonnegative_ints(function, "boundaries", boundaries)
    rules.require_increasing(function, "boundaries", last)
    rates = rules.sequence(function, "values", values, rules.concrete_nonnegative, "numbers")
    if len(rates) != len(last) + 1:
        raise argument_error(function, "values", f"one longer than `boundaries` ({len(last)})", list(rates))
    peak = max(rates)
    if peak == 0:
        raise argument_error(function, "values", "numbers that are not all 0", list(rates))
    schedule = fs.piecewise_constant([step + 1 for step in last], levels=[rate / peak for rate in rates])
    return Rated(schedule, peak)


@checked(common=_RULES, initial_learning_rate=rules.positive)
def polynomial_decay(
    initial_learning_rate: float,
    decay_steps: int,
    end_learning_rate: float = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
) -> Rated:
    """Keras' PolynomialDecay: a polynomial decay, optionally in cycles that become lower and flatter.

    ``end + (initial - end) * (1 - step / decay_steps) ** power`` up to `decay_steps`, then `end`; with `cycle`,
    ``end + (initial - end) * (1 - step / (n * decay_steps)) ** power`` with ``n = max(ceil(step / decay_steps), 1)``

    Args:
        initial_learning_rate: learning rate at step 0 (float, above 0).
        decay_steps: length of a decay (int, 1 to 2**53).
        end_learning_rate: learning rate at the end of a decay (float, at least 0; with `cycle`, at most
            `initial_learning_rate`).
        power: exponent (float, above 0; with `cycle`, an integer from 1 to 16).
        cycle: whether a new decay starts after each multiple of `decay_steps` (bool).

    Returns:
        A schedule and its peak value, `initial_learning_rate`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: if `power` is not an integer, jitted Keras returns NaN from `decay_steps` on for some `decay_steps`, such
    as 10; here the rate is `end_learning_rate`. With `cycle` and ``decay_steps=7``, jitted Keras starts a cycle at step
    21 instead of 22.

    Example:
        >>> from bridges.keras import polynomial_decay
        >>> schedule, peak_value = polynomial_decay(0.5, 10, 0.0, power=2.0, cycle=True)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 15, 20)]
        [0.5, 0.125, 0.0, 0.03125, 0.0]

    Source: Keras 3.15.1, keras.optimizers.schedules.PolynomialDecay.
    """
    function, peak = "polynomial_decay", initial_learning_rate
    end = _multiplier(function, "end_learning_rate", end_learning_rate, peak)
    if cycle:
        if end > 1:
            requirement = f"at most `initial_learning_rate` ({initial_learning_rate!r}) if `cycle` is True"
            raise argument_error(function, "end_learning_rate", requirement, end_learning_rate)
        cycles = _polynomial_cycles(decay_steps, _integer_power(function, "power", power))
        return Rated(fs.lerp(cycles, end, 1.0) if end else cycles, peak)
    return Rated(fs.ramp(1.0, end, steps=decay_steps, shape=fs.reverse(fs.power(power))), peak)


def _polynomial_cycles(steps: int, power: int) -> fs.Schedule:
    """``(1 - step / (n * steps)) ** power`` as a product of ``(1 / n) ** power`` and a periodic decay from 1 to 0."""
    decay = fs.ramp(1.0, 0.0, steps=steps, shape=fs.reverse(fs.power(power)))
    # A cycle includes the multiple of `steps` at its end and not the one at its start, so its first step is step 1.
    cycles = fs.repeat(fs.shift(decay, 1), steps)
    inverse_n = fs.inverse_time(1.0, steps, staircase=True)
    return fs.join([fs.constant(), fs.product(cycles, *[inverse_n] * power)], [1])


@checked(common=_RULES)
def cosine_decay(
    initial_learning_rate: float,
    decay_steps: int,
    alpha: float = 0.0,
    warmup_target: float | None = None,
    warmup_steps: int = 0,
) -> Rated:
    """Keras' CosineDecay: a cosine decay, with a warmup if `warmup_target` is given.

    ``initial_learning_rate * (alpha + (1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2)`` up to `decay_steps`; with
    `warmup_target`, ``initial + (warmup_target - initial) * step / warmup_steps``, then the same decay from
    `warmup_target`

    Args:
        initial_learning_rate: learning rate at step 0 (float, above 0; with `warmup_target`, at least 0).
        decay_steps: length of the decay, without the warmup (int, 1 to 2**53).
        alpha: final learning rate as a fraction of the peak (float, at least 0).
        warmup_target: learning rate at the end of the warmup (float, above 0). None means no warmup.
        warmup_steps: number of warmup steps (int, 0 to 2**53). Has no effect without `warmup_target`.

    Returns:
        A schedule and its peak value: `warmup_target`, or `initial_learning_rate` if that is None.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.keras import cosine_decay
        >>> schedule, peak_value = cosine_decay(0.0, 90, alpha=0.1, warmup_target=0.5, warmup_steps=10)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 100, 101)]
        [0.0, 0.25, 0.5, 0.05, 0.05]

    Source: Keras 3.15.1, keras.optimizers.schedules.CosineDecay.
    """
    function = "cosine_decay"
    if warmup_target is None:
        peak = rules.positive(function, "initial_learning_rate", initial_learning_rate)
        return Rated(fs.ramp(1.0, alpha, steps=decay_steps, shape=fs.cosine), peak)
    peak = rules.positive(function, "warmup_target", warmup_target)
    start = _multiplier(function, "initial_learning_rate", initial_learning_rate, peak)
    return Rated(fs.warmup_cosine(warmup_steps, warmup_steps + decay_steps, start=start, end=alpha), peak)


@checked(common=_RULES, initial_learning_rate=rules.positive)
def cosine_decay_restarts(
    initial_learning_rate: float, first_decay_steps: int, t_mul: float = 2.0, m_mul: float = 1.0, alpha: float = 0.0
) -> Rated:
    """Keras' CosineDecayRestarts: cosine decays with warm restarts, indefinitely.

    ``initial_learning_rate * (alpha + (1 - alpha) * m_mul**i * (1 + cos(pi * u)) / 2)`` in cycle i, where u is the
    elapsed fraction of the cycle

    Args:
        initial_learning_rate: learning rate at step 0 (float, above 0).
        first_decay_steps: length of the first cycle (int, 1 to 2**53).
        t_mul: ratio of the lengths of successive cycles (float, 1 or 1.001 to 1e6). Below 1, Keras returns NaN from
            step ``first_decay_steps / (1 - t_mul)`` on.
        m_mul: ratio of the peaks of successive cycles (float, 1e-30 to 1). Above 1, the rate would grow indefinitely.
        alpha: learning rate at the end of each cycle, as a fraction of `initial_learning_rate` (float, at least 0; at
            most 1 unless `m_mul` is 1).

    Returns:
        A schedule and its peak value, `initial_learning_rate`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: Keras computes the cycle with a logarithm in float32. Its rounding error can assign the first step of a
    cycle to the previous one: the rate is then ``alpha * initial_learning_rate`` in Keras, and the new peak here.
    Examples: step 570 with ``first_decay_steps=10, t_mul=7``; under jit also steps 10, 70 and 430 with ``t_mul=6``, and
    step 55 with ``first_decay_steps=55, t_mul=1``.

    Example:
        >>> from bridges.keras import cosine_decay_restarts
        >>> schedule, peak_value = cosine_decay_restarts(0.5, 10, m_mul=0.5)
        >>> [peak_value * schedule(step) for step in (0, 10, 30, 70)]
        [0.5, 0.25, 0.125, 0.0625]

    Source: Keras 3.15.1, keras.optimizers.schedules.CosineDecayRestarts.
    """
    if m_mul == 1:
        schedule = fs.cosine_restarts(first_decay_steps, period_factor=t_mul, end=alpha)
        return Rated(schedule, initial_learning_rate)
    if alpha > 1:
        raise argument_error("cosine_decay_restarts", "alpha", "at most 1 unless `m_mul` is 1", alpha)
    cycles = fs.cosine_restarts(first_decay_steps, period_factor=t_mul, level_factor=m_mul)
    return Rated(fs.lerp(cycles, alpha, 1.0) if alpha else cycles, initial_learning_rate)


def _multiplier(function: str, argument: str, rate: float, peak: float) -> float:
    """A learning rate as a multiple of the peak value, which may be out of range even if both are valid."""
    return float(rules.concrete_nonnegative(function, argument, rate / peak))


_CLASSES: dict[str, Callable[..., Rated]] = {
    "CosineDecay": cosine_decay,
    "CosineDecayRestarts": cosine_decay_restarts,
    "ExponentialDecay": exponential_decay,
    "InverseTimeDecay": inverse_time_decay,
    "PiecewiseConstantDecay": piecewise_constant_decay,
    "PolynomialDecay": polynomial_decay,
}


@checked()
def from_config(config: Mapping[str, Any]) -> Rated:
    """The schedule for the output of `keras.optimizers.schedules.serialize`.

    Args:
        config: a mapping with the keys "class_name" and "config", the arguments of the class. Its argument "name" and
            other keys have no effect.

    Returns:
        A schedule and its peak value, as returned by the function for this class.

    Raises:
        TypeError, ValueError: `config` is not such a mapping, the class or an argument is unknown, or an argument has
            the wrong type or is out of range.

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
        raise argument_error(function, "config", "a mapping with the keys 'class_name' and 'config'", config, TypeError)
    build = choose(function, "config['class_name']", config.get("class_name"), _CLASSES)
    arguments = {name: value for name, value in arguments.items() if name != "name"}
    rated: Rated = build(**arguments)
    return rated
