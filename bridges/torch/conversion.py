"""What a scheduler of `torch.optim.lr_scheduler` does to a rate, as a schedule of this library.

torch sets a rate in one of two ways. Some classes compute it from the base rate at every step; the others multiply
the rate that they find by a factor of the step. Alone both come to a function of the step. Inside `SequentialLR` and
`ChainedScheduler` they do not come to the same, so that a scheduler is a row of pieces here: what it does from which
step on, and in which of the two ways.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from math import cos, lcm, pi, ulp
from typing import Any, NamedTuple

from torch.optim import lr_scheduler as torch_schedulers
from torch.optim.lr_scheduler import ChainedScheduler, LRScheduler, MultiplicativeLR, ReduceLROnPlateau, SequentialLR

import funcsched as fs
from bridges.rated import Rated, choose
from bridges.torch.scheduler import ScheduleLR
from funcsched.core.validation import (
    argument_error,
    concrete_level,
    concrete_nonnegative_int,
    concrete_positive_int,
    ratio,
    unit_interval,
)

_NAME = "from_lr_scheduler"
# What grows for ever stops here, short of the largest float32.
_HIGHEST = 1e38

# How a piece begins: by torch's own initial step, by `_update_lr(0)` at a milestone, which sets the rate, or by a plain
# step from -1 to 0, as torch begins what is nested in a SequentialLR.
_INITIAL, _RESET, _COLD = "initial", "reset", "cold"
# What a piece does to the rate: multiplies what it finds; sets it where it begins, and multiplies from there; or sets
# it at every step.
_MULTIPLIES, _RESETS, _SETS = "multiplies", "resets", "sets"


class _Piece(NamedTuple):
    """From step `begin` on, the rate is ``peak * schedule(step - begin)``."""

    schedule: fs.Schedule
    peak: float
    kind: str = _MULTIPLIES
    begin: int = 0
    affine: bool = False  # towards a level of its own, so that it is no factor of other curves


class _Source(NamedTuple):
    """A scheduler as one parameter group sees it."""

    path: str  # how the user gets at it, for the sentences of errors
    scheduler: Any
    group: int
    start: str = _INITIAL
    initial: bool = False  # whether a piece finds `initial_lr`, and not its own base rate
    ahead: int = 0  # by how many steps the clock of a nested SequentialLR runs ahead

    def checked(self, rule: Callable[[str, str, Any], Any], name: str) -> Any:
        """An attribute by a rule, which a message calls as the user does."""
        return rule(_NAME, f"{self.path}.{name}", getattr(self.scheduler, name))

    def base(self) -> float:
        """The base rate."""
        rates = self.scheduler.base_lrs
        groups = self.scheduler.optimizer.param_groups
        if len(rates) != len(groups):
            requirement = f"one rate for each of the {len(groups)} parameter groups"
            raise argument_error(_NAME, f"{self.path}.base_lrs", requirement, rates)
        return self.rate("base_lrs", rates[self.group])

    def found(self) -> float:
        """The rate that a piece starts from."""
        group = self.scheduler.optimizer.param_groups[self.group]
        return self.rate("initial_lr", group["initial_lr"]) if self.initial else self.base()

    def rate(self, name: str, value: Any) -> float:
        """A rate, which torch may keep in a tensor."""
        return float(concrete_level(_NAME, f"{self.path}.{name}", float(value)))

    def inside(self, place: int, **changes: Any) -> _Source:
        """One of the schedulers inside this one."""
        path, scheduler = f"{self.path}._schedulers[{place}]", self.scheduler._schedulers[place]
        return self._replace(path=path, scheduler=scheduler, **changes)


def _gamma(function: str, argument: str, value: Any) -> float:
    """A factor, or 0."""
    return 0.0 if concrete_level(function, argument, value) == 0 else float(ratio(function, argument, value))


def _powers(gamma: float, steps: int, *, staircase: bool) -> fs.Schedule:
    """``gamma ** (step / steps)`` in whole powers or not; what grows for ever is held at the largest multiplier."""
    if gamma in (0, 1):
        return fs.piecewise_constant([steps], levels=[1.0, 0.0]) if gamma == 0 else fs.constant()
    if gamma > 1:
        return fs.exponential_decay(gamma, steps, staircase=staircase, end=_HIGHEST)
    return fs.step_decay(steps, gamma) if staircase else fs.exponential_decay(gamma, steps)


def _lambda(source: _Source, base: float) -> _Piece:
    function = source.scheduler.lr_lambdas[source.group]
    ours = isinstance(function, partial) and function.func is fs.Schedule.__call__
    return _Piece(fs.lift(function.args[0] if ours else function), base)


def _step(source: _Source, base: float) -> _Piece:
    period, gamma = source.checked(concrete_positive_int, "step_size"), source.checked(_gamma, "gamma")
    return _Piece(_powers(gamma, period, staircase=True), base)


def _multi_step(source: _Source, base: float) -> _Piece:
    gamma, path = source.checked(concrete_level, "gamma"), f"{source.path}.milestones"
    counts = {
        concrete_nonnegative_int(_NAME, path, step): concrete_nonnegative_int(_NAME, f"{path}[{step}]", count)
        for step, count in sorted(source.scheduler.milestones.items())
    }
    if set(counts.values()) == {1}:
        return _Piece(fs.multistep(list(counts), gamma), base)
    return _Piece(fs.piecewise_constant(list(counts), factors=[gamma**count for count in counts.values()]), base)


def _constant(source: _Source, base: float) -> _Piece:
    factor, steps = source.checked(unit_interval, "factor"), source.checked(concrete_nonnegative_int, "total_iters")
    if steps == 0:
        # Step 0 multiplies by the factor before it asks whether it is the last.
        return _Piece(fs.constant(1.0 if source.start == _RESET else factor), base)
    return _Piece(fs.piecewise_constant([steps], levels=[factor, 1.0]), base)


def _linear(source: _Source, base: float) -> _Piece:
    start, end = source.checked(unit_interval, "start_factor"), source.checked(unit_interval, "end_factor")
    steps = source.checked(concrete_nonnegative_int, "total_iters")
    # Of no steps torch makes the first alone.
    return _Piece(fs.ramp(start, end, steps=steps) if steps else fs.constant(start), base)


def _exponential(source: _Source, base: float) -> _Piece:
    gamma = source.checked(_gamma, "gamma")
    schedule = _powers(gamma, 1, staircase=False)
    return _Piece(fs.scale(schedule, gamma) if source.start == _COLD else schedule, base)


def _polynomial(source: _Source, base: float) -> _Piece:
    steps, power = source.checked(concrete_nonnegative_int, "total_iters"), source.checked(concrete_level, "power")
    if steps == 0 or power == 0:
        return _Piece(fs.constant(), base)
    schedule = fs.ramp(1.0, 0.0, steps=steps, shape=fs.linear if power == 1 else fs.reverse(fs.power(power)))
    return _Piece(fs.scale(schedule, (steps / (steps + 1)) ** power) if source.start == _COLD else schedule, base)


def _cosine(source: _Source, base: float) -> _Piece:
    steps, low = source.checked(concrete_positive_int, "T_max"), source.checked(concrete_level, "eta_min")
    peak, top = base or low, base
    if source.start == _COLD:
        # torch goes on from the step before 0, where a cosine is as low as at step 1; of one step it adds instead.
        top = low + (base - low) * (2.0 / (1.0 + cos(pi / steps)) if steps > 1 else 2.0)
    if not peak:
        return _Piece(fs.ramp(1.0, 0.0, steps=steps, shape=fs.cosine), 0.0)
    schedule = fs.ramp(top / peak, low / peak, steps=steps, shape=fs.cosine)
    return _Piece(schedule, peak, affine=low > 0)


def _warm_restarts(source: _Source, base: float) -> _Piece:
    period, factor = source.checked(concrete_positive_int, "T_0"), source.checked(concrete_positive_int, "T_mult")
    low = source.checked(concrete_level, "eta_min")
    if base:
        return _Piece(fs.cosine_restarts(period, period_factor=factor, end=low / base), base)
    rise = fs.ramp(0.0, 1.0, steps=period, shape=fs.cosine)
    return _Piece(fs.repeat(rise, period, period_factor=factor), low)


def _simple(number: float) -> Fraction:
    """The simplest fraction that rounding a few times may have turned into this float."""
    for digits in range(7):
        fraction = Fraction(number).limit_denominator(10**digits)
        if abs(fraction - Fraction(number)) <= 4 * Fraction(ulp(number)):
            break
    return fraction


def _slower(schedule: fs.Schedule, grid: int) -> fs.Schedule:
    """A schedule written on a grid `grid` times as fine as steps are."""
    return schedule if grid == 1 else fs.stretch(schedule, 1 / grid)


_CURVES = {"cos": fs.cosine, "linear": fs.linear}


def _one_cycle(source: _Source, _: float) -> _Piece:
    shape = choose(_NAME, f"{source.path}._anneal_func_type", source.scheduler._anneal_func_type, _CURVES)
    group, phases = source.scheduler.optimizer.param_groups[source.group], source.scheduler._schedule_phases
    rates = {name: source.rate(name, group[name]) for name in ("initial_lr", "max_lr", "min_lr")}
    peak, last = rates["max_lr"], source.scheduler.total_steps - 1
    # What is kept has lost its last digits to a subtraction of 1, so that they are looked for near 2.
    share = _simple(phases[0]["end_step"] + 2) - 1
    knots = [(Fraction(0), rates["initial_lr"])]
    places = [*[share - 1, 2 * share - 2][: len(phases) - 1], Fraction(last)]
    for place, phase in zip(places, phases, strict=True):
        if place <= 0 and phase is not phases[-1]:
            knots = []  # a phase that is over before step 1
        if knots and place <= knots[-1][0]:
            break
        knots.append((place, rates[phase["end_lr"]]))
    grid, first = lcm(*(place.denominator for place, _ in knots)), knots[0][0]
    boundaries = [int((place - first) * grid) for place, _ in knots]
    curve = fs.interpolate(boundaries, [rate / peak if peak else 0.0 for _, rate in knots], shape=shape)
    schedule = _slower(fs.shift(curve, int(-first * grid)) if first else curve, grid)
    if knots[-1][0] > last:
        schedule = fs.join([schedule, fs.constant(schedule(last))], [last])
    return _Piece(schedule, peak)


def _cyclic(source: _Source, base: float) -> _Piece:
    scheduler, path = source.scheduler, source.path
    if scheduler._scale_fn_custom is not None:
        raise argument_error(
            _NAME, f"{path}.scale_fn", "left out (a mode says how heights change)", scheduler._scale_fn_custom
        )
    top = source.rate(f"max_lrs[{source.group}]", scheduler.max_lrs[source.group])
    if base > top:
        raise argument_error(_NAME, f"{path}.base_lrs[{source.group}]", f"at most the `max_lr` ({top!r})", base)
    up = _simple(scheduler.step_ratio * scheduler.total_size)
    down = _simple(scheduler.total_size) - up
    grid = lcm(up.denominator, down.denominator)
    sizes = (
        concrete_positive_int(_NAME, "step_size_up", int(up * grid)),
        concrete_positive_int(_NAME, "step_size_down", int(down * grid)),
    )
    start, mode = base / top if top else 0.0, scheduler.mode
    if mode != "exp_range":
        return _Piece(_slower(fs.cyclic(*sizes, start=start, mode=mode), grid), top)
    gamma = source.checked(ratio, "gamma")
    if gamma > 1:
        raise argument_error(_NAME, f"{path}.gamma", "at most 1", gamma)
    if grid == 1:
        return _Piece(fs.cyclic(*sizes, start=start, mode=mode, rate=gamma), top)
    triangles = fs.product(_slower(fs.cyclic(*sizes), grid), fs.exponential_decay(gamma))
    return _Piece(fs.add(start, fs.scale(triangles, 1.0 - start)), top)


_Build = Callable[[_Source, float], _Piece]

_SETTERS: dict[type[LRScheduler], _Build] = {
    torch_schedulers.LambdaLR: _lambda,
    ScheduleLR: _lambda,
    torch_schedulers.CosineAnnealingWarmRestarts: _warm_restarts,
    torch_schedulers.OneCycleLR: _one_cycle,
    torch_schedulers.CyclicLR: _cyclic,
}
_FACTORS: dict[type[LRScheduler], _Build] = {
    torch_schedulers.StepLR: _step,
    torch_schedulers.MultiStepLR: _multi_step,
    torch_schedulers.ConstantLR: _constant,
    torch_schedulers.LinearLR: _linear,
    torch_schedulers.ExponentialLR: _exponential,
    torch_schedulers.PolynomialLR: _polynomial,
    torch_schedulers.CosineAnnealingLR: _cosine,
}


def _setter(build: _Build, source: _Source) -> list[_Piece]:
    return [build(source, source.base())._replace(kind=_SETS)]


def _factor(build: _Build, source: _Source) -> list[_Piece]:
    return [build(source, source.found())._replace(kind=_RESETS if source.start == _RESET else _MULTIPLIES)]


def _sequential(source: _Source) -> list[_Piece]:
    scheduler, path = source.scheduler, f"{source.path}._milestones"
    milestones = [
        concrete_nonnegative_int(_NAME, f"{path}[{i}]", max(step, 0)) for i, step in enumerate(scheduler._milestones)
    ]
    if milestones != sorted(milestones) or len(milestones) != len(scheduler._schedulers) - 1:
        requirement = f"increasing, one fewer than the {len(scheduler._schedulers)} schedulers"
        raise argument_error(_NAME, path, requirement, scheduler._milestones)
    begins = [step - source.ahead for step in milestones]
    first = bisect_right(begins, 0)
    at_milestone = source.ahead > 0 and first > 0 and begins[first - 1] == 0
    pieces = _beginning(source.inside(first, start=_RESET if at_milestone else source.start))
    if source.start == _INITIAL and pieces[0].kind == _MULTIPLIES:
        pieces[0] = pieces[0]._replace(kind=_RESETS)  # to `initial_lr`, where the SequentialLR is built
    for place, begin in enumerate(begins[first:], start=first + 1):
        inner = source.inside(place, start=_RESET, initial=False)
        if _compound(inner):
            requirement = "at the first place of a SequentialLR (torch faults at the milestone of a later one)"
            raise argument_error(_NAME, inner.path, requirement, type(inner.scheduler).__name__)
        (piece,) = _pieces(inner)
        pieces = [*(before for before in pieces if before.begin < begin), piece._replace(begin=begin)]
    return pieces


def _beginning(source: _Source) -> list[_Piece]:
    """What a SequentialLR begins with, from the rate `initial_lr`."""
    source = source._replace(initial=True)
    return _pieces(source._replace(start=_COLD, ahead=source.ahead + 1) if _compound(source) else source)


def _compound(source: _Source) -> bool:
    return isinstance(source.scheduler, (SequentialLR, ChainedScheduler))


def _chained(source: _Source) -> list[_Piece]:
    rows = _rows(source)
    begins = sorted({piece.begin for row in rows for piece in row})
    return [_at_once(source, [_running(row, begin) for row in rows], begin) for begin in begins]


def _rows(source: _Source) -> list[list[_Piece]]:
    """The pieces of each scheduler in a chain, and of a chain in it: all step one after another."""
    rows = []
    for place in range(len(source.scheduler._schedulers)):
        inner = source.inside(place)
        rows += _rows(inner) if isinstance(inner.scheduler, ChainedScheduler) else [_pieces(inner)]
    return rows


def _running(row: list[_Piece], step: int) -> _Piece:
    return [piece for piece in row if piece.begin <= step][-1]


def _at_once(source: _Source, pieces: list[_Piece], begin: int) -> _Piece:
    """Several pieces from step `begin` on, each updating the rate that the one before it in the chain leaves."""
    names = [type(scheduler).__name__ for scheduler in source.scheduler._schedulers]
    setters = [place for place, piece in enumerate(pieces) if piece.kind == _SETS]
    if setters:
        # What it finds makes no difference, and what comes after it would act for one step.
        if setters[-1] + 1 < len(pieces):
            requirement = "a chain in which no factor follows what sets the rate anew at every step"
            raise argument_error(_NAME, source.path, requirement, names)
        piece = pieces[setters[-1]]
        return piece._replace(schedule=_from(piece, begin), begin=begin)
    # The rate was last set at this step, by the last of these in the chain; all factors count since then.
    resets = [(piece.begin, place) for place, piece in enumerate(pieces) if piece.kind == _RESETS]
    since, setter = max(resets, default=(0, -1))
    schedules = []
    for place, piece in enumerate(pieces):
        before = since - piece.begin - (place > setter)
        passed = 1.0 if place == setter or before < 0 else piece.schedule(before)
        if (piece.affine and len(pieces) > 1) or passed == 0:
            requirement = "closed in the step, which an `eta_min` or an end beside other factors is not (store its "
            raise argument_error(_NAME, source.path, requirement + "values by `fs.tabulate`)", names)
        schedule = _from(piece, begin)
        schedules.append(schedule if passed == 1 else fs.scale(schedule, 1.0 / passed))
    schedule = fs.product(*schedules) if len(schedules) > 1 else schedules[0]
    affine = any(piece.affine for piece in pieces)
    return _Piece(schedule, pieces[max(setter, 0)].peak, _MULTIPLIES if setter < 0 else _RESETS, begin, affine)


def _from(piece: _Piece, step: int) -> fs.Schedule:
    return fs.shift(piece.schedule, step - piece.begin) if step > piece.begin else piece.schedule


_BUILDERS: dict[type[LRScheduler], Callable[[_Source], list[_Piece]]] = {
    **{kind: partial(_setter, build) for kind, build in _SETTERS.items()},
    **{kind: partial(_factor, build) for kind, build in _FACTORS.items()},
    SequentialLR: _sequential,
    ChainedScheduler: _chained,
}

_REFUSED = {
    MultiplicativeLR: "closed in the step, which a product over all steps before is not (store its values by "
    "`fs.tabulate`)",
    ReduceLROnPlateau: "a function of the step alone, which one that waits for a metric is not",
}
# What a class of the user's may change: neither has to do with rates.
_HARMLESS = {"state_dict", "load_state_dict"}


def _pieces(source: _Source) -> list[_Piece]:
    """A scheduler of any class."""
    cls = type(source.scheduler)
    for kind, requirement in _REFUSED.items():
        if issubclass(cls, kind):
            raise argument_error(_NAME, source.path, requirement, cls.__name__)
    known = next((base for base in cls.__mro__ if base in _BUILDERS), None)
    if known is None or _changed(cls, known):
        names = ", ".join(sorted(base.__name__ for base in _BUILDERS if base is not ScheduleLR))
        raise argument_error(
            _NAME, source.path, f"one of {names}, with the rates of that class", cls.__name__, TypeError
        )
    return _BUILDERS[known](source)


def _changed(cls: type, known: type) -> set[str]:
    """What a class of the user's does in another way than the class of torch from which it comes."""
    own = cls.__mro__[: cls.__mro__.index(known)]
    return {name for base in own for name in vars(base) if hasattr(known, name) and name[:2] != "__"} - _HARMLESS


