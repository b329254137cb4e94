"""The curve of each class of `torch.optim.lr_scheduler` that is a single scheduler."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from math import cos, lcm, pi, ulp

from torch.optim import lr_scheduler as torch_schedulers
from torch.optim.lr_scheduler import LRScheduler

import funcsched as fs
from bridges.arguments import choose, zero_or_ratio
from bridges.compositions import from_parts
from bridges.torch.scheduler import ScheduleLR
from bridges.torch.segments import NAME, Segment, Start, View
from bridges.torch.transformers_lambdas import from_lr_lambda
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error

_LARGEST_GROWTH = 1e38  # unbounded growth is held here, just below the largest float32
_ANNEALING = {"cos": fs.cosine, "linear": fs.linear}


def _powers(gamma: float, steps: int, *, staircase: bool) -> fs.Schedule:
    """``gamma ** (step / steps)``, with `staircase` of the exponent rounded down."""
    if gamma == 0:
        return fs.piecewise_constant([steps], levels=[1.0, 0.0])
    if gamma == 1:
        return fs.constant()
    if gamma > 1:
        return fs.exponential_decay(gamma, steps, staircase=staircase, end=_LARGEST_GROWTH)
    return fs.step_decay(steps, gamma) if staircase else fs.exponential_decay(gamma, steps)


def _lambda(view: View, base: float) -> Segment:
    function = view.scheduler.lr_lambdas[view.group]
    named = from_lr_lambda(function)
    if named is not None:
        return Segment(named, base)
    ours = isinstance(function, partial) and function.func is fs.Schedule.__call__  # from `to_lr_lambda`
    return Segment(fs.lift(function.args[0] if ours else function), base)


def _step(view: View, base: float) -> Segment:
    period, gamma = view.attribute("step_size", rules.concrete_positive_int), view.attribute("gamma", zero_or_ratio)
    return Segment(_powers(gamma, period, staircase=True), base)


def _multi_step(view: View, base: float) -> Segment:
    gamma, path = view.attribute("gamma", rules.concrete_nonnegative), f"{view.path}.milestones"
    counts = {
        rules.concrete_nonnegative_int(NAME, path, step): rules.concrete_nonnegative_int(NAME, f"{path}[{step}]", count)
        for step, count in sorted(view.scheduler.milestones.items())
    }
    if set(counts.values()) == {1}:
        return Segment(fs.multistep(list(counts), gamma), base)
    return Segment(fs.piecewise_constant(list(counts), factors=[gamma**count for count in counts.values()]), base)


def _constant(view: View, base: float) -> Segment:
    factor = view.attribute("factor", rules.unit_interval)
    steps = view.attribute("total_iters", rules.concrete_nonnegative_int)
    if steps == 0:
        # torch applies the factor at step 0 before it checks `total_iters`.
        return Segment(fs.constant(1.0 if view.start is Start.MILESTONE else factor), base)
    return Segment(fs.piecewise_constant([steps], levels=[factor, 1.0]), base)


def _linear(view: View, base: float) -> Segment:
    start, end = view.attribute("start_factor", rules.unit_interval), view.attribute("end_factor", rules.unit_interval)
    steps = view.attribute("total_iters", rules.concrete_nonnegative_int)
    # With 0 steps torch never leaves the start factor.
    return Segment(fs.ramp(start, end, steps=steps) if steps else fs.constant(start), base)


def _exponential(view: View, base: float) -> Segment:
    gamma = view.attribute("gamma", zero_or_ratio)
    schedule = _powers(gamma, 1, staircase=False)
    if view.start is Start.NESTED:  # torch then applies the factor at step 0 too
        schedule = fs.scale(schedule, gamma)
    return Segment(schedule, base)


def _polynomial(view: View, base: float) -> Segment:
    steps = view.attribute("total_iters", rules.concrete_nonnegative_int)
    power = view.attribute("power", rules.concrete_nonnegative)
    if steps == 0 or power == 0:
        return Segment(fs.constant(), base)
    schedule = fs.ramp(1.0, 0.0, steps=steps, shape=fs.linear if power == 1 else fs.reverse(fs.power(power)))
    if view.start is Start.NESTED:  # the factor of step 0 divides by the value at step -1
        schedule = fs.scale(schedule, (steps / (steps + 1)) ** power)
    return Segment(schedule, base)


def _cosine(view: View, base: float) -> Segment:
    steps = view.attribute("T_max", rules.concrete_positive_int)
    low = view.attribute("eta_min", rules.concrete_nonnegative)
    peak, top = base or low, base
    if view.start is Start.NESTED:
        # The factor of step 0 divides by the value at step -1, which is that at step 1. If `T_max` is 1, torch adds.
        top = low + (base - low) * (2.0 / (1.0 + cos(pi / steps)) if steps > 1 else 2.0)
    if not peak:
        return Segment(fs.ramp(1.0, 0.0, steps=steps, shape=fs.cosine), 0.0)
    schedule = fs.ramp(top / peak, low / peak, steps=steps, shape=fs.cosine)
    return Segment(schedule, peak, affine=low > 0)


def _warm_restarts(view: View, base: float) -> Segment:
    period = view.attribute("T_0", rules.concrete_positive_int)
    factor = view.attribute("T_mult", rules.concrete_positive_int)
    low = view.attribute("eta_min", rules.concrete_nonnegative)
    if base:
        return Segment(fs.cosine_restarts(period, period_factor=factor, end=low / base), base)
    rise = fs.ramp(0.0, 1.0, steps=period, shape=fs.cosine)
    return Segment(fs.repeat(rise, period, period_factor=factor), low)


def _simplest_fraction(number: float) -> Fraction:
    """The simplest fraction that a float equals up to a few roundings."""
    exact, tolerance = Fraction(number), 4 * Fraction(ulp(number))
    candidates = [exact.limit_denominator(10**digits) for digits in range(7)]
    return next((fraction for fraction in candidates if abs(fraction - exact) <= tolerance), candidates[-1])


def _one_cycle(view: View, _: float) -> Segment:
    shape = choose(NAME, f"{view.path}._anneal_func_type", view.scheduler._anneal_func_type, _ANNEALING)
    group, phases = view.scheduler.optimizer.param_groups[view.group], view.scheduler._schedule_phases
    rates = {name: view.rate(name, group[name]) for name in ("initial_lr", "max_lr", "min_lr")}
    peak, last = rates["max_lr"], view.scheduler.total_steps - 1
    # torch stores ``pct_start * total_steps - 1``, whose error near 0 is that of a number near 1. With 2 added, the
    # tolerance of the search covers it.
    first_end = _simplest_fraction(phases[0]["end_step"] + 2) - 2
    # Two phases, or three with `three_phase`, of which the second is as long as the first.
    ends = [*[first_end, 2 * first_end][: len(phases) - 1], Fraction(last)]
    knots = [(Fraction(0), rates["initial_lr"])]
    for end, phase in zip(ends, phases, strict=True):
        if end <= 0 and phase is not phases[-1]:
            knots = []  # the phase ends at or before step 0
        if knots and end <= knots[-1][0]:
            break
        knots.append((end, rates[phase["end_lr"]]))
    parts, first = lcm(*(step.denominator for step, _ in knots)), knots[0][0]
    boundaries = [int((step - first) * parts) for step, _ in knots]
    curve = fs.interpolate(boundaries, [rate / peak if peak else 0.0 for _, rate in knots], shape=shape)
    schedule = from_parts(fs.shift(curve, int(-first * parts)) if first else curve, parts)
    if knots[-1][0] > last:
        schedule = fs.join([schedule, fs.constant(schedule(last))], [last])
    return Segment(schedule, peak)


def _cyclic(view: View, base: float) -> Segment:
    scheduler, path = view.scheduler, view.path
    if scheduler._scale_fn_custom is not None:
        raise argument_error(NAME, f"{path}.scale_fn", "None (use a `mode`)", scheduler._scale_fn_custom)
    top = view.rate(f"max_lrs[{view.group}]", scheduler.max_lrs[view.group])
    if base > top:
        raise argument_error(NAME, f"{path}.base_lrs[{view.group}]", f"at most the `max_lr` ({top!r})", base)
    up = _simplest_fraction(scheduler.step_ratio * scheduler.total_size)
    down = _simplest_fraction(scheduler.total_size) - up
    parts = lcm(up.denominator, down.denominator)
    up_steps = rules.concrete_positive_int(NAME, "step_size_up", int(up * parts))
    sizes = up_steps, rules.concrete_positive_int(NAME, "step_size_down", int(down * parts))
    start, mode = base / top if top else 0.0, scheduler.mode
    if mode != "exp_range":
        return Segment(from_parts(fs.cyclic(*sizes, start=start, mode=mode), parts), top)
    gamma = view.attribute("gamma", rules.ratio)
    if gamma > 1:
        raise argument_error(NAME, f"{path}.gamma", "at most 1", gamma)
    if parts == 1:
        return Segment(fs.cyclic(*sizes, start=start, mode=mode, rate=gamma), top)
    triangles = fs.product(from_parts(fs.cyclic(*sizes), parts), fs.exponential_decay(gamma))
    return Segment(fs.lerp(triangles, start, 1.0), top)


Build = Callable[[View, float], Segment]

# Classes that compute the learning rate from the base rate at every step.
ABSOLUTE: dict[type[LRScheduler], Build] = {
    torch_schedulers.LambdaLR: _lambda,
    ScheduleLR: _lambda,
    torch_schedulers.CosineAnnealingWarmRestarts: _warm_restarts,
    torch_schedulers.OneCycleLR: _one_cycle,
    torch_schedulers.CyclicLR: _cyclic,
}
# Classes that multiply the current learning rate by a factor.
RELATIVE: dict[type[LRScheduler], Build] = {
    torch_schedulers.StepLR: _step,
    torch_schedulers.MultiStepLR: _multi_step,
    torch_schedulers.ConstantLR: _constant,
    torch_schedulers.LinearLR: _linear,
    torch_schedulers.ExponentialLR: _exponential,
    torch_schedulers.PolynomialLR: _polynomial,
    torch_schedulers.CosineAnnealingLR: _cosine,
}
