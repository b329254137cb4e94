"""`from_lr_scheduler`: a scheduler of `torch.optim.lr_scheduler` as schedules of this library.

torch sets a learning rate in one of two ways. Some classes compute it from the base rate at every step. The others
multiply the current rate by a factor that depends on the step. For a single scheduler both ways give a function of the
step. Inside `SequentialLR` and `ChainedScheduler` they differ. So a scheduler is converted to a list of segments: each
has a first step, a schedule, and the way in which torch sets the rate there (`Effect`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from torch.optim.lr_scheduler import ChainedScheduler, LRScheduler, MultiplicativeLR, ReduceLROnPlateau, SequentialLR

import funcsched as fs
from bridges.arguments import instance_of
from bridges.rated import Rated
from bridges.torch.scheduler import ScheduleLR
from bridges.torch.segments import NAME, Effect, Segment, Start, View
from bridges.torch.single_schedulers import ABSOLUTE, RELATIVE
from funcsched.analysis.checkpoint import warn
from funcsched.core.validation import argument_error, concrete_nonnegative_int

_CONVERTED = {*ABSOLUTE, *RELATIVE, SequentialLR, ChainedScheduler}
_NOT_CONVERTED = {
    MultiplicativeLR: "a closed-form function of the step (a product over all earlier steps is not; tabulate its "
    "values with `fs.tabulate`)",
    ReduceLROnPlateau: "a function of the step alone (a scheduler that follows a metric is not)",
}
_WITHOUT_EFFECT = {"state_dict", "load_state_dict"}  # methods that do not affect the learning rate


def from_lr_scheduler(scheduler: LRScheduler) -> list[Rated]:
    """The schedules of a live torch scheduler from step 0 on: the rates that `scheduler.step()` sets, in closed form.

    ``peak_value * schedule(step)`` is the learning rate of a parameter group at update `step`. All classes of
    `torch.optim.lr_scheduler` that are functions of the step are converted, also inside `SequentialLR` and
    `ChainedScheduler`.

    Args:
        scheduler: a torch scheduler, which is not changed. The number of steps that it has made does not matter.

    Returns:
        A schedule and its peak for each parameter group, as `lambda_lr` accepts them. The peak is the base rate of the
        group, or `max_lr` for OneCycleLR and CyclicLR; for a SequentialLR it is the largest of its schedulers. The
        function of a LambdaLR becomes a `lift`. A function from `to_lr_lambda` becomes the schedule that it was made
        from, and one of transformers (`get_cosine_schedule_with_warmup`, ...) that of `bridges.transformers`. The
        momentum of OneCycleLR and CyclicLR is not converted, which is a warning.

    Raises:
        TypeError: `scheduler` is not a scheduler, or its class is not one of torch's, or a subclass that overrides one
            of torch's methods.
        ValueError: it has no closed form (MultiplicativeLR, ReduceLROnPlateau, a `scale_fn`, a `controller`, or a chain
            in which an `eta_min` above 0 meets other factors or a factor follows a scheduler that sets the rate at
            every step), or an attribute is out of the range of this library, such as a negative rate or a `T_max` that
            is no integer.

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

    Differs: torch multiplies step by step, so its rounding errors grow with the step; here each step is computed
    independently. After `T_max`, CosineAnnealingLR rises again, up to the base rate at ``2 * T_max``; here `eta_min`
    is held. The cosines of transformers rise again as well; see `bridges.transformers.from_scheduler_type`. OneCycleLR
    makes one more step at `total_steps`, on the curve past its end (usually negative for a linear one), and raises at
    the next; here the rate of step ``total_steps - 1`` is held. ConstantLR with a factor of 0 divides by 0 at
    `total_iters`; here the base rate follows. Unbounded growth (`gamma` above 1) is held at 1e38 times the base rate.
    The peak of OneCycleLR is at ``pct_start * total_steps - 1``, as a fraction of small integers, to within 1e-12 of a
    step; where a phase then has no length, rounding in torch may leave one step of it. CyclicLR on an optimizer that
    had a scheduler before is at `initial_lr` at step 0 in torch, and at `base_lr` here.

    These conventions of torch are preserved: ConstantLR and LinearLR with 0 `total_iters` hold their first factor
    indefinitely. A SequentialLR that is first in another one runs one step ahead, and its schedulers start with the
    factor of one step later. Where a chain holds a SequentialLR, a milestone resets the rate and discards the factors
    before it. A chain is assumed to hold its schedulers in the order in which they were built.

    Source: torch.optim.lr_scheduler of torch 2.13.
    """
    instance_of(LRScheduler, "a scheduler of torch.optim.lr_scheduler")(NAME, "scheduler", scheduler)
    for leaf in leaves(scheduler):
        if (metric := getattr(leaf, "_metric", None)) is not None:
            requirement = "a function of the step alone (a scheduler with a controller, which follows a metric, is not)"
            fix = "for the same curve, pass the schedule and the controller to `lambda_lr`"
            raise argument_error(NAME, "scheduler", requirement, metric.controller, fix=fix)
    rated = rated_of(scheduler)
    if cycling := [type(leaf).__name__ for leaf in leaves(scheduler) if getattr(leaf, "cycle_momentum", False)]:
        warn(
            f"{NAME}: {cycling[0]} also cycles the momentum (the first beta of Adam), which is not converted; set it "
            "again, or give it a schedule in `hyperparameters` of `lambda_lr`",
            stacklevel=3,
        )
    return rated


def rated_of(scheduler: LRScheduler) -> list[Rated]:
    """As `from_lr_scheduler`, without the factor of a controller."""
    groups = range(len(scheduler.optimizer.param_groups))
    return [_joined(_segments(View("scheduler", scheduler, group))) for group in groups]


def leaves(scheduler: Any) -> Iterator[Any]:
    """The schedulers that contain no others."""
    for child in getattr(scheduler, "_schedulers", ()):
        yield from leaves(child)
    if not hasattr(scheduler, "_schedulers"):
        yield scheduler


def _joined(segments: list[Segment]) -> Rated:
    """A sequence of segments, as multipliers of their largest peak."""
    peak = max(segment.peak for segment in segments)
    schedules = [
        segment.schedule if segment.peak == peak else fs.scale(segment.schedule, segment.peak / peak)
        for segment in segments
    ]
    boundaries = [segment.begin for segment in segments[1:]]
    return Rated(fs.join(schedules, boundaries) if boundaries else schedules[0], peak)


def _segments(view: View) -> list[Segment]:
    """The segments of a scheduler of any class."""
    cls = type(view.scheduler)
    for unsupported, requirement in _NOT_CONVERTED.items():
        if issubclass(cls, unsupported):
            raise argument_error(NAME, view.path, requirement, cls.__name__)
    kind = next((base for base in cls.__mro__ if base in _CONVERTED), None)
    if kind is None or _overrides(cls, kind):
        names = ", ".join(sorted(known.__name__ for known in _CONVERTED if known is not ScheduleLR))
        requirement = f"one of {names}, or a subclass that does not override its methods"
        raise argument_error(NAME, view.path, requirement, cls.__name__, TypeError)
    if kind is SequentialLR:
        return _sequential(view)
    if kind is ChainedScheduler:
        return _chained(view)
    if kind in ABSOLUTE:
        return [ABSOLUTE[kind](view, view.base_rate())._replace(effect=Effect.SETS)]
    effect = Effect.RESETS if view.start is Start.MILESTONE else Effect.MULTIPLIES
    return [RELATIVE[kind](view, view.initial_rate())._replace(effect=effect)]


def _overrides(cls: type, kind: type) -> set[str]:
    """The methods of a torch class that a subclass overrides, except those that do not affect the learning rate."""
    subclasses = cls.__mro__[: cls.__mro__.index(kind)]
    names = {name for subclass in subclasses for name in vars(subclass)}
    return {name for name in names if hasattr(kind, name) and not name.startswith("__")} - _WITHOUT_EFFECT


def _is_composite(view: View) -> bool:
    return isinstance(view.scheduler, (SequentialLR, ChainedScheduler))


def _sequential(view: View) -> list[Segment]:
    scheduler, path = view.scheduler, f"{view.path}._milestones"
    milestones = [
        concrete_nonnegative_int(NAME, f"{path}[{i}]", max(step, 0)) for i, step in enumerate(scheduler._milestones)
    ]  # torch accepts negative milestones
    if milestones != sorted(milestones) or len(milestones) != len(scheduler._schedulers) - 1:
        count = len(scheduler._schedulers)
        requirement = f"increasing, and of length {count - 1} for {count} schedulers"
        raise argument_error(NAME, path, requirement, scheduler._milestones)
    begins = [step - view.ahead for step in milestones]
    first = bisect_right(begins, 0)  # the index of the scheduler that is active at step 0
    # In a nested SequentialLR, whose counter is ahead, step 0 can be the step that reaches a milestone.
    at_milestone = view.ahead > 0 and first > 0 and begins[first - 1] == 0
    segments = _first_segments(view.child(first, start=Start.MILESTONE if at_milestone else view.start))
    if view.start is Start.INITIAL and segments[0].effect is Effect.MULTIPLIES:
        # On construction, a SequentialLR sets the rate to `initial_lr`.
        segments[0] = segments[0]._replace(effect=Effect.RESETS)
    for index, begin in enumerate(begins[first:], start=first + 1):
        child = view.child(index, start=Start.MILESTONE, from_initial_lr=False)
        if _is_composite(child):
            requirement = "the first scheduler of a SequentialLR (torch raises at the milestone of a later one)"
            raise argument_error(NAME, child.path, requirement, type(child.scheduler).__name__)
        (segment,) = _segments(child)
        segments = [*(earlier for earlier in segments if earlier.begin < begin), segment._replace(begin=begin)]
    return segments


def _first_segments(view: View) -> list[Segment]:
    """The segments of the first scheduler of a SequentialLR, which starts from `initial_lr`."""
    view = view._replace(from_initial_lr=True)
    return _segments(view._replace(start=Start.NESTED, ahead=view.ahead + 1) if _is_composite(view) else view)


def _chained(view: View) -> list[Segment]:
    members = _chain_members(view)
    begins = sorted({segment.begin for segments in members for segment in segments})
    return [_combined(view, [_active(segments, begin) for segments in members], begin) for begin in begins]


def _chain_members(view: View) -> list[list[Segment]]:
    """The segments of each scheduler in a chain. A chain in a chain is flattened, because all step in order."""
    members = []
    for index in range(len(view.scheduler._schedulers)):
        child = view.child(index)
        members += _chain_members(child) if isinstance(child.scheduler, ChainedScheduler) else [_segments(child)]
    return members


def _active(segments: list[Segment], step: int) -> Segment:
    return [segment for segment in segments if segment.begin <= step][-1]


def _combined(view: View, segments: list[Segment], begin: int) -> Segment:
    """The members of a chain as one segment from step `begin` on. Each member updates the rate of the one before."""
    names = [type(scheduler).__name__ for scheduler in view.scheduler._schedulers]
    setters = [place for place, segment in enumerate(segments) if segment.effect is Effect.SETS]
    if setters:
        # A setter ignores the current rate, so the factors before it have no effect, and those after it last one step.
        if setters[-1] + 1 < len(segments):
            requirement = "a chain in which no factor follows a scheduler that sets the rate at every step"
            raise argument_error(NAME, view.path, requirement, names)
        segment = segments[setters[-1]]
        return segment._replace(schedule=_shifted(segment, begin), begin=begin)
    # The last reset is that of the member at `resetter`, at step `since`. It discards all factors before it.
    resets = [(segment.begin, place) for place, segment in enumerate(segments) if segment.effect is Effect.RESETS]
    since, resetter = max(resets, default=(0, -1))
    schedules = []
    for place, segment in enumerate(segments):
        # The reset discards the factors of this member up to step `last`: at step `since`, the members after the
        # resetter multiply the new rate.
        last = since - segment.begin - (place > resetter)
        discarded = 1.0 if place == resetter or last < 0 else segment.schedule(last)
        if (segment.affine and len(segments) > 1) or discarded == 0:
            requirement = (
                "a closed-form function of the step (a chain with an `eta_min` above 0 or with a factor of 0 before a "
                "milestone is not; tabulate its values with `fs.tabulate`)"
            )
            raise argument_error(NAME, view.path, requirement, names)
        schedule = _shifted(segment, begin)
        schedules.append(schedule if discarded == 1 else fs.scale(schedule, 1.0 / discarded))
    schedule = fs.product(*schedules) if len(schedules) > 1 else schedules[0]
    effect = Effect.MULTIPLIES if resetter < 0 else Effect.RESETS
    affine = any(segment.affine for segment in segments)
    return Segment(schedule, segments[max(resetter, 0)].peak, effect, begin, affine)


def _shifted(segment: Segment, step: int) -> fs.Schedule:
    """The schedule of a segment, with steps counted from `step`."""
    return fs.shift(segment.schedule, step - segment.begin) if step > segment.begin else segment.schedule
