"""The phases of a schedule, and the search for a trainer configuration that runs it: shared by all `to_config`.

A bridge proposes configurations from the phases of a schedule. `first_match` returns the first one that the bridge
reads back as the same curve. A proposal may therefore be a guess, and the result is always correct.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import partial
from math import ceil, isclose, log, nextafter
from typing import Any, NamedTuple, TypeVar

import funcsched as fs
from funcsched.analysis.sampling import LAST_STEP, Curve, first_step, sample_steps
from funcsched.core.schedule import Lift, as_schedule, walk
from funcsched.core.validation import argument_error, short_repr
from funcsched.core.value import leaves
from funcsched.numerics.number_system import is_concrete
from funcsched.shapes.shape import Custom

T = TypeVar("T")
Steps = int | Fraction
_TOLERANCE = 2.0**-48  # of the peak: a number of cycles may be rounded, as those of the trainers are


class Phase(NamedTuple):
    """One phase of a schedule. Steps are fractions if the schedule is stretched."""

    begin: Steps  # step at which the phase begins
    origin: Steps  # step at which its curve is at step 0
    length: Steps  # length of a ramp; 0 for a constant; for another curve, the steps per step of the curve
    start: float  # multiplier at `origin`
    stop: float  # multiplier at the end of a ramp
    curve: Any  # the shape of a ramp, None for a constant, or another schedule

    def moved(self, steps: Steps) -> Phase:
        return self._replace(begin=max(self.begin + steps, 0), origin=self.origin + steps)

    def stretched(self, factor: Fraction) -> Phase:
        return self._replace(begin=self.begin * factor, origin=self.origin * factor, length=self.length * factor)

    @property
    def end(self) -> Steps:
        """The step at which a ramp ends."""
        return self.origin + self.length


def phases(schedule: fs.Schedule) -> list[Phase]:
    """The phases of a schedule, without empty ones. Recipes are followed by their compositions."""
    found = list(_phases(schedule))
    ends = [*(phase.begin for phase in found[1:]), LAST_STEP + 1]
    nonempty: list[Phase] = []
    for phase, end in zip(found, ends, strict=True):
        if ceil(phase.begin) >= ceil(end):
            continue
        if phase.curve is None and nonempty and nonempty[-1][3:] == phase[3:]:  # the same constant
            continue
        nonempty.append(phase)
    return nonempty


def _phases(schedule: fs.Schedule) -> Iterator[Phase]:
    """The phases, including empty ones."""
    if (composition := schedule.composition()) is not None:
        yield from _phases(composition)
        return
    arguments, kind = schedule.arguments(), schedule.factory
    if kind == "join":
        starts = (0, *arguments["boundaries"])
        for part, start, end in zip(arguments["schedules"], starts, (*starts[1:], LAST_STEP + 1), strict=True):
            yield from (phase.moved(start) for phase in phases(part) if start + phase.begin < end)
    elif kind == "shift":
        yield from (phase.moved(-arguments["steps"]) for phase in phases(arguments["schedule"]))
    elif kind == "count_by" and isinstance(arguments["sizes"], int):
        yield from (phase.stretched(Fraction(1, arguments["sizes"])) for phase in phases(arguments["schedule"]))
    elif kind == "stretch":
        factor = Fraction(arguments["factor"]).limit_denominator(10**6)
        yield from (phase.stretched(factor) for phase in phases(arguments["schedule"]))
    elif kind in ("constant", "piecewise_constant"):
        for begin in (0, *arguments.get("boundaries", ())):
            yield Phase(begin, begin, 0, schedule(begin), schedule(begin), None)
    elif kind == "ramp":
        start, stop, steps, last = *(arguments[name] for name in ("start", "stop", "steps")), schedule(2**53)
        if start != stop:
            yield Phase(0, 0, steps, start, stop, arguments["shape"])
        yield Phase(steps if start != stop else 0, steps, 0, last, last, None)
    else:
        yield Phase(0, 0, 1, schedule(0), schedule(0), schedule)


def concrete_schedule(function: str, argument: str, value: Any) -> fs.Schedule:
    """The rule of a schedule whose parameters are not arrays or tracers."""
    schedule = as_schedule(function, argument, value)
    if any(isinstance(part, (Lift, Custom)) for part in walk(schedule)):
        fix = "use fs.tabulate(schedule, steps)"
        raise argument_error(function, argument, "a schedule without functions", value, fix=fix)
    if not is_concrete(*leaves(schedule)):
        raise argument_error(function, argument, "a schedule whose parameters are Python numbers", value, TypeError)
    return schedule


class Outline(NamedTuple):
    """A guess at a schedule with a warmup, a stable phase and a decay."""

    start: float  # multiplier at step 0
    warmup: Steps  # number of warmup steps
    peak: float  # multiplier after the warmup
    decay: Phase  # the first phase after the warmup that is not constant, or else the last phase

    @property
    def total(self) -> int:
        """The step at which the schedule ends, at least 1."""
        return max(ceil(self.decay.end), 1)


def outlines(found: list[Phase]) -> Iterator[Outline]:
    """The guesses at a schedule with these phases."""
    first, after = found[0], found[1] if len(found) > 1 else found[0]
    changing = [phase for phase in found if phase.curve is not None]
    decay = ([phase for phase in changing if phase is not first] or found[-1:])[0]
    if first.curve is not None and first.stop > first.start:
        yield Outline(first.start, first.end, first.stop, decay)
    yield Outline(first.start, 0, first.start, (changing or found[-1:])[0])
    if after.begin:  # a warmup of one step, one that starts at the peak, or one that ends in a jump
        yield Outline(first.start, after.begin, after.start, decay)


def find(value: Any, kind: str) -> dict[str, Any]:
    """The arguments of the first schedule or shape of this name inside a value, or an empty dict."""
    return next((part.arguments() for part in walk(value) if part.factory == kind), {})


def exponent(shape: Any) -> float:
    """The exponent of a power inside a shape, or 1."""
    return float(find(shape, "power").get("exponent", 1.0))


def class_name(function: Callable[..., Any]) -> str:
    """The name of the class for a function of a bridge, such as CosineLRScheduler for cosine_lr_scheduler."""
    words = {"lr": "LR", "wsd": "WSD", "multistep": "MultiStep"}
    return "".join(words.get(word, word.title()) for word in function.__name__.split("_"))


def milestones(found: list[Phase]) -> tuple[float, list[int]]:
    """The factor between constant phases, and the steps at which it is applied. A step may occur several times."""
    levels = [1.0, *(phase.start for phase in found)]
    pairs = zip(found, levels, levels[1:], strict=False)
    ratios = {int(phase.begin): after / before for phase, before, after in pairs if before not in (0.0, after)}
    factor = min(ratios.values(), key=lambda ratio: abs(ratio - 1.0), default=1.0)
    counts = {step: log(ratio) / log(factor) if factor > 0 < ratio else 1 for step, ratio in ratios.items()}
    return factor, [step for step, count in counts.items() for _ in range(min(round(count), 1000))]


def rate(multiplier: float, peak_value: float) -> float:
    """The learning rate for a multiplier. Prefers a rate whose ratio to `peak_value` is exactly the multiplier."""
    product = multiplier * peak_value
    near = (product, nextafter(product, 0.0), nextafter(product, 2 * product))
    return next((value for value in near if value / peak_value == multiplier), product)


def first_match(
    trainer: str,
    schedule: fs.Schedule,
    configurations: Iterable[T],
    read: Callable[[T], fs.Schedule],
    total_steps: int | None,
    fix: str = "use `lambda_lr(optimizer, schedule)` of bridges.torch",
) -> T:
    """The first configuration that reads back as the schedule, up to step ``total_steps - 1``.

    The error names the phase at which the best proposal differs.
    """
    last = LAST_STEP if total_steps is None else total_steps - 1
    curve, furthest, inside = Curve(schedule, last), 0, sorted(_inside(phases(schedule), last))
    peak = max(abs(curve(step)) for step in inside)
    for configuration in configurations:
        try:
            candidate = read(configuration)
        except (TypeError, ValueError):  # a proposal out of the trainer's range
            continue
        theirs = Curve(candidate, last)
        differs = partial(_differ, theirs, curve, _TOLERANCE * peak)
        difference = first_step(differs, inside)
        if difference is None:
            difference = first_step(differs, sample_steps([schedule, candidate], last, dense=64, growth=1.5))
        if difference is None:
            return configuration
        furthest = max(furthest, difference)
    if total_steps is None and isinstance(phases(schedule)[-1].curve, fs.Schedule):
        fix = f"give `total_steps` if the run has a length, or {fix}"
    phase = _describe(schedule, furthest)
    raise ValueError(f"to_config: no {trainer} settings for {phase} of {short_repr(schedule)}; {fix}")


def _differ(first: Curve, second: Curve, tolerance: float, step: int) -> bool:
    return not isclose(first(step), second(step), rel_tol=2.0**-50, abs_tol=tolerance)


def _inside(found: list[Phase], last: int) -> set[int]:
    """Some steps inside every phase."""
    begins = [min(ceil(phase.begin), last) for phase in found]
    ends = [*begins[1:], min(4 * begins[-1] + 1024, last)]
    return {begin + (end - begin) * i // 16 for begin, end in zip(begins, ends, strict=True) for i in range(16)}


def _describe(schedule: fs.Schedule, step: int) -> str:
    """The phase of a step, in words."""
    found = phases(schedule)
    index = max(i for i, phase in enumerate(found) if phase.begin <= step)
    phase, begin = found[index], ceil(found[index].begin)
    is_last = index + 1 == len(found)
    until = f"from step {begin} on" if is_last else f"in steps {begin} to {ceil(found[index + 1].begin)}"
    if phase.curve is None:
        return f"the constant {phase.start:g} {until}"
    if isinstance(phase.curve, fs.Schedule):
        return f"the phase {short_repr(phase.curve)} {until}"
    return f"the phase from {schedule(begin):g} to {phase.stop:g} with shape {phase.curve!r} {until}"
