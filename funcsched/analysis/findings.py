"""The findings of `check`."""

from __future__ import annotations

from itertools import pairwise

from funcsched.analysis.jumps import is_jump, jump_steps, steepest_step, value_ratio
from funcsched.analysis.run import LEARNING_RATE, Run, is_valid
from funcsched.analysis.sampling import Curve, start_of_last_stretch
from funcsched.core.value import Value
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_LONG_WARMUP = 0.5  # of the run
_CONSTANT = 0.1  # of the run
_SMALL = 0.01  # of the run, or of the peak
_VISIBLE = 1e-6  # of the peak: smaller jumps are ignored
_LARGE_RATE = 0.1  # above, small multipliers are plausible
_NEGLIGIBLE_RATE = 1e-6
_TINY_LEVEL = 1e-3
_COUNTS_FROM_ONE = 1.5  # steps
_LEVELS = {"start", "end", "stop", "cosine_end"}
_SMALLEST_FLOAT32 = 2.0**-126  # the smallest normal number; XLA flushes smaller ones to 0


class Finding(Value):
    """A likely mistake in a run, or a fact about it.

    Fields:
        severity: "warning" or "info".
        kind: an identifier for scripts, from the table of `check`.
        step: the step at which it begins.
        text: the message.
    """

    __slots__ = fields = ("severity", "kind", "step", "text")
    factory = "Finding"

    severity: str
    kind: str
    step: int
    text: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.text}"


