"""Why two curves part: the reasons that are tried, and what is told of each."""

from __future__ import annotations

from itertools import pairwise

from funcsched.analysis.checkpoint import DENSE_STEPS, LAST_STEP, is_close
from funcsched.analysis.sampling import Curve, bisected, distance, highest, horizon
from funcsched.core.schedule import Lift
from funcsched.core.value import Value, leaves
from funcsched.numerics.number_system import is_concrete
from funcsched.shapes.formulas import cosine, linear, power, reverse, rex, sine, sqrt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

ROUNDING = 2.0**-46  # of the peak: what ways to compute one curve in float64 differ by
_FLOAT32 = 2.0**-20
_SHAPE = 1e-6  # of the way from one end to the other
_MOVED = 8  # shifts that are tried, beside those that the peaks and the ends suggest
_LEAST = 1e-9  # a factor: below, all that is compared is rounding
_FEW = 3  # steps that are told one by one


def apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many digits as tell them apart."""
    for digits in range(6, 17):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(one), repr(other)


def plural(steps: int) -> str:
    """A number of steps in words."""
    return "one step" if steps == 1 else f"{steps} steps"


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
        slack = ROUNDING * self.peak
        self.plain = all(
            a <= b + slack if after <= self.rise else b <= a + slack
            for before, after in pairwise(sorted({*looked, self.rise}))
            for a, b in [(curve(before), curve(after))]
        )

    def again(self, looked: list[int]) -> int | None:
        """The first step after the peak at which the curve is higher than before; None where it never is."""
        slack = ROUNDING * self.peak
        for before, after in pairwise(step for step in looked if step >= self.rise):
            floor = self.curve(before) + slack

            def higher(step: int, floor: float = floor) -> bool:
                return self.curve(step) > floor

            if higher(after):
                return bisected(before, after, higher)
        return None

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


class Reasons:
    """The reasons that are tried, simple ones first; each is told only if the numbers bear it out."""

    def __init__(self, one: Curve, other: Curve, looked: list[int], parting: int, largest: int) -> None:
        self.one, self.other, self.looked = one, other, looked
        self.parting, self.largest = parting, largest
        self.last = looked[-1]
        self.difference = distance(one, other, largest)
        self.peak = max(max(abs(one(step)), abs(other(step))) for step in looked)
        # Far below what is to be explained, and not below what rounding leaves.
        lower = min(max(abs(curve(step)) for step in looked) for curve in (one, other)) or self.peak
        self.near = max(ROUNDING * self.peak, min(_SHAPE * lower, 1e-3 * self.difference))

        self.far_apart = [step for step in looked if distance(one, other, step) >= self.difference / 2]

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
        return "; ".join([*self.facts(), *self.rises()]) or "no simple reason found"

    def explains(
        self, value: Callable[[int], float], low: int = 0, high: int | None = None, of: Curve | None = None
    ) -> bool:
        """Whether the second, or another, is this other curve, where the first is not."""
        high, curve = self.last if high is None else high, self.other if of is None else of
        if not any(low <= step <= high for step in self.far_apart):
            return False
        few = (self.largest, self.parting, *self.looked[:: max(len(self.looked) // 50, 1)])
        return all(
            abs(value(step) - curve(step)) <= self.near
            for some in (few, self.looked)
            for step in some
            if low <= step <= high
        )

    def rounding(self) -> str | None:
        if self.difference <= ROUNDING * self.peak:
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
        if len({*map(self.one, self.looked)}) == 1:  # what does not move is not seen to be moved
            return None
        shifts = {k for i in range(1, _MOVED + 1) for k in (i, -i)} | {first.rise - second.rise}
        if first.horizon is not None and second.horizon is not None:
            shifts.add(first.horizon - second.horizon)
        times = "" if factor == 1.0 else f"times {factor:g}, "
        for k in sorted(shifts - {0}, key=abs):
            if abs(k) > self.last // 2:
                continue
            told = f"the second is the first, {times}{plural(abs(k))} {'earlier' if k > 0 else 'later'}"
            # Past the last step nothing is known of the first.
            high = self.last - k if k > 0 and self.last < LAST_STEP else self.last

            def value(step: int, k: int = k) -> float:
                return factor * self.one(step + k)

            if self.explains(value, 0, high):
                return told + ": it has no warmup" * (k == first.rise and second.rise == 0)
            # Where they are the same up to there, the second is a repetition.
            if k < 0 and self.parting < -k and self.explains(value, -k, high):
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
            if not is_close(self.one(step), self.other(step)):
                steps.append(step)
                if len(steps) > _FEW or step >= DENSE_STEPS:
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
        for name, free, bound in (
            ("second is the first", self.one, self.other),
            ("first is the second", self.other, self.one),
        ):
            if not self.curved(free):
                continue
            low, high = min(map(bound, self.looked)), max(map(bound, self.looked))
            if low == high:
                continue

            def raised(step: int, free: Curve = free, low: float = low) -> float:
                return max(free(step), low)

            def lowered(step: int, free: Curve = free, high: float = high) -> float:
                return min(free(step), high)

            if low > 0 and self.explains(raised, of=bound):
                return f"the {name}, but never below {low:g}"
            if self.explains(lowered, of=bound):
                return f"the {name}, but never above {high:g}"
        return None

    def mapped(self) -> str | None:
        if not self.curved(self.one):
            return None
        bottom, top = min(self.looked, key=self.one), self.form.rise
        slope = (self.other(top) - self.other(bottom)) / (self.form.peak - self.one(bottom))
        base = self.other(bottom) - slope * self.one(bottom)
        if slope and self.explains(lambda step: base + slope * self.one(step)):
            sign, factor = ("plus" if slope > 0 else "minus"), "" if abs(slope) == 1 else f"{abs(slope):g} times "
            return f"the second is {base:g} {sign} {factor}the first"
        return None

    def curved(self, curve: Curve) -> bool:
        """Whether a curve has more values than two numbers could fit by chance."""
        seen = set()
        for step in self.looked:
            seen.add(curve(step))
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

    def rises(self) -> Iterator[str]:
        """Where one of the two rises again after its peak, and the other does not, or at another step."""
        first, second = self.form.again(self.looked), self.form_of_other.again(self.looked)
        if first is None and second is not None:
            yield f"the second rises again at step {second}, the first never"
        elif second is None and first is not None:
            yield f"the first rises again at step {first}, the second never"
        elif first != second:
            yield f"the second rises again at step {second} and not {first}"

    def ends(self, first: _Form, second: _Form) -> Iterator[str]:
        one, other = first.rest - first.rise, second.rest - second.rise
        if first.rise == first.horizon and second.rise == second.horizon:  # the peak is held for ever
            return
        falls = all(form.horizon is not None and form.horizon > form.rise for form in (first, second))
        length = min(first.horizon - first.rest, second.horizon - second.rest) if falls else 0  # type: ignore[operator]
        # A flat top of a few steps out of very many is rounding.
        if falls and length and one != other and max(one, other) > length * 1e-6:
            if not other:
                yield f"the second does not hold its peak, the first does for {plural(one)}"
            elif not one:
                yield f"the second holds its peak for {plural(other)}, the first does not"
            else:
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
    if not is_concrete(*leaves(one), *leaves(other)):
        return
    for name, before in one.arguments().items():
        after = other.arguments()[name]
        if before == after:
            continue
        rows = [row if isinstance(row, tuple) else (row,) for row in (before, after)]
        pairs = zip(*rows, strict=True) if len(rows[0]) == len(rows[1]) else ()
        inner = [told for pair in pairs for told in _arguments(*pair)]
        short = len(f"{before!r}{after!r}") < 100 and not callable(before) and not callable(after)
        yield from inner or [f"{name}={after!r} and not {before!r}" if short else f"another `{name}`"]