def from_lr_scheduler(scheduler: LRScheduler) -> list[Rated]:
    """The schedule of a live torch scheduler, from step 0 on: what `scheduler.step()` would do, as a pure function.

    ``peak_value * schedule(step)`` is the rate of a parameter group at update `step`, all classes of
    torch.optim.lr_scheduler included that are functions of the step: SequentialLR and ChainedScheduler of them, too.

    Args:
        scheduler: it is read and left as it is. How many steps it has made makes no difference.

    Returns:
        One schedule with its peak for each parameter group. The peak is the base rate of the group, `max_lr` for
        OneCycleLR and CyclicLR, and the highest of those that a SequentialLR goes through. A function of a LambdaLR
        becomes a `lift`, but one of `to_lr_lambda` the schedule that it came from. The momentum that OneCycleLR and
        CyclicLR move is left out.

    Raises:
        TypeError: no scheduler, or one of a class that torch does not have, or that changes what torch's does.
        ValueError: it has no closed form (MultiplicativeLR, ReduceLROnPlateau, a `scale_fn`, a chain in which an
            `eta_min` above 0 meets other factors or a factor follows what sets the rate at every step), or its numbers
            are out of the ranges of this library: negative ones, say, or a `T_max` that is not whole.

    Example:
        >>> import torch
        >>> from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
        >>> from bridges.torch import from_lr_scheduler
        >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
        >>> pieces = [LinearLR(optimizer, 0.25, total_iters=10), CosineAnnealingLR(optimizer, 90)]
        >>> ((schedule, peak_value),) = from_lr_scheduler(SequentialLR(optimizer, pieces, [10]))
        >>> schedule
        join(schedules=(ramp(start=0.25, stop=1.0, steps=10), ramp(start=1.0, stop=0.0, steps=90, shape=cosine)), \
boundaries=(10,))
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 100, 101)]
        [0.125, 0.3125, 0.5, 0.0, 0.0]

    Differs: torch multiplies step by step, so that its rounding grows with the steps; here every step is computed by
    itself. CosineAnnealingLR rises again from step ``T_max + 1`` on, up to the base rate at ``2 * T_max``; here
    `eta_min` holds. OneCycleLR still makes step `total_steps`, along the curve past its end (a linear one is negative
    there as a rule), and raises at the next; here the rate of step ``total_steps - 1`` holds. ConstantLR with a factor
    of 0 divides by it at `total_iters`; here the base rate follows. What grows for ever (`gamma` above 1) is held at
    1e38 times the base rate. The peak of OneCycleLR is at ``pct_start * total_steps - 1`` as a fraction of small
    numbers, to within 1e-12 of a step; where that leaves a phase of no length, torch's rounding may leave one of one
    step. CyclicLR built for an optimizer that has had a scheduler is at `initial_lr` at step 0 in torch, at `base_lr`
    here. Kept as torch has them: ConstantLR and LinearLR with 0 `total_iters` hold their first factor for ever,
    a SequentialLR first in another runs one step ahead, and its schedulers begin with the factor of a step after;
    where a chain holds a SequentialLR, a milestone sets the rate anew and drops the factors before. A chain is
    taken to be built of schedulers that were built in its order.

    Source: torch.optim.lr_scheduler of torch 2.13.
    """
    if not isinstance(scheduler, LRScheduler):
        raise argument_error(_NAME, "scheduler", "a scheduler of torch.optim.lr_scheduler", scheduler, TypeError)
    groups = range(len(scheduler.optimizer.param_groups))
    return [_joined(_pieces(_Source("scheduler", scheduler, group))) for group in groups]


def _joined(pieces: list[_Piece]) -> Rated:
    """Pieces one after another, as shares of the highest of their peaks."""
    peak = max(piece.peak for piece in pieces)
    schedules = [
        piece.schedule if piece.peak == peak else fs.scale(piece.schedule, piece.peak / peak) for piece in pieces
    ]
    begins = [piece.begin for piece in pieces[1:]]
    return Rated(fs.join(schedules, begins) if begins else schedules[0], peak)
