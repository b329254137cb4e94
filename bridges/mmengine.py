"""mmengine's learning-rate schedulers, from the `param_scheduler` of a configuration.

Each scheduler of the list changes the learning rate in the steps from `begin` to ``end - 1``, and starts from the
current rate. The whole list is therefore a single schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from inspect import signature
from itertools import accumulate
from typing import Any, NamedTuple

import funcsched as fs
from bridges.arguments import call_by_name, checked, choose, instance_of
from bridges.compositions import from_parts, multiply_at
from bridges.rated import Rated
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error

_FUNCTION = "from_config"
_END = 10**9  # mmengine's default of `end`
_PAST_END = 2**53


class _Phase(NamedTuple):
    """The steps in which a scheduler changes the rate. Rates are multiples of the base learning rate."""

    last: int  # the last of these steps, counted from the first one
    rate: float  # the rate before the first one
    base_lr: float
    unit: int  # updates per unit of the lengths in the configuration

    def ramp(self, start: float, stop: float, shape: fs.Shape = fs.linear) -> fs.Schedule:
        return fs.ramp(start, stop, steps=self.last, shape=shape) if self.last else fs.constant(start)


def _constant(phase: _Phase, factor: float = 1 / 3) -> fs.Schedule:
    return fs.piecewise_constant([phase.last], levels=[factor, 1.0]) if phase.last else fs.constant(factor)


def _linear(phase: _Phase, start_factor: float = 1 / 3, end_factor: float = 1.0) -> fs.Schedule:
    return phase.ramp(start_factor, end_factor)


def _exponential(phase: _Phase, gamma: float) -> fs.Schedule:
    return fs.exponential_decay(gamma)


def _step(phase: _Phase, step_size: int, gamma: float = 0.1) -> fs.Schedule:
    return fs.step_decay(step_size * phase.unit, gamma)


def _multi_step(phase: _Phase, milestones: Iterable[int], gamma: float = 0.1) -> fs.Schedule:
    return multiply_at((step * phase.unit for step in milestones), gamma)


def _cosine(
    phase: _Phase, T_max: int | None = None, eta_min: float | None = None, eta_min_ratio: float | None = None
) -> fs.Schedule:
    steps = T_max * phase.unit if T_max else phase.last + 1
    low = eta_min_ratio if eta_min is None else eta_min / phase.base_lr
    return fs.ramp(phase.rate, low or 0.0, steps=steps, shape=fs.cosine)


def _poly(phase: _Phase, eta_min: float = 0.0, power: float = 1.0) -> fs.Schedule:
    return phase.ramp(phase.rate, eta_min / phase.base_lr, fs.reverse(fs.power(power)))


def _cosine_restart(
    phase: _Phase,
    periods: Sequence[int],
    restart_weights: Sequence[float] = (1.0,),
    eta_min: float | None = None,
    eta_min_ratio: float | None = None,
) -> fs.Schedule:
    if len(restart_weights) != len(periods):
        requirement = f"as long as `periods` ({len(periods)})"
        raise argument_error(_FUNCTION, "restart_weights", requirement, restart_weights)
    cycles = [
        _cosine(phase._replace(rate=weight), period, eta_min, eta_min_ratio)
        for period, weight in zip(periods, restart_weights, strict=True)
    ]
    ends = [end * phase.unit for end in accumulate(periods)]
    return fs.join([*cycles, fs.constant(cycles[-1](ends[-1] - [0, *ends][-2] - 1))], ends)


def _one_cycle(
    phase: _Phase,
    eta_max: float,
    total_steps: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> fs.Schedule:
    total = total_steps * phase.unit if total_steps else phase.last + 1
    peak = Fraction(pct_start).limit_denominator(10**6) * total - 1
    parts = peak.denominator  # the peak may be between two steps
    curve = fs.one_cycle(
        peak.numerator,
        (total - 1) * parts,
        decay_steps=peak.numerator if three_phase else None,
        start=1 / div_factor,
        end=1 / div_factor / final_div_factor,
        shape=choose(_FUNCTION, "anneal_strategy", anneal_strategy, {"cos": fs.cosine, "linear": fs.linear}),
    )
    return fs.scale(from_parts(curve, parts), eta_max / phase.base_lr)


_CLASSES: dict[str, Callable[..., fs.Schedule]] = {
    "ConstantLR": _constant,
    "LinearLR": _linear,
    "ExponentialLR": _exponential,
    "StepLR": _step,
    "MultiStepLR": _multi_step,
    "CosineAnnealingLR": _cosine,
    "PolyLR": _poly,
    "CosineRestartLR": _cosine_restart,
    "OneCycleLR": _one_cycle,
}


class _Entry(NamedTuple):
    """An entry of the configuration, with its begin and end in updates."""

    begin: int
    end: int
    stair: int  # updates per step of its curve
    unit: int
    kind: str
    arguments: dict[str, Any]

    @property
    def is_relative(self) -> bool:
        """Whether it multiplies the current rate by a factor, and uses no other rate."""
        rates = self.arguments.get("eta_min"), self.arguments.get("eta_min_ratio")
        return not any(rates) and self.kind not in ("CosineRestartLR", "OneCycleLR")


def _entry(path: str, config: Any, epoch_length: int | None) -> _Entry:
    instance_of(Mapping, "a mapping")(_FUNCTION, path, config)
    arguments = {name: value for name, value in config.items() if name != "verbose"}
    kind = arguments.pop("type", None)
    choose(_FUNCTION, f"{path}.type", kind, _CLASSES)
    begin = rules.concrete_nonnegative_int(_FUNCTION, f"{path}.begin", arguments.pop("begin", 0))
    end = rules.concrete_positive_int(_FUNCTION, f"{path}.end", arguments.pop("end", _END))
    if end <= begin:
        raise argument_error(_FUNCTION, f"{path}.end", f"above `begin` ({begin})", end)
    length = (epoch_length or 1) if arguments.pop("by_epoch", True) else 1
    stair, unit = (1, length) if arguments.pop("convert_to_iter_based", False) else (length, 1)
    return _Entry(begin * length, end * length if end < _END else _END, stair, unit, kind, arguments)


@checked(base_lr=rules.positive, epoch_length=rules.concrete_positive_int)
def from_config(
    param_scheduler: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    base_lr: float,
    *,
    epoch_length: int | None = None,
) -> Rated:
    """The schedule of mmengine's `param_scheduler`: one scheduler, or a list of them.

    Here k is the number of steps since `begin`, at most ``n = end - begin - 1``, r is the learning rate before `begin`,
    and r0 is that of the optimizer. After step ``end - 1``, the learning rate is held.

    - "ConstantLR": ``r * factor`` below ``k = n``, then r
    - "LinearLR": ``r * (start_factor + (end_factor - start_factor) * k / n)``
    - "ExponentialLR", "StepLR": ``r * gamma ** k``, ``r * gamma ** floor(k / step_size)``
    - "MultiStepLR": ``r * gamma ** m``, where m is the number of `milestones` up to and including k
    - "CosineAnnealingLR": ``eta_min + (r - eta_min) * (1 + cos(pi * k / T_max)) / 2``; the default of `T_max` is
      ``end - begin``, so the last step is just above `eta_min`
    - "PolyLR": ``eta_min + (r - eta_min) * (1 - k / n) ** power``
    - "CosineRestartLR": a cosine from ``restart_weights[i] * r0`` to `eta_min` in each of `periods`
    - "OneCycleLR": from ``eta_max / div_factor`` to `eta_max` at ``k = pct_start * total_steps - 1``, and to
      ``eta_max / div_factor / final_div_factor`` at ``total_steps - 1``

    Args:
        param_scheduler: a configuration with `type` and the arguments of the class, or a list of them. `eta_min_ratio`
            replaces `eta_min`. Lengths are in epochs, unless `by_epoch` is False. The learning rate then changes
            once per epoch, or at every update with `convert_to_iter_based`.
        base_lr: learning rate of the optimizer (float, above 0).
        epoch_length: number of updates of an epoch (int, 1 to 2**53). None means that all lengths have the same unit,
            which becomes the step of the schedule.

    Returns:
        A schedule and its peak value, `base_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or the steps of a scheduler whose
            learning rate is not a factor (CosineRestartLR, OneCycleLR, or `eta_min` above 0) overlap with those of
            another one.

    Differs: after `T_max`, mmengine's cosine rises again; here `eta_min` is held. With a factor of 0, mmengine's
    ConstantLR and LinearLR raise ZeroDivisionError or stay at 0; here the learning rate follows the formula.

    Example:
        >>> from bridges.mmengine import from_config
        >>> schedule, peak_value = from_config([
        ...     dict(type="LinearLR", start_factor=0.5, by_epoch=False, begin=0, end=11),
        ...     dict(type="MultiStepLR", milestones=[6, 8], gamma=0.5, begin=0, end=10),
        ... ], base_lr=1.0, epoch_length=10)
        >>> [schedule(step) for step in (0, 5, 10, 59, 60, 80)]
        [0.5, 0.75, 1.0, 1.0, 0.5, 0.25]

    Source: mmengine 0.10.7, mmengine/optim/scheduler/param_scheduler.py.
    """
    single = isinstance(param_scheduler, Mapping)
    configs: list[Any] = [param_scheduler] if single else list(param_scheduler)
    entries = [_entry(f"param_scheduler[{i}]", config, epoch_length) for i, config in enumerate(configs)]
    if epoch_length is None and len({config.get("by_epoch", True) for config in configs}) > 1:
        raise argument_error(_FUNCTION, "epoch_length", "given if only some lengths are in epochs", None)
    schedule = fs.constant()
    for entry in sorted(entries, key=lambda entry: entry.begin):
        overlapping = [o for o in entries if o is not entry and o.begin < entry.end and entry.begin < o.end]
        if overlapping and not entry.is_relative:
            requirement = f"separate from the steps of {overlapping[0].kind}"
            raise argument_error(_FUNCTION, f"begin` to `end` of `{entry.kind}", requirement, [entry.begin, entry.end])
        build: Callable[..., fs.Schedule] = _CLASSES[entry.kind]
        last = (entry.end - entry.begin) // entry.stair - 1
        rate = 1.0 if entry.is_relative else schedule(entry.begin)
        phase = _Phase(last, rate, base_lr, entry.unit)
        names = [*signature(build).parameters][1:]
        curve = call_by_name(_FUNCTION, lambda build=build, phase=phase, **a: build(phase, **a), names, entry.arguments)
        if curve(last) != curve(_PAST_END):
            curve = fs.join([curve, fs.constant(curve(last))], [last + 1])
        curve = fs.staircase(curve, entry.stair) if entry.stair > 1 else curve
        if entry.begin:
            curve = fs.join([fs.constant() if entry.is_relative else schedule, curve], [entry.begin])
        is_factor = entry.is_relative and schedule != fs.constant()
        schedule = fs.product(schedule, curve) if is_factor else curve
    return Rated(schedule, base_lr)
