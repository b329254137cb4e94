"""Whether two schedules give the same curve, and if not, where they part and why."""

from __future__ import annotations

from itertools import pairwise

from funcsched._check import length_now, optional
from funcsched._exact import known
from funcsched._value import Value, numbers
from funcsched.resume import EVERY, FAR, alike, grid, parting
from funcsched.schedule import Lift, Schedule, lifted, parts
from funcsched.shapes import cosine, linear, power, reverse, rex, sine, sqrt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

_ROUNDING = 2.0**-46  # of the peak: what ways to compute one curve in float64 differ by
_FLOAT32 = 2.0**-20
_SHAPE = 1e-6  # of the way from one end to the other
_MOVED = 8  # shifts that are tried, beside those that the peaks and the ends suggest
_LEAST = 1e-9  # a factor: below, all that is compared is rounding
_FEW = 3  # steps that are told one by one
_TINY = 1e-300  # of the peak: a curve that is 0 from here on has left the floats, and not ended
_run = optional(length_now)


class Comparison(Value):
    """What `compare` found; true where the curves are the same.

    Fields:
        equal: whether the curves are the same.
        first_step: the first step at which they differ, or None.
        first_value, second_value: the multipliers of both there, or None.
        largest_difference: the largest distance between the two.
        largest_step: the first step where they are that far apart, or None.
        reason: the likely reason in words; empty where the curves are the same.
    """

    __slots__ = fields = (
        "equal",
        "first_step",
        "first_value",
        "second_value",
        "largest_difference",
        "largest_step",
        "reason",
    )
    factory = "Comparison"

    equal: bool
    first_step: int | None
    first_value: float | None
    second_value: float | None
    largest_difference: float
    largest_step: int | None
    reason: str

    def __bool__(self) -> bool:
        return self.equal

    def __str__(self) -> str:
        if self.first_value is None or self.second_value is None:
            return "the curves are the same"
        one, other = apart(self.first_value, self.second_value)
        return (
            f"the curves part at step {self.first_step}, where the first is {one} and the second {other}; they are "
            f"farthest apart at step {self.largest_step}, by {self.largest_difference:g}; {self.reason}"
        )


class Curve(Schedule):
    """A schedule as it is looked at: up to a last step, and each value computed once."""

    __slots__ = ("last", "schedule", "seen")
    fields = ("schedule", "last")
    factory = "curve"

    schedule: Schedule
    last: int
    seen: dict[int, float]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        object.__setattr__(self, "seen", {})

    def _prepare(self) -> Callable[[int], float]:
        object.__setattr__(self, "_scalar", self._value)
        return self._value

    def _value(self, step: int) -> float:
        step = min(max(step, 0), self.last)
        value = self.seen.get(step)
        if value is None:
            value = self.seen[step] = float(self.schedule(step))
        return value

    def between(self, step: float) -> float:
        """The value at a step that need not be whole."""
        return self(int(step)) if step == int(step) else float(self.schedule(step))


