"""A schedule that explains a log, and how simple it is."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.evidence.points import Points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Candidate:
    """A schedule and a peak value that explain every point, the ranges of its integers, and what is undetermined."""

    def __init__(
        self,
        family: str,
        schedule: Schedule,
        peak_value: float,
        ranges: dict[str, tuple[int, int]],
        words: int,
        undetermined: str = "",
    ) -> None:
        self.undetermined = undetermined
        self.family, self.schedule, self.peak_value, self.ranges = family, schedule, peak_value, ranges
        self.complexity = (words, _digits(repr(schedule)) + len(f"{peak_value:.12g}"), len(repr(schedule)))

    def is_clearly_simpler(self, other: Candidate) -> bool:
        """Whether its expression has no more arguments, and fewer of them or at least 4 digits less."""
        (words, digits, _), (other_words, other_digits, _) = self.complexity, other.complexity
        if words < other_words:
            return digits <= other_digits
        return words == other_words and digits + 4 <= other_digits


def _digits(expression: str) -> int:
    """The number of digits, without the zeros at the end of an integer: 1000 is simpler than 999."""
    from re import findall

    return sum(len(number if "." in number else number.rstrip("0")) for number in findall(r"\d+(?:\.\d+)?", expression))


def explains(schedule: Schedule, peak_value: float, points: Points) -> list[bool]:
    """For each point, whether the schedule gives its rate within the printed digits."""
    return list(_explained(schedule, peak_value, points))


def explains_all(schedule: Schedule, peak_value: float, points: Points) -> bool:
    """Whether the schedule gives every rate within the printed digits. Ends at the first one that it does not give."""
    return all(_explained(schedule, peak_value, points))


def _explained(schedule: Schedule, peak_value: float, points: Points) -> Iterator[bool]:
    slack = 4e-16 * abs(peak_value)
    for step, rate, tolerance in zip(points.steps, points.rates, points.tolerances, strict=True):
        yield abs(rate - peak_value * schedule(step)) <= tolerance * 1.000001 + slack