class Findings(list[Finding]):
    """A list of findings that notebooks display as a table."""

    def _repr_html_(self) -> str:
        from html import escape  # imported only in notebooks

        names = Finding.fields
        head = "".join(f'<th style="text-align:left">{name}</th>' for name in names)
        rows = (
            "".join(f'<td style="text-align:left">{escape(str(getattr(finding, name)))}</td>' for name in names)
            for finding in self
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if self else "no findings"


def invalid_multiplier(curve: Curve, steps: list[int], quantity: str) -> Iterator[Finding]:
    is_learning_rate = quantity == LEARNING_RATE
    step = next((step for step in steps if not is_valid(curve(step), is_learning_rate)), None)
    if step is not None:
        fault = "negative" if -float("inf") < curve(step) < 0 else "not finite"
        text = f"the multiplier is {fault} at step {step:,}: {curve(step):g}"
        if fault == "negative":
            text += "; a learning rate is not negative (for another quantity, give its name as `quantity`)"
        yield Finding("warning", "invalid", step, text)


def findings(run: Run) -> Iterator[Finding]:
    """Everything to report about a run whose multipliers are all valid."""
    yield from (of_learning_rate if run.is_learning_rate else of_other_quantity)(run)


def of_other_quantity(run: Run) -> Iterator[Finding]:
    """What matters for any scheduled value: no warmup, no peak, and a value of 0 is not a mistake."""
    if min(run.values) >= 0 and run.peak > 0:  # a jump is a ratio of values
        yield from jumps_and_drops(run)
    if run.stops_before_end and run.schedule_end is not None:
        largest = max(map(abs, [*run.values, run.schedule_end]))
        if abs(run.final - run.schedule_end) >= _SMALL * largest:
            yield Finding("warning", "horizon_long", run.last, _horizon_is_longer(run))
    yield from constant(run)
    text = f"the run ends with the {run.quantity} {run.text(run.final)} at step {run.last:,}"
    yield Finding("info", "end", run.last, text)


def of_learning_rate(run: Run) -> Iterator[Finding]:
    above_peak = list(level_above_peak(run))
    yield from above_peak
    yield from rate_as_multiplier(run)
    yield from zero_at_start(run)
    if not above_peak:  # the curve rises to that level, so it has no other warmup and no other peak
        yield from warmup(run)
        yield from peak(run)
    if run.peak > 0:
        yield from jumps_and_drops(run)
        yield from horizon_short(run)
        yield from horizon_long(run)
        yield from end(run, 1.0 if above_peak else run.schedule_peak)
        yield from zero_later(run)
        yield from zero_in_float32(run)
        yield from constant(run)


def level_above_peak(run: Run) -> Iterator[Finding]:
    """Levels of a recipe above its peak, which were probably meant as percentages."""
    for name, level in given_levels(run.curve.schedule, of_recipes=True):
        if level > 1:
            meaning = "that many times the peak" if run.peak_value == 1.0 else f"a learning rate of {run.text(level)}"
            text = f"`{name}` is a multiplier of the peak, and above 1: {level:g} means {meaning}"
            if level <= 100:
                text += f"; for {level:g}% of the peak, use {name}={level / 100:g}"
            yield Finding("warning", "level_above_peak", 0, text)


def rate_as_multiplier(run: Run) -> Iterator[Finding]:
    """Levels that were probably meant as learning rates: multiplied by the peak value, they are very small."""
    # A warmup of n steps that counts from 1 starts at 1/n or 1/(n + 1).
    levels = [
        (name, level)
        for name, level in given_levels(run.curve.schedule)
        if level > 0 and not (name == "start" and abs(1 / level - run.schedule_peak_step) < _COUNTS_FROM_ONE)
    ]
    if run.peak_value == 1.0:
        for name, level in levels:
            if level < _TINY_LEVEL:
                text = (
                    f"`{name}` is a multiplier of the peak: {level:g} means {100 * level:g}% of it; if it was meant as "
                    "a learning rate, give the peak value (`peak_value`, `--peak-value`)"
                )
                yield Finding("info", "rate_as_multiplier", 0, text)
    if not 0 < run.peak_value < _LARGE_RATE:
        return
    if 0 < run.peak < _SMALL:
        text = (
            f"the largest multiplier is {run.peak:.3g}, so the learning rate is at most {run.text(run.peak)}; if the "
            "schedule's values are already learning rates, use a peak value of 1"
        )
        yield Finding("warning", "rate_as_multiplier", run.peak_step, text)
        return
    for name, level in levels:
        if level < run.peak_value and level * run.peak_value < _NEGLIGIBLE_RATE:
            text = (
                f"`{name}` is a multiplier of the peak: {level:g} means a learning rate of "
                f"{level * run.peak_value:.3g};"
                f" for a learning rate of {level:g}, use {name}={level / run.peak_value:.6g}"
            )
            yield Finding("warning", "rate_as_multiplier", 0, text)


def given_levels(value: Any, *, of_recipes: bool = False) -> Iterator[tuple[str, float]]:
    """The arguments of a schedule and of those inside it that are levels and differ from their default.

    With `of_recipes` only those of recipes, whose peak is 1.
    """
    for name, argument in value.arguments().items():
        for item in argument if isinstance(argument, tuple) else (argument,):
            if isinstance(item, Value):
                yield from given_levels(item, of_recipes=of_recipes)
            elif name in _LEVELS and is_concrete(item) and item != value.defaults.get(name):
                if not of_recipes or value.composition() is not None:
                    yield name, item


def zero_at_start(run: Run) -> Iterator[Finding]:
    zeros = run.leading_zeros
    if run.peak == 0:
        text = f"the learning rate is 0 in the entire run of {_updates(run.steps)}"
        yield Finding("warning", "zero_rate", 0, text)
    elif zeros == 1:
        text = "the first update has learning rate 0 and changes nothing"
        yield Finding("info", "first_rate_zero", 0, text)
    elif zeros:
        text = f"the first {zeros:,} updates have learning rate 0 and change nothing"
        yield Finding("warning", "first_rate_zero", 0, text)


def warmup(run: Run) -> Iterator[Finding]:
    steps, values = run.sampled, run.values
    # The indices at which the first increase begins and ends. A lower bound may hold the values before it.
    start = next((i for i, (a, b) in enumerate(pairwise(values)) if b != a), 0)
    top = next((i for i, (a, b) in enumerate(pairwise(values[start:]), start) if b <= a), len(values) - 1)
    if top == start:
        return
    length = run.first_step(lambda value: value >= values[top])
    held = steps[start]
    # Not a warmup: the values before the increase are held for most of these steps, or end with a jump.
    if 2 * held > length or (held and is_jump(run.curve, steepest_step(run.curve, held, steps[start + 1]))):
        return
    if length == run.last and (run.entire_curve is None or run.entire_curve(run.steps) > values[top]):
        text = "the warmup takes the entire run: the learning rate still increases at the end"
        yield Finding("warning", "warmup", 0, text)
        return
    share = length / run.steps
    text = f"the warmup takes {100 * share:.3g}% of the run: the learning rate increases until step {length:,}"
    yield Finding("warning" if share > _LONG_WARMUP else "info", "warmup", 0, text)


def peak(run: Run) -> Iterator[Finding]:
    if run.peak < run.schedule_peak * (1 - 1e-9):
        text = (
            f"the run does not reach the peak: the largest {run.quantity} of the run is {run.text(run.peak)} at step "
            f"{run.peak_step:,}, that of the schedule is {run.text(run.schedule_peak)} at step "
            f"{run.schedule_peak_step:,}"
        )
        yield Finding("warning", "peak_never_reached", run.peak_step, text)
    elif run.peak > 0 and abs(run.peak - 1) > 1e-3:
        rate = "" if run.peak_value == 1.0 else f", which is a learning rate of {run.text(run.peak)}"
        text = f"the largest multiplier is {run.peak:.6g} instead of 1{rate}"
        yield Finding("info", "peak_not_one", run.peak_step, text)


def jumps_and_drops(run: Run) -> Iterator[Finding]:
    curve = run.curve
    steps = jump_steps(curve, run.sampled, _VISIBLE * run.peak)
    up = [step for step in steps if curve(step) > curve(step - 1)]
    down = [step for step in steps if curve(step) < curve(step - 1)]
    # There may be more between the samples, or more that are too small to be visible.
    all_found = run.is_complete and not 0 < min(run.values) < _VISIBLE * run.peak
    for severity, kind, verb, found in ("warning", "jump", "jumps up", up), ("info", "drop", "drops", down):
        if not found:
            continue
        largest = max(found, key=lambda step: (value_ratio(curve(step - 1), curve(step)), -step))
        before, after = curve(largest - 1), curve(largest)
        ratio = value_ratio(before, after)
        factor = f"by a factor of {ratio:.3g} " if ratio < float("inf") else ""
        change = f"{factor}at step {largest:,}, from {run.text(before)} to {run.text(after)}"
        if len(found) > 1:
            times = f"{'' if all_found else 'at least '}{len(found):,} times"
            change = f"{times}, first at step {found[0]:,}; the largest {kind} is {change}"
        yield Finding(severity, kind, found[0], f"the {run.quantity} {verb} {change}")


def horizon_short(run: Run) -> Iterator[Finding]:
    count = run.updates_after_end
    if not count:
        return
    step = run.steps - count
    updates = f"the last {count:,} updates, from step {step:,} on," if count > 1 else "the last update"
    if run.final == 0:
        is_minor = count == 1
        effect = "have learning rate 0 and change nothing" if count > 1 else "has learning rate 0 and changes nothing"
    else:
        is_minor = count <= _SMALL * run.steps
        effect = f"stay at the {run.quantity} {run.text(run.final)}"
    text = f"the horizon is shorter than the run: {updates} {effect}"
    yield Finding("info" if is_minor else "warning", "horizon_short", step, text)


def horizon_long(run: Run) -> Iterator[Finding]:
    if not run.stops_before_end or run.schedule_end is None or run.schedule_end >= run.schedule_peak:
        return
    if abs(run.final - run.schedule_end) >= _SMALL * run.schedule_peak:
        yield Finding("warning", "horizon_long", run.last, _horizon_is_longer(run))


def _horizon_is_longer(run: Run) -> str:
    assert run.schedule_end is not None
    return (
        f"the horizon is longer than the run: the schedule ends at {run.text(run.schedule_end)} at step "
        f"{run.horizon:,}, but the run ends at {run.text(run.final)} after {_updates(run.steps)}"
    )


def end(run: Run, peak: float) -> Iterator[Finding]:
    share = f"{100 * run.final / peak:.3g}% of" if run.final <= peak else f"{run.final / peak:.3g} times"
    text = f"the run ends at {share} the peak: the {run.quantity} is {run.text(run.final)} at step {run.last:,}"
    if run.stops_before_end and run.schedule_end is not None:
        text += f"; the schedule would end at {run.text(run.schedule_end)} at step {run.horizon:,}"
    yield Finding("info", "end", run.last, text)


def zero_later(run: Run) -> Iterator[Finding]:
    """Updates with learning rate 0 between the first one above 0 and the end of the decay."""
    stretches = run.constant_stretches(run.leading_zeros, run.steps - run.updates_after_end)
    zeros = [(start, stop) for start, stop in stretches if run.curve(start) == 0]
    if zeros:
        count = sum(stop - start for start, stop in zeros)
        start, stop = zeros[0]
        if len(zeros) > 1:
            bound = "" if run.is_complete else "at least "
            where = f"{bound}{_updates(count)}, in {bound}{len(zeros):,} places, first at step {start:,}"
        else:
            where = f"{_updates(count)}, " + (
                f"from step {start:,} to {stop - 1:,}" if count > 1 else f"at step {start:,}"
            )
        yield Finding("warning", "zero_rate", start, f"the learning rate is 0 for {where}")


def zero_in_float32(run: Run) -> Iterator[Finding]:
    if 0 < run.final < _SMALLEST_FLOAT32:
        step = start_of_last_stretch(lambda step: run.curve(step) < _SMALLEST_FLOAT32, run.sampled) or 0
        text = (
            f"in float32 the learning rate is 0 for the last {_updates(run.steps - step)}, from step {step:,} on: the "
            "multiplier is below the smallest normal float32"
        )
        yield Finding("warning", "zero_rate", step, text)


def constant(run: Run) -> Iterator[Finding]:
    if run.peak == min(run.values):
        yield Finding("info", "still", 0, f"the {run.quantity} is {run.text(run.peak)} in the entire run")
        return
    start, stop = 0, run.steps
    if run.is_learning_rate:  # updates at 0 and after the end of a decay are reported separately
        start, stop = run.leading_zeros, run.steps - run.updates_after_end
    stretches = run.constant_stretches(start, stop)
    held = [(start, stop) for start, stop in stretches if stop - start > 1]
    count = sum(stop - start for start, stop in held)
    if count >= _CONSTANT * run.steps:
        start, stop = max(held, key=lambda stretch: stretch[1] - stretch[0])
        where = f"from step {start:,} to {stop - 1:,} at {run.text(run.curve(start))}"
        share = f"{_percentage(count, run.steps)} of the run"
        if len(held) == 1:
            text = f"constant for {share}, {where}"
        else:
            bound = "" if run.is_complete else "at least "
            in_total = f"{'' if count == run.steps else bound}{share} in total"
            text = f"constant in {bound}{len(held):,} stretches, {in_total}; the longest is {where}"
        yield Finding("info", "still", start, f"the {run.quantity} is {text}")


def _percentage(part: int, total: int) -> str:
    """A percentage with three digits, and below 100% if it is not all."""
    text = f"{100 * part / total:.3g}"
    return "99.9%" if text == "100" and part < total else f"{text}%"


def _updates(count: int) -> str:
    return "one update" if count == 1 else f"{count:,} updates"