def compare(
    first: Schedule | Callable[[Any], Any], second: Schedule | Callable[[Any], Any], *, steps: int | None = None
) -> Comparison:
    """Whether two schedules give the same curve; if not, where they first part, by how much, and why.

    Two expressions of one curve are the same: the values are compared, at every step up to 10,000, and from there on
    at those near the numbers of both and on a grid of 0.1 %. Multipliers that differ by 2**-50 of themselves are alike.

    Args:
        first: a schedule or a function of a step.
        second: another.
        steps: the length of the run: only the steps from 0 to ``steps - 1`` are looked at. None looks at all.

    Returns:
        A `Comparison`, true where the curves are the same. The reason is one that holds for the numbers: a shift, a
        factor, a bound, another length, end or shape of the warmup or the decay, or else the arguments in which the two
        differ, and ``"no simple reason found"`` where there is none.

    Raises:
        TypeError: `first` or `second` is not callable, `steps` no number.
        ValueError: `steps` is no whole number from 1 to 2**53.

    Example:
        >>> import funcsched as fs
        >>> from funcsched.comparing import compare
        >>> bool(compare(fs.warmup_constant(10), fs.join([fs.ramp(0, 1, steps=10), fs.constant()], [10])))
        True
        >>> found = compare(fs.warmup_linear(10, 100), fs.warmup_linear(10, 110))
        >>> found.first_step, found.largest_step, found.reason
        (11, 100, 'the second counts its horizon without the warmup: it ends at step 110 and not 100')
        >>> print(compare(fs.warmup_constant(10), fs.shift(fs.warmup_constant(10), 1)))
        the curves part at step 0, where the first is 0 and the second 0.1; they are farthest apart at step 0, by 0.1; \
the second is the first, one step earlier
    """
    one, other = lifted("compare", "first", first), lifted("compare", "second", second)
    steps = _run("compare", "steps", steps)
    last = FAR if steps is None else steps - 1
    same = Comparison(True, None, None, None, 0.0, None, "")
    if one is other or (known(*numbers(one), *numbers(other)) and one == other):
        return same
    left, right = Curve(one, last), Curve(other, last)
    step = parting(left, right, last)
    if step is None:
        return same
    looked = samples([left, right], last)
    largest = _farthest(left, right, looked)
    reason = _Reasons(left, right, looked, step, largest).likely()
    return Comparison(False, step, left(step), right(step), _distance(left, right, largest), largest, reason)


def apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many digits as tell them apart."""
    for digits in range(6, 17):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(one), repr(other)


def samples(curves: Iterable[Curve], last: int, every: int = EVERY, ratio: float = 1.001) -> list[int]:
    """The steps up to the last that are looked at: the first ones all, then a grid and those near the numbers."""
    curves = list(curves)
    steps = {*range(min(every, last + 1)), last}
    steps.update(grid(curves, ratio))
    for curve in curves:
        # The boundaries of a recipe are those of what it stands for. The grid is there already, so this one is wide.
        steps.update(grid((part for part in parts(curve.schedule) if isinstance(part, Schedule)), 2.0))
    return sorted(step for step in steps if step <= last)


def plural(steps: int) -> str:
    """A number of steps in words."""
    return "one step" if steps == 1 else f"{steps} steps"


def highest(value: Callable[[int], float], looked: list[int]) -> int:
    """The first step with the largest value, between the steps looked at too where the curve has one peak there."""
    best = max(looked, key=value)  # the first of several
    place = looked.index(best)
    low, high = looked[max(place - 1, 0)], looked[min(place + 1, len(looked) - 1)]
    if high - low <= 2:
        return best
    left, right = low, high
    while right - left > 2:
        third = (right - left) // 3
        if value(left + third) < value(right - third):
            left += third
        else:
            right -= third
    best = max((best, left, left + 1, right), key=value)
    return best if best == low else bisected(low, best, lambda step: value(step) == value(best))


def bisected(before: int, after: int, holds: Callable[[int], bool]) -> int:
    """The first step of which something holds, that does not at `before` and does at `after`."""
    if before < 0 or holds(before):
        return max(before, 0)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if holds(middle) else (middle, after)
    return after


def horizon(curve: Curve, looked: list[int]) -> int | None:
    """The first step from which on the curve is constant; None where it changes up to the last step looked at."""
    end, peak = curve(looked[-1]), max(map(curve, looked))
    for before, after in pairwise(reversed(looked)):
        if curve(after) != end:
            if before == looked[-1]:
                return None
            step = bisected(after, before, lambda s: curve(s) == end)
            return None if end == 0 and curve(step - 1) < _TINY * peak else step
    return 0


def _distance(one: Curve, other: Curve, step: int) -> float:
    a, b = one(step), other(step)
    if alike(a, b):
        return 0.0
    difference = abs(a - b)
    return difference if difference == difference else float("inf")  # one of them is no number


def _farthest(one: Curve, other: Curve, looked: list[int]) -> int:
    best = highest(lambda step: _distance(one, other, step), looked)
    enough = _distance(one, other, best) * (1 - _ROUNDING)
    return next((step for step in looked if step < best and _distance(one, other, step) >= enough), best)


class _Form:
    """The parts of a curve that rises, holds, falls and ends, of which each may be absent."""

    __slots__ = ("curve", "end", "horizon", "peak", "plain", "rest", "rise", "start")

    def __init__(self, curve: Curve, looked: list[int]) -> None:
        self.curve = curve
        self.start, self.end = curve(0), curve(looked[-1])
        self.rise = highest(curve, looked)
        self.peak = curve(self.rise)
        self.horizon = horizon(curve, looked)
        later = [step for step in looked if step > self.rise]
        self.rest = self.rise  # the last step at the peak
        for before, after in pairwise([self.rise, *later]):
            if curve(after) != self.peak:
                self.rest = bisected(before, after, lambda s: curve(s) != self.peak) - 1
                break
            self.rest = after
        slack = _ROUNDING * self.peak
        self.plain = all(
            a <= b + slack if after <= self.rise else b <= a + slack
            for before, after in pairwise(sorted({*looked, self.rise}))
            for a, b in [(curve(before), curve(after))]
        )

    def share(self, low: int, high: int, fraction: float) -> float:
        """How far the curve has come from one step to another at a fraction of the way."""
        begin, end = self.curve(low), self.curve(high)
        return (self.curve.between(low + fraction * (high - low)) - begin) / (end - begin)


_FRACTIONS = [i / 32 for i in range(1, 32)]
_NAMES = (
    ("linear", linear),
    ("a half wave of a cosine", cosine),
    ("a quarter wave of a sine", sine),
    ("a square root", sqrt),
    ("rex", rex),
    ("a polynomial of power 2", reverse(power(2.0))),
    ("a polynomial of power 3", reverse(power(3.0))),
)


class _Reasons:
    """The reasons that are tried, simple ones first; each is told only if the numbers bear it out."""

    def __init__(self, one: Curve, other: Curve, looked: list[int], parting: int, largest: int) -> None:
        self.one, self.other, self.looked = one, other, looked
        self.parting, self.largest = parting, largest
        self.last = looked[-1]
        self.difference = _distance(one, other, largest)
        self.peak = max(max(abs(one(step)), abs(other(step))) for step in looked)
        # Far below what is to be explained, and not below what rounding leaves.
        lower = min(max(abs(curve(step)) for step in looked) for curve in (one, other)) or self.peak
        self.near = max(_ROUNDING * self.peak, min(_SHAPE * lower, 1e-3 * self.difference))

        self.far_apart = [step for step in looked if _distance(one, other, step) >= self.difference / 2]

    def likely(self) -> str:
        if not self.difference < float("inf") or not self.peak < float("inf"):
            return "one of the two is no finite number"
        self.form, self.form_of_other = _Form(self.one, self.looked), _Form(self.other, self.looked)
        for reason in (
            self.rounding,
            self.nothing,
            self.moved,
            self.scaled,
            self.moved_and_scaled,
            self.alone,
            self.level,
            self.past_the_end,
            self.bounded,
            self.whole_form,
            self.mapped,
            self.argument,
        ):
            told = reason()
            if told:
                return told
        return "; ".join(self.facts()) or "no simple reason found"

    def explains(self, value: Callable[[int], float], low: int = 0, high: int | None = None) -> bool:
        """Whether the second is this other curve, where the first is not."""
        high = self.last if high is None else high
        if not any(low <= step <= high for step in self.far_apart):
            return False
        few = (self.largest, self.parting, *self.looked[:: max(len(self.looked) // 50, 1)])
        return all(
            abs(value(step) - self.other(step)) <= self.near
            for some in (few, self.looked)
            for step in some
            if low <= step <= high
        )

    def rounding(self) -> str | None:
        if self.difference <= _ROUNDING * self.peak:
            return f"no more than rounding: {self.difference / self.peak:.2g} of the peak"
        if self.difference <= _FLOAT32 * self.peak:
            for name, curve in ("first", self.one), ("second", self.other):
                if all(_is_float32(curve(step)) for step in self.looked):
                    return f"no more than the rounding of float32, which the {name} is computed in"
        return None

    def nothing(self) -> str | None:
        return "the second is 0 everywhere" if not any(map(self.other, self.looked)) else None

    def level(self) -> str | None:
        levels = {*map(self.other, self.looked)}
        return f"the second is {levels.pop():g} everywhere" if len(levels) == 1 < len(self.looked) else None

    def moved_and_scaled(self) -> str | None:
        first, second = self.form, self.form_of_other
        if not (first.peak > 0 and second.peak > 0) or first.peak == second.peak:
            return None
        return self.moved(second.peak / first.peak)

    def moved(self, factor: float = 1.0) -> str | None:
        first, second = self.form, self.form_of_other
        shifts = {k for i in range(1, _MOVED + 1) for k in (i, -i)} | {first.rise - second.rise}
        if first.horizon is not None and second.horizon is not None:
            shifts.add(first.horizon - second.horizon)
        times = "" if factor == 1.0 else f"times {factor:g}, "
        for k in sorted(shifts - {0}, key=abs):
            if abs(k) > self.last // 2:
                continue
            told = f"the second is the first, {times}{plural(abs(k))} {'earlier' if k > 0 else 'later'}"
            # Past the last step nothing is known of the first.
            high = self.last - k if k > 0 and self.last < FAR else self.last

            def value(step: int, k: int = k) -> float:
                return factor * self.one(step + k)

            if self.explains(value, 0, high):
                return told + ": it has no warmup" * (k == first.rise and second.rise == 0)
            if k < 0 and self.explains(value, -k, high):
                return f"{told}, from step {-k} on"
        return None

    def scaled(self) -> str | None:
        if not self.form.peak > 0:
            return None
        factor = self.other(self.form.rise) / self.form.peak
        if abs(factor) < _LEAST or not self.explains(lambda step: factor * self.one(step)):
            return None
        return f"the second is the first times {factor:g}"

    def alone(self) -> str | None:
        steps = []
        for step in self.looked:
            if not alike(self.one(step), self.other(step)):
                steps.append(step)
                if len(steps) > _FEW or step >= EVERY:
                    return None
        if len(self.looked) <= 2 * len(steps):
            return None
        if steps == [0]:
            one, other = apart(self.one(0), self.other(0))
            return f"the second starts at {other} and not {one}, and is the first from step 1 on"
        words = [f"{step}" for step in steps]
        listed = words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" and {words[-1]}"
        return f"they differ at step{'s' * (len(words) > 1)} {listed} alone"

    def past_the_end(self) -> str | None:
        index = next(i for i, step in enumerate(self.looked) if self.apart_at(step))
        if not index:
            return None
        step = bisected(self.looked[index - 1], self.looked[index], self.apart_at)
        before = max(abs(self.one(s) - self.other(s)) for s in self.looked[:index])
        for name, ended, moving_name, moving in (
            ("second", self.form_of_other, "first", self.one),
            ("first", self.form, "second", self.other),
        ):
            if ended.horizon is None or ended.horizon >= step:
                continue
            rises = moving(step) > ended.end
            fell = any(a > b for a, b in pairwise(moving(s) for s in self.looked if s <= ended.horizon))
            told = (
                f"the {name} holds {ended.end:g} from step {ended.horizon} on, where the {moving_name} "
                f"{'rises again' if rises and fell else 'rises' if rises else 'falls'}"
            )
            return told + (f" (until then they differ by no more than {before:.2g})" if before else "")
        return None

    def apart_at(self, step: int) -> bool:
        return abs(self.one(step) - self.other(step)) > self.near

    def bounded(self) -> str | None:
        if not self.curved():
            return None
        low = min(map(self.other, self.looked))
        high = self.form_of_other.peak
        if low > 0 and self.explains(lambda step: max(self.one(step), low)):
            return f"the second is the first, but never below {low:g}"
        if self.explains(lambda step: min(self.one(step), high)):
            return f"the second is the first, but never above {high:g}"
        return None

    def mapped(self) -> str | None:
        if not self.curved():
            return None
        bottom, top = min(self.looked, key=self.one), self.form.rise
        slope = (self.other(top) - self.other(bottom)) / (self.form.peak - self.one(bottom))
        base = self.other(bottom) - slope * self.one(bottom)
        if slope and self.explains(lambda step: base + slope * self.one(step)):
            sign = "+" if slope > 0 else "-"
            return f"the second is {base:g} {sign} {abs(slope):g} times the first"
        return None

    def curved(self) -> bool:
        """Whether the first has more values than two numbers could fit by chance."""
        seen = set()
        for step in self.looked:
            seen.add(self.one(step))
            if len(seen) > 4:
                return True
        return False

    def argument(self) -> str | None:
        told = list(_arguments(self.one.schedule, self.other.schedule))
        return f"the second has {' and '.join(told)}" if 0 < len(told) <= _FEW else None

    def whole_form(self) -> str | None:
        """The facts, where they say all that is different."""
        first, second = self.form, self.form_of_other
        if not (first.plain and second.plain):
            return None
        facts = list(self.facts())
        if self.same_rise() is False:
            name = _shapes_told(first, 0, first.rise, second, 0, second.rise)
            facts.append(f"the warmup of the second has another shape{name}")
        elif self.same_rise() is None:
            return None
        if self.same_fall() is False:
            if first.horizon is None or second.horizon is None:
                return None
            name = _shapes_told(first, first.rest, first.horizon, second, second.rest, second.horizon)
            # A shape that has no name here says less than the arguments, if those are few.
            if not name and self.argument():
                return None
            facts.append(f"the decay of the second has another shape{name}")
        elif self.same_fall() is None:
            return None
        return "; ".join(facts) or None

    def same_rise(self) -> bool | None:
        first, second = self.form, self.form_of_other
        if not first.rise or not second.rise:
            return True  # a warmup that one of them has not is told
        return _same_shape(first, 0, first.rise, second, 0, second.rise)

    def same_fall(self) -> bool | None:
        """None where nothing can be said: one of them has no end."""
        first, second = self.form, self.form_of_other
        if first.horizon is not None and second.horizon is not None:
            return _same_shape(first, first.rest, first.horizon, second, second.rest, second.horizon)
        if first.horizon is not None or second.horizon is not None:
            return None
        left, right = self.one, self.other
        room = self.last - max(first.rest, second.rest)
        far = all(
            abs(left(first.rest + at) * second.peak - right(second.rest + at) * first.peak)
            <= self.near * max(first.peak, second.peak)
            for at in self.looked
            if at <= room
        )
        return True if far and room > 0 else None

    def facts(self) -> Iterator[str]:
        """What is different at the marks of both: the start, the peak, how long it is held, and the end."""
        first, second = self.form, self.form_of_other
        plain = first.plain and second.plain
        if plain and first.rise and not second.rise:
            yield "the second has no warmup"
        elif plain and second.rise and not first.rise:
            yield f"the second has a warmup of {plural(second.rise)} and the first none"
        else:
            if not self.close(first.start, second.start):
                yield "the second starts at {1} and not {0}".format(*apart(first.start, second.start))
            if first.rise != second.rise:
                steps, sooner = plural(abs(first.rise - second.rise)), second.rise < first.rise
                yield (
                    f"the second reaches its peak {steps} {'earlier' if sooner else 'later'} "
                    f"(step {second.rise} and not {first.rise})"
                )
        if not self.close(first.peak, second.peak):
            yield "the peak of the second is {1} and not {0}".format(*apart(first.peak, second.peak))
        if not plain:
            yield from self.levels_at_the_end(first, second)
            return
        yield from self.ends(first, second)

    def ends(self, first: _Form, second: _Form) -> Iterator[str]:
        one, other = first.rest - first.rise, second.rest - second.rise
        falls = first.horizon is not None and second.horizon is not None
        length = min(first.horizon - first.rest, second.horizon - second.rest) if falls else 0  # type: ignore[operator]
        # A flat top of a few steps out of very many is rounding.
        if falls and length and one != other and max(one, other) > length * 1e-6:
            yield f"the second holds its peak for {plural(other)} and not {one}"
        yield from self.levels_at_the_end(first, second)
        if first.horizon is None or second.horizon is None or first.horizon == second.horizon:
            return
        where = f"step {second.horizon} and not {first.horizon}"
        if second.rise == first.rise and first.horizon > first.rise:
            for name, gap in ("second", second.horizon - first.horizon), ("first", first.horizon - second.horizon):
                if gap == first.rise > 0 and first.rise < min(first.horizon, second.horizon):
                    ends = "it ends" if name == "second" else "the second ends"
                    yield f"the {name} counts its horizon without the warmup: {ends} at {where}"
                    return
        steps = plural(abs(first.horizon - second.horizon))
        yield f"the second ends {steps} {'earlier' if second.horizon < first.horizon else 'later'} (at {where})"

    def levels_at_the_end(self, first: _Form, second: _Form) -> Iterator[str]:
        ended = first.horizon is not None and second.horizon is not None
        if ended and not self.close(first.end, second.end):
            yield "the second ends at {1} and not {0}".format(*apart(first.end, second.end))

    def close(self, one: float, other: float) -> bool:
        return abs(one - other) <= self.near


def _same_shape(one: _Form, low: int, high: int, other: _Form, begin: int, end: int) -> bool | None:
    """Whether two phases go the same way from their first level to their last; None where they cannot be asked."""
    flat = one.curve(low) == one.curve(high), other.curve(begin) == other.curve(end)
    if any(flat):
        return all(flat)
    try:
        return all(abs(one.share(low, high, x) - other.share(begin, end, x)) <= _SHAPE for x in _FRACTIONS)
    except (TypeError, ValueError, LookupError, ArithmeticError):  # a function that knows whole steps alone
        return None


def _shapes_told(one: _Form, low: int, high: int, other: _Form, begin: int, end: int) -> str:
    names = [
        next((name for name, shape in _NAMES if _follows(form, a, b, shape)), None)
        for form, a, b in ((one, low, high), (other, begin, end))
    ]
    return f": {names[1]} and not {names[0]}" if all(names) else ""


def _follows(form: _Form, low: int, high: int, shape: Callable[[float], float]) -> bool:
    if form.curve(low) == form.curve(high):
        return False
    return all(abs(form.share(low, high, x) - shape(x)) <= _SHAPE for x in _FRACTIONS)


def _is_float32(number: float) -> bool:
    from struct import pack, unpack

    return bool(unpack("f", pack("f", number))[0] == number)


def _arguments(one: Any, other: Any) -> Iterator[str]:
    """The arguments in which two values of one kind differ; innermost, and with nothing where the kinds differ."""
    if type(one) is not type(other) or not isinstance(one, Value) or isinstance(one, Lift):
        return
    if not known(*numbers(one), *numbers(other)):
        return
    for name, before in one.arguments().items():
        after = other.arguments()[name]
        if before == after:
            continue
        inner = list(_arguments(before, after))
        short = len(f"{before!r}{after!r}") < 100 and not callable(before) and not callable(after)
        yield from inner or [f"{name}={after!r} and not {before!r}" if short else f"another `{name}`"]
