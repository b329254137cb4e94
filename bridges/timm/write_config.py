"""The timm scheduler for a schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import funcsched as fs
from bridges import phases
from bridges.arguments import checked
from bridges.rated import Rated
from bridges.timm import schedulers
from funcsched.core.schedule import walk
from funcsched.core.validation import concrete_positive_int, optional, positive

_Config = tuple[Callable[..., Rated], dict[str, Any]]


@checked(schedule=phases.concrete_schedule, peak_value=positive, total_steps=optional(concrete_positive_int))
def to_config(schedule: fs.Schedule, peak_value: float, total_steps: int | None = None) -> tuple[str, dict[str, Any]]:
    """The timm scheduler for a schedule, and its arguments.

    Args:
        schedule: a schedule whose step is timm's t, an epoch or an update.
        peak_value: learning rate for multiplier 1 (float, above 0), which must also be that of the optimizer.
        total_steps: number of steps of the run (int, 1 to 2**53). Default: all steps.

    Returns:
        The name of a class of timm.scheduler, and a dict of its arguments, without the optimizer. If t is an update,
        timm's classes also need ``t_in_epochs=False``.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or no scheduler has this curve. The
            message names the phase that timm cannot express.

    Example:
        >>> import funcsched as fs
        >>> from bridges.timm import to_config
        >>> to_config(fs.warmup_cosine(10, 100), 0.5)  # doctest: +NORMALIZE_WHITESPACE
        ('CosineLRScheduler', {'warmup_t': 10, 'warmup_lr_init': 0.0, 'warmup_prefix': True, 'lr_min': 0.0,
         't_initial': 90})

    Source: timm 1.0.31, timm.scheduler.
    """

    def read(config: _Config) -> fs.Schedule:
        return config[0](peak_value, **config[1]).schedule

    configs = _configs(schedule, phases.phases(schedule), peak_value)
    function, arguments = phases.first_match("timm", schedule, configs, read, total_steps)
    return phases.class_name(function), arguments


def _configs(schedule: fs.Schedule, found: list[phases.Phase], peak_value: float) -> Iterator[_Config]:
    lr_min = {"lr_min": phases.rate(max(schedule(2**53), 0.0), peak_value)}
    ramps = [part.arguments()["steps"] for part in walk(schedule) if part.factory == "ramp"]
    scales = [part.arguments()["factor"] for part in walk(schedule) if part.factory == "scale"]
    stretch = phases.find(schedule, "stretch").get("factor", 1.0)
    for start, length, _, decay in phases.outlines(found):
        warmup = {"warmup_t": int(length), "warmup_lr_init": phases.rate(start, peak_value)} if length else {}
        rest = [phase for phase in found if phase.begin >= length]
        curve = rest[0].curve if rest else None
        for prefix in (True, False) if length else (True,):
            common = {**warmup, "warmup_prefix": prefix} if length else {}
            listed = _listed_cycles(ramps[bool(length) :], scales, stretch)
            for cycles in (_repeated_cycle(curve, decay, peak_value), listed):
                for function, arguments in _cycles(curve, decay):
                    yield function, {**common, **lr_min, **cycles, **arguments}
            factor, steps = phases.milestones(rest)
            milestones = [step + 1 - (int(length) if prefix else 0) for step in steps]
            yield schedulers.multistep_lr_scheduler, {**common, "decay_t": milestones, "decay_rate": factor}
            stairs = phases.find(curve, "exponential_decay")
            period = rest[0].length * stairs.get("steps", 0) if rest else 0
            decay_t = int(period) if period == int(period) else float(period)
            yield schedulers.step_lr_scheduler, {**common, "decay_t": decay_t, "decay_rate": stairs.get("rate")}
        for arguments in _stable_then_decay(int(length), curve, decay):
            yield schedulers.wsd_lr_scheduler, {**warmup, **lr_min, **arguments}
    # Without cycles, its warmup ends at `lr_min`.
    warmup = {"warmup_t": int(found[0].end), "warmup_lr_init": phases.rate(found[0].start, peak_value)}
    yield schedulers.tanh_lr_scheduler, {**warmup, **lr_min, "t_initial": 1, "cycle_limit": 0}


def _repeated_cycle(curve: Any, decay: phases.Phase, peak_value: float) -> dict[str, Any]:
    """The cycles of one decay, or of a schedule that is or contains a `repeat`."""
    repeat = phases.find(curve, "repeat")
    if not repeat:
        return {"t_initial": int(decay.length)}
    cycle = {"t_initial": repeat["period"], "cycle_mul": repeat["period_factor"], "cycle_decay": repeat["level_factor"]}
    if repeat["times"] is None:  # longer than the run
        end = phases.find(curve, "ramp").get("stop", 0.0)
        return {**cycle, "cycle_limit": 1_000_000, "lr_min": phases.rate(end, peak_value)}
    return {**cycle, "cycle_limit": repeat["times"]}


def _listed_cycles(ramps: list[int], scales: list[float], stretch: float) -> dict[str, Any]:
    """The cycles of a `join` of ramps, whose lengths may shrink."""
    if len(ramps) < 2 or len(scales) == 1:
        return {}
    cycle = {"t_initial": round(ramps[0] * stretch), "cycle_mul": ramps[1] / ramps[0]}
    return {**cycle, "cycle_decay": scales[1] if scales else 1.0, "cycle_limit": len(scales or ramps)}


def _cycles(curve: Any, decay: phases.Phase) -> Iterator[_Config]:
    """The schedulers with cycles, and the arguments of their shapes."""
    shape = phases.find(curve, "ramp").get("shape", decay.curve)
    composed = phases.find(shape, "compose")
    outer, k_decay = composed.get("outer", shape), {"k_decay": phases.exponent(composed["inner"])} if composed else {}
    yield schedulers.cosine_lr_scheduler, k_decay
    yield schedulers.poly_lr_scheduler, {"power": phases.exponent(outer), **k_decay}
    bounds = phases.find(shape, "tanh")
    yield schedulers.tanh_lr_scheduler, {"lb": bounds.get("lower"), "ub": bounds.get("upper")}


def _stable_then_decay(warmup: int, curve: Any, decay: phases.Phase) -> Iterator[dict[str, Any]]:
    """The arguments of WSDLRScheduler. A decreasing stable phase is a product of its curve and of the decay."""
    times, shape = {"t_initial": int(decay.end) - warmup, "decay_t": int(decay.length)}, decay.curve
    stable_fns: list[dict[str, Any]] = [{}]
    if inverse := phases.find(curve, "inverse_power"):
        ramp, (stable, *_) = phases.find(curve, "ramp"), phases.find(curve, "join").get("boundaries", (0,))
        length, shape = ramp.get("steps", 0), ramp.get("shape")
        times = {"t_initial": stable + length, "decay_t": length}
        timescale = inverse["timescale"] * phases.find(curve, "stretch").get("factor", 1)
        power = {"stable_fn": "power", "stable_timescale": timescale, "stable_power": inverse["exponent"]}
        stable_fns = [{"stable_fn": "rsqrt", "stable_timescale": timescale}, power]
    for stable_fn in stable_fns:
        for decay_fn in ("linear", "1-sqrt", "cosine"):
            yield {**times, **stable_fn, "decay_fn": decay_fn}
        yield {**times, **stable_fn, "decay_fn": "power", "decay_power": phases.exponent(shape)}
        ratio = phases.find(shape, "exponential").get("ratio")
        yield {**times, **stable_fn, "decay_fn": "exp", "decay_ratio": ratio}
