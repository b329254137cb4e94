"""What a careful colleague would say of a schedule and a run of some length."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from funcsched.analysis.checkpoint import LAST_STEP
from funcsched.analysis.landmarks import phase_boundaries
from funcsched.analysis.sampling import Curve, bisected, horizon, samples
from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import concrete_positive_int, positive
from funcsched.core.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_EVERY = 20_000  # all steps up to here are looked at
_GRID = 5_000  # further ones, at even distances
_WARMUP = 0.5  # of the run: a longer warmup is a warning
_FACTOR = 1.5  # between neighbouring steps: a jump
_ALONE = 3  # times the changes beside it: of a steep ramp it is a part, and no jump
_VISIBLE = 1e-6  # of the peak: a jump
_SEEN = 0.01  # of the peak, or of the run: what is less is not told, or no warning
_STILL = 0.1  # of the run
_NORMAL = 2.0**-126  # XLA takes a smaller float32 for 0


class Finding(Value):
    """One sentence about a run.

    Fields:
        severity: "warning" or "info".
        kind: a word that stays the same, for scripts; `check` lists them.
        step: where it begins.
        text: the sentence.
    """

    __slots__ = fields = ("severity", "kind", "step", "text")
    factory = "Finding"

    severity: str
    kind: str
    step: int
    text: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.text}"


def check(schedule: Schedule | Callable[[Any], Any], *, steps: int, peak_value: float = 1.0) -> list[Finding]:
    """What a careful colleague would say of a run of some updates, which uses the steps from 0 to ``steps - 1``.

    ======================  ========  ==================================================================================
    kind                    severity  it is told when
    ======================  ========  ==================================================================================
    ``invalid``             warning   a multiplier is negative or no finite number (of a function of your own)
    ``first_rate_zero``     info      the first update has rate 0; a warning for several
    ``zero_rate``           warning   later updates, or all, have rate 0, or the last ones in float32
    ``warmup``              info      the rate climbs from step 0 on; a warning above half of the run
    ``peak_never_reached``  warning   the largest multiplier of the schedule comes after the run
    ``peak_not_one``        info      the largest multiplier of the run is off 1 by more than 0.1 %
    ``jump``                warning   it rises by a factor of 1.5 or more from one step to the next
    ``drop``                info      it falls by such a factor
    ``still``               info      it stands still for 10 % of the run or more, the end left out
    ``horizon_short``       warning   the last updates are at the value that a decay ended at; an information for one
                                      update at 0, and for up to 1 % of the run at another value
    ``horizon_long``        warning   the schedule ends after the run, by then 1 % of the peak or more away
    ``end``                 info      where the run ends, as a share of the peak
    ======================  ========  ==================================================================================

    A jump or a drop is a millionth of the peak or more, and more than three times the changes before and after that go
    the same way; a rise at the first update is none. A decay that ends in a drop, such as that of a `multistep`, has
    no end that a run could be too long for.

    Args:
        schedule: a schedule or a function of a step.
        steps: how many updates the run makes, an integer of at least 1.
        peak_value: what the multipliers are factors of; other than 1, the sentences tell rates.

    Returns:
        Findings, warnings first, and in the order of the run. Steps up to 20,000 are looked at one by one, and from
        there on those near the numbers of the schedule and a grid, so in a longer run counts are what was found.

    Raises:
        TypeError: `schedule` is not callable, `steps` or `peak_value` no number.
        ValueError: `steps` or `peak_value` is out of its range.

    Example:
        >>> import funcsched as fs
        >>> from funcsched.analysis.check import check
        >>> for finding in check(fs.warmup_linear(12, 100), steps=120):
        ...     print(finding)
        warning: the horizon is shorter than the run: the last 20 updates, from step 100 on, are at 0 and change nothing
        info: the first update has rate 0 and changes nothing
        info: 10 % of the run is warmup: the rate climbs up to step 12
        info: the run ends at 0 of the peak: the multiplier is 0 at step 119
    """
    curve = as_schedule("check", "schedule", schedule)
    steps = concrete_positive_int("check", "steps", steps)
    peak_value = positive("check", "peak_value", peak_value)
    found = list(_Run(curve, steps, float(peak_value)).findings())
    return sorted(found, key=lambda finding: (finding.severity == "info", finding.step))


class _Run:
    """The curve of a run, and the curve of the schedule beyond it."""

    def __init__(self, schedule: Schedule, steps: int, peak_value: float) -> None:
        self.steps, self.last, self.unit = steps, steps - 1, peak_value
        self.quantity = "multiplier" if peak_value == 1.0 else "rate"
        self.curve = Curve(schedule, self.last)
        looked = {*samples([self.curve], self.last, _EVERY), *_spread(steps), max(self.last - 1, 0)}
        self.looked = sorted(looked)
        self.values = [self.curve(step) for step in self.looked]
        self.all_seen = len(self.looked) == steps

    def findings(self) -> Iterator[Finding]:
        invalid = [(step, v) for step, v in zip(self.looked, self.values, strict=True) if not 0 <= v < float("inf")]
        if invalid:
            step, value = invalid[0]
            what = "negative" if value < 0 else "no finite number"
            yield Finding("warning", "invalid", step, f"the multiplier is {what} at step {step}: {value:g}")
            return
        self.top = max(self.values)
        self.first_top = self.first(lambda v: v == self.top)
        self.beyond()
        zeros = self.leading_zeros()
        if self.top == 0:
            yield Finding("warning", "zero_rate", 0, f"the rate is 0 in the whole run of {_updates(self.steps)}")
        elif zeros:
            several = f"the first {zeros} updates have rate 0 and change nothing"
            one = "the first update has rate 0 and changes nothing"
            severity = "info" if zeros == 1 else "warning"
            yield Finding(severity, "first_rate_zero", 0, one if zeros == 1 else several)
        yield from self.warmup()
        yield from self.peak()
        if self.top > 0:
            yield from self.jumps()
            yield from self.ending()
            yield from self.within(zeros)

    def beyond(self) -> None:
        """What the schedule does past the run, as far as it is defined there."""
        whole = Curve(self.curve.schedule, LAST_STEP)
        whole.seen.update(self.curve.seen)
        self.whole: Curve | None = whole
        self.end: float | None = None
        self.horizon: int | None = None
        try:
            looked = sorted({*self.looked, *samples([whole], LAST_STEP, 0, 1.01), self.steps})
            values = [whole(step) for step in looked]
            if not all(0 <= value < float("inf") for value in values):
                raise ValueError
        except Exception:  # a function may know its run alone
            self.whole = None
            self.all_top, self.all_first = self.top, self.first_top
            return
        self.all_top = max(values)
        self.all_first = looked[values.index(self.all_top)]
        self.horizon = horizon(whole, looked)
        if self.horizon is not None:
            self.end = values[-1]

    def first(self, holds: Callable[[float], bool]) -> int:
        """The first step of the run of whose value something holds."""
        index = next(i for i, value in enumerate(self.values) if holds(value))
        before = self.looked[index - 1] if index else -1
        return bisected(before, self.looked[index], lambda step: holds(self.curve(step)))

    def leading_zeros(self) -> int:
        return self.first(lambda v: v > 0) if self.top > 0 else 0

    def told(self, value: float) -> str:
        return f"{value * self.unit:.6g}"

    def warmup(self) -> Iterator[Finding]:
        # A short floor may come first, and then each value is above the one before.
        begin = next((i for i, (a, b) in enumerate(pairwise(self.values)) if b != a), 0)
        rising = pairwise(self.values[begin:])
        climb = next((i for i, (a, b) in enumerate(rising, begin) if b <= a), len(self.values) - 1)
        if climb == begin:
            return
        crest = self.values[climb]
        length = self.first(lambda v: v >= crest)
        floor = self.looked[begin]
        if 2 * floor > length or (floor and self.jumps_at(self.steepest(floor, self.looked[begin + 1]))):
            return
        on = self.whole is not None and self.whole(self.steps) > crest
        if length == self.last and (on or self.whole is None):
            yield Finding("warning", "warmup", 0, "the warmup takes the whole run: the rate still climbs at its end")
            return
        share = length / self.steps
        text = f"{100 * share:.3g} % of the run is warmup: the rate climbs up to step {length}"
        yield Finding("warning" if share > _WARMUP else "info", "warmup", 0, text)

    def peak(self) -> Iterator[Finding]:
        if self.top < self.all_top * (1 - 1e-9):
            text = (
                f"the peak is never reached: the largest {self.quantity} of the run is {self.told(self.top)} at step "
                f"{self.first_top}, and that of the schedule {self.told(self.all_top)} at step {self.all_first}"
            )
            yield Finding("warning", "peak_never_reached", self.first_top, text)
        elif self.top > 0 and abs(self.top - 1) > 1e-3:
            rate = "" if self.unit == 1.0 else f", a rate of {self.told(self.top)}"
            text = f"the largest multiplier is {self.top:.6g} and not 1{rate}"
            yield Finding("info", "peak_not_one", self.first_top, text)

    def jumps(self) -> Iterator[Finding]:
        rises: list[int] = []
        drops: list[int] = []
        for low, high, before, after in zip(self.looked, self.looked[1:], self.values, self.values[1:], strict=False):
            if not self.big(before, after):
                continue
            step = self.steepest(low, high)
            if self.big(self.curve(step - 1), self.curve(step)) and self.jumps_at(step):
                (rises if self.curve(step) > self.curve(step - 1) else drops).append(step)
        for severity, kind, verb, steps in ("warning", "jump", "jumps up", rises), ("info", "drop", "drops", drops):
            if not steps:
                continue
            step = max(steps, key=lambda s: (self.factor(self.curve(s - 1), self.curve(s)), -s))
            before, after = self.curve(step - 1), self.curve(step)
            factor = self.factor(before, after)
            by = f" by a factor of {factor:.3g}" if factor < float("inf") else ""
            what = f"{verb}{by} at step {step}, from {self.told(before)} to {self.told(after)}"
            if len(steps) == 1:
                text = f"the {self.quantity} {what}"
            else:
                every = self.all_seen and not 0 < min(self.values) < _VISIBLE * self.top  # those that are seen
                times = f"{len(steps)} times" if every else f"at least {len(steps)} times"
                text = f"the {self.quantity} {verb} {times}, first at step {steps[0]}; the most: it {what}"
            yield Finding(severity, kind, steps[0], text)

    def factor(self, one: float, other: float) -> float:
        low, high = min(one, other), max(one, other)
        if low == high:
            return 1.0
        return high / low if low > 0 and high / low < 1e12 else float("inf")

    def big(self, one: float, other: float) -> bool:
        return abs(one - other) >= _VISIBLE * self.top and self.factor(one, other) >= _FACTOR

    def steepest(self, low: int, high: int) -> int:
        """Between two steps, the one that a change is largest before."""
        while high - low > 1:
            middle = (low + high) // 2
            value = self.curve(middle)
            left, right = abs(value - self.curve(low)), abs(self.curve(high) - value)
            low, high = (low, middle) if left >= right else (middle, high)
        return high

    def jumps_at(self, step: int) -> bool:
        before, after = self.curve(step - 1), self.curve(step)
        if self.factor(before, after) < _FACTOR or (step == 1 and after > before):
            return False
        change = after - before
        beside = before - self.curve(max(step - 2, 0)), self.curve(min(step + 1, self.last)) - after
        return abs(change) > _ALONE * max(abs(other) if other * change > 0 else 0.0 for other in beside)

    def ending(self) -> Iterator[Finding]:
        final = self.curve(self.last)
        short = self.after_the_end()
        if short:
            since = self.steps - short
            end = self.told(final)
            nothing = " and change nothing" if short > 1 else " and changes nothing"
            which = f"the last {short} updates, from step {since} on, are" if short > 1 else "the last update is"
            text = f"the horizon is shorter than the run: {which} at {end}{nothing if final == 0 else ''}"
            light = short == 1 if final == 0 else short <= _SEEN * self.steps
            yield Finding("info" if light else "warning", "horizon_short", since, text)
        would = ""
        last = self.steps if self.drops_at_the_end() else self.steps + 1  # a curve may end just behind the run
        if self.horizon is not None and self.end is not None and self.horizon >= last and self.end != final:
            would = f"; the schedule would end at {self.told(self.end)} at step {self.horizon}"
            if self.end < self.all_top and abs(final - self.end) >= _SEEN * self.all_top:
                text = (
                    f"the horizon is longer than the run: the schedule ends at {self.told(self.end)} at step "
                    f"{self.horizon}, the run at {self.told(final)} after {_updates(self.steps)}"
                )
                yield Finding("warning", "horizon_long", self.last, text)
        share = final / self.all_top
        text = f"the run ends at {share:.3g} of the peak: the {self.quantity} is {self.told(final)} at step {self.last}"
        yield Finding("info", "end", self.last, text + would)

    def drops_at_the_end(self) -> bool:
        """Whether the schedule would end in a drop at the first step after the run."""
        if self.whole is None or self.horizon != self.steps or self.last < 1:
            return False
        return self.curve(self.last) == self.curve(self.last - 1)

    def after_the_end(self) -> int:
        """How many last updates are at the value that a decay has ended at."""
        final = self.curve(self.last)
        place = len(self.values) - 1
        while place and self.values[place - 1] == final:
            place -= 1
        since = bisected(self.looked[place - 1], self.looked[place], lambda s: self.curve(s) == final) if place else 0
        held = self.whole is None or (self.horizon is not None and self.horizon <= self.last)
        if not since or not held or final >= self.top or self.curve(since - 1) < final or self.jumps_at(since):
            return 0
        # A floor is reached before the end, and a decay of the run's own length goes on below it.
        if final > 0 and max(phase_boundaries(self.curve.schedule, LAST_STEP), default=0) >= self.steps:
            return 0
        count = self.steps - since
        return count if count > 1 or (final == 0 and count) else 0

    def within(self, zeros: int) -> Iterator[Finding]:
        """Zeros in the midst of the run, and a rate that stands still."""
        stop = self.steps - self.after_the_end()
        if self.values[0] == self.values[-1] and self.top == min(self.values):
            text = f"the {self.quantity} is {self.told(self.top)} in the whole run"
            yield Finding("info", "still", 0, text)
            return
        plateaus = list(self.plateaus(zeros, stop))
        dead = [(low, high) for low, high in plateaus if self.curve(low) == 0]
        if dead:
            count = sum(high - low for low, high in dead)
            low, high = dead[0]
            where = f"from step {low} to {high - 1}" if count > 1 else f"at step {low}"
            where = where if len(dead) == 1 else f"in {len(dead)} places, first at step {low}"
            text = f"the rate is 0 for {_updates(count)}, {where}"
            yield Finding("warning", "zero_rate", dead[0][0], text)
        if 0 < self.values[-1] < _NORMAL:
            # After the last that float32 has: a warmup may begin at 0.
            large = next((i for i in reversed(range(len(self.values))) if self.values[i] >= _NORMAL), None)
            since = 0
            if large is not None:
                since = bisected(self.looked[large], self.looked[large + 1], lambda s: self.curve(s) < _NORMAL)
            text = f"in float32 the rate is 0 for the last {_updates(self.steps - since)}, from step {since} on: "
            yield Finding("warning", "zero_rate", since, text + "the multiplier is below the smallest normal float32")
        still = [(low, high) for low, high in plateaus if high - low > 1]
        count = sum(high - low for low, high in still)
        if count >= _STILL * self.steps:
            low, high = max(still, key=lambda span: span[1] - span[0])
            longest = f"from step {low} to {high - 1}" if len(still) == 1 else f"longest from step {low} to {high - 1}"
            text = f"the {self.quantity} stands still for {100 * count / self.steps:.3g} % of the run, {longest}"
            yield Finding("info", "still", low, f"{text} at {self.told(self.curve(low))}")

    def plateaus(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Stretches of one value, from a step up to before another; those of a single step only at 0."""
        begin: int | None = None
        left = bisect_left(self.looked, start)
        looked = [start, *(step for step in self.looked[left:] if start < step < stop)]
        for low, high in pairwise([*looked, stop]):
            begin = low if begin is None else begin
            value = self.curve(low)

            def moved(step: int, value: float = value) -> bool:
                return self.curve(step) != value

            # A period may fall in with a grid, but not with these too.
            change = next(
                (s for s in (low + 1, low + int((high - low) * 0.382), high - 1) if s < high and moved(s)), high
            )
            if change == high and high < stop and not moved(high):
                continue
            after = bisected(low, change, moved) if change < high else high
            if after - begin > 1 or value == 0:
                yield begin, after
            begin = None


def _spread(steps: int) -> Iterator[int]:
    """Steps at distances that are even but for a part of each, so that no period of a schedule falls in with them."""
    if steps > _EVERY:
        for i in range(_GRID):
            yield int((i + i * 0.6180339887498949 % 1) / (_GRID + 1) * steps)


def _updates(count: int) -> str:
    return "one update" if count == 1 else f"{count} updates"
