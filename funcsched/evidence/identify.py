"""`identify`: which schedule produced a log."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.value import Value
from funcsched.evidence.candidate import Candidate, explains
from funcsched.evidence.departure import reason_of
from funcsched.evidence.facts import Facts
from funcsched.evidence.families import FAMILIES
from funcsched.evidence.levels import identify_levels
from funcsched.evidence.points import Points, points_of
from funcsched.evidence.search import ENDS_IN_WARMUP, fit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

FEWEST = 5  # points
_FACTS = 600  # points that the first guesses use
DIGITS = 4  # a log with fewer digits does not determine a schedule
_COUNTED = "the log may count steps from 0 or from 1"


class Identified(Value):
    """The schedule of a log: the learning rate at a step is ``peak_value * schedule(step)``.

    Attributes:
        schedule: the simplest named schedule that explains the log.
        peak_value: the learning rate at multiplier 1.
        ranges: for each integer that the log does not determine, its lowest and highest possible value.
        certain: whether the log determines the schedule up to its last step: no other named schedule explains it, no
            integer has a range, and it has at least 4 digits. After the last step, the run may have gone on otherwise:
            a constant rate may be followed by a decay.
        points: number of points of the log.
        explained: how many of them the schedule explains within the printed digits.
        departure: the first step where the log leaves the schedule, or None.
        reason: the likely reason for the departure. Without a departure, why the result is not certain. Empty if it is
            certain, or if `ranges` or `others` show why it is not.
        counted_from: 0, or 1 if the log counts steps from 1: its rates are ``peak_value * schedule(step - 1)``. It is
            -1 if the log is one step ahead, because a rate was logged after ``scheduler.step()``.
        others: other schedules that explain the log as well, as (schedule, peak value).
    """

    __slots__ = fields = (
        "schedule",
        "peak_value",
        "ranges",
        "certain",
        "points",
        "explained",
        "departure",
        "reason",
        "counted_from",
        "others",
    )
    factory = "Identified"

    schedule: Schedule
    peak_value: float
    ranges: tuple[tuple[str, int, int], ...]
    certain: bool
    points: int
    explained: int
    departure: int | None
    reason: str
    counted_from: int
    others: tuple[tuple[Schedule, float], ...]

    def _repr_html_(self) -> str | None:
        from funcsched.evidence.report import described  # these are imported only in notebooks
        from funcsched.plotting.notebook import described_html

        return described_html(described("the log", self)[0], self)

    @property
    def expression(self) -> str:
        """The learning rate as text: the peak value times the schedule."""
        return f"{self.peak_value!r} * {self.schedule!r}"

    @property
    def other_names(self) -> dict[str, str]:
        """The names of the schedule in other libraries, as its documentation gives them."""
        import funcsched

        text = getattr(funcsched, self.schedule.factory).__doc__ or ""
        _, _, section = text.partition("In other libraries:\n")
        names: dict[str, str] = {}
        for line in section.partition("\n\n")[0].splitlines():
            library, colon, rest = line.strip().partition(": ")
            if colon and line.startswith("        ") and not line.startswith("            "):
                names[library] = rest
            elif names:
                names[next(reversed(names))] += " " + line.strip()
        return names


def identify(steps: Iterable[int], rates: Iterable[float]) -> Identified | None:
    """Find the simplest named schedule that explains a log of learning rates within its printed digits, or None.

    The number of digits is inferred from the rates. The log may be thinned, rounded, start late or end early.

    Args:
        steps: the steps of the log, counted from 0 (ints, 0 to 2**53), in any order.
        rates: the learning rate at each step (floats). Where one is negative, only piecewise constant schedules are
            found.

    Returns:
        A result with the schedule, its peak value, and what the log does not determine, or None if no named schedule
        explains the log or its first part, or if it has fewer than 5 points.

    Raises:
        TypeError, ValueError: an argument has the wrong type or length, or is out of range.

    Example:
        >>> import funcsched as fs
        >>> steps = range(0, 1000, 20)
        >>> result = fs.identify(steps, [float(f"{3e-4 * fs.warmup_cosine(100, 1000, end=0.1)(s):.5g}") for s in steps])
        >>> result.expression
        '0.0003 * warmup_cosine(warmup_steps=100, total_steps=1000, end=0.1)'
        >>> result.certain, result.explained
        (True, 50)
    """
    points = points_of("identify", steps, rates)
    if len(points) < FEWEST:
        return None
    # Rates such as 0.1 and 0.25 may be exact, or rounded to two digits.
    exact = points_of("identify", points.steps, points.rates, digits=DIGITS)
    is_short = exact.tolerances != points.tolerances
    for log in (exact, points) if is_short else (points, points.of_float32()):
        few_digits = f"the rates have fewer than {DIGITS} digits" if is_short and log is not exact else ""
        found, earlier = _explanations(log), []
        if log.steps[0] >= 1:  # the log may count steps from 1
            earlier = _explanations(log.counted_from(1))
        if earlier and (not found or earlier[0].is_clearly_simpler(found[0])):
            return _result([*earlier, *found], log.counted_from(1), 1, few_digits or (_COUNTED if found else ""))
        if found:
            return _result(found, log, 0, few_digits or (_COUNTED if earlier else ""))
    for log in points, points.of_float32():
        if ahead := _explanations(log.counted_from(-1)):
            return _result(ahead, log.counted_from(-1), -1)
    return _partial(points.of_float32())


def _result(
    found: list[Candidate], points: Points, counted_from: int = 0, doubt: str = "", reason: str = ""
) -> Identified:
    best, *others = found
    doubt = undetermined(best, points) or doubt
    is_explained = explains(best.schedule, best.peak_value, points)
    ranges = tuple((name, low, high) for name, (low, high) in best.ranges.items() if low != high)
    first = None if all(is_explained) else points.steps[is_explained.index(False)]
    return Identified(
        best.schedule,
        best.peak_value,
        ranges,
        not (first is not None or others or ranges or doubt),
        len(points),
        sum(is_explained),
        first,
        doubt if first is None else reason,
        counted_from,
        tuple((other.schedule, other.peak_value) for other in others),
    )


def undetermined(best: Candidate, points: Points) -> str:
    """Which part of a schedule the points do not determine, as text, or an empty string."""
    arguments, last = best.schedule.arguments(), points.steps[-1]
    warmup = arguments.get("warmup_steps", 0)
    if best.undetermined and last <= warmup:
        return ENDS_IN_WARMUP
    has_length = "total_steps" in arguments or "decay_steps" in arguments
    if best.undetermined.endswith("`end`") and has_length and best.schedule(last + 1) != best.schedule(2**53):
        return "the log ends before the decay does, so a decay of another length to another `end` has the same rates"
    if not best.undetermined and warmup and sum(step < warmup for step in points.steps) < 3:
        return "fewer than 3 points of the log are in the warmup"
    return best.undetermined


def _explanations(points: Points) -> list[Candidate]:
    """The schedules that explain every point and differ as curves, the simplest first."""
    levels = identify_levels(points.of_levels()) or identify_levels(points)
    if levels is not None:
        return [levels]
    if min(points.rates) < 0 or points.steps[0] == points.steps[-1]:
        return []
    stride = -(-len(points) // _FACTS)
    facts, sample = Facts(points.part(range(0, len(points), stride))), points.sample()
    found: list[Candidate] = []
    names: set[str] = set()
    for family in FAMILIES:
        if names.intersection(family.replaces) or family.name in names:
            continue
        candidate = fit(family, points, sample, facts)
        if candidate is not None:
            if family.name == "warmup_constant" and undetermined(candidate, points) == ENDS_IN_WARMUP:
                return [candidate]  # every schedule with this warmup explains the log
            found.append(candidate)
            names.add(family.name)
    found.sort(key=lambda candidate: candidate.complexity)
    return _distinct(found, points)


def _distinct(found: list[Candidate], points: Points) -> list[Candidate]:
    last = 2 * points.steps[-1] + 10
    steps = [*points.steps, *(last * i // 200 for i in range(201))]
    tolerance = max(points.tolerances)
    kept: list[Candidate] = []
    for candidate in found:
        values = [candidate.peak_value * candidate.schedule(step) for step in steps]
        for other in kept:
            pairs = zip(values, steps, strict=True)
            if all(abs(value - other.peak_value * other.schedule(step)) <= 2 * tolerance for value, step in pairs):
                break
        else:
            kept.append(candidate)
    return kept


def _partial(points: Points) -> Identified | None:
    """A schedule that explains the first part of a log, at least a third of it and 10 points, and then no longer."""
    for part in (0.8, 0.55, 0.35):
        count = int(part * len(points))
        if count < 10:
            return None
        beginning = points.part(range(count))
        found = _explanations(beginning)
        if not found or (len(found[0].ranges) and found[0].family in ("piecewise_constant", "multistep")):
            continue
        best = found[0]
        is_explained = explains(best.schedule, best.peak_value, points)
        if all(is_explained):
            return _result(found, points)
        index = is_explained.index(False)
        reason = reason_of(best.schedule, best.peak_value, points, index)
        if not reason and (len(found) > 1 or best.undetermined or best.complexity[1] > 30):
            return None
        return _result(found, points, reason=reason or "unknown")
    return None
