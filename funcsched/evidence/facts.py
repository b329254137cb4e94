"""What a log shows before any curve is fitted: a linear rise, a final constant phase, jumps upwards."""

from __future__ import annotations

from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from funcsched.evidence.points import Points


class Facts:
    """First guesses for the parameters of families of curves.

    warmups: guesses for the end of the warmup; empty if the rate does not rise at first.
    totals: guesses for the end of the decay.
    jumps: for each sudden rise after a fall, the step before it and the step after it.
    turns: steps of the local extremes.
    """

    def __init__(self, points: Points) -> None:
        self.steps, self.rates = points.steps, points.rates
        self.tolerances = points.tolerances
        self.first, self.last = self.steps[0], self.steps[-1]
        self.low, self.high = min(self.rates), max(self.rates)
        self.warmups = self._warmups()
        hold = self._hold()
        self.is_held = hold is not None
        last = float(max(self.last, 1))
        self.totals = [hold] if hold is not None else [last, 1.3 * last, 3.0 * last]
        self.heads = self._heads()
        self.turns = self._turns()
        self.jumps = self._jumps()

    def _differs(self, i: int, k: int) -> bool:
        return abs(self.rates[i] - self.rates[k]) > self.tolerances[i] + self.tolerances[k]

    def _warmups(self) -> list[float]:
        steps, rates = self.steps, self.rates
        risen = next((i for i in range(1, len(steps)) if self._differs(i, 0)), None)
        if risen is None or rates[risen] < rates[0]:
            return []
        end = risen
        for i in range(risen + 1, len(steps)):
            if rates[i] < rates[i - 1] or not self._is_line(i):
                break
            end = i
        after = steps[min(end + 1, len(steps) - 1)]
        guesses = [(steps[end] + after) / 2, (steps[end - 1] + steps[end]) / 2, float(after)]
        peak = next(i for i in range(len(rates)) if rates[i] >= self.high - self.tolerances[i])
        if steps[peak] > 1.2 * after:
            guesses.append(float(steps[peak]))
        return [max(guess, 1.0) for guess in guesses]

    def _heads(self) -> set[str]:
        """Which warmups the first points allow: "zero" from 0, "offset" from one step, "start" from a level."""
        if not self.warmups:
            return {"none", "zero"}
        rising = [i for i, step in enumerate(self.steps) if step <= min(self.warmups)][:-1]
        heads = set()
        for head, offset in (("zero", 0), ("offset", 1)):
            low, high = 0.0, float("inf")
            for i in rising:
                count, rate, slack = self.steps[i] + offset, self.rates[i], 1.01 * self.tolerances[i]
                if count:
                    low, high = max(low, (rate - slack) / count), min(high, (rate + slack) / count)
                elif abs(rate) > slack:
                    high = -1.0
            if low <= high:
                heads.add(head)
        return heads if heads and len(rising) >= 3 else heads | {"start"}

    def _is_line(self, end: int) -> bool:
        """Whether the points up to `end` are close to the chord."""
        (a, b), (x, y) = (self.steps[0], self.steps[end]), (self.rates[0], self.rates[end])
        slope = (y - x) / max(b - a, 1)
        slack = 2 * max(self.tolerances[: end + 1])
        return all(abs(self.rates[i] - x - slope * (self.steps[i] - a)) <= slack for i in range(end))

    def _hold(self) -> float | None:
        """The middle of the interval in which the final constant phase starts."""
        i = len(self.rates) - 1
        while i and not self._differs(i - 1, len(self.rates) - 1):
            i -= 1
        return None if i >= len(self.rates) - 2 or i == 0 else (self.steps[i - 1] + self.steps[i]) / 2

    def _turns(self) -> list[int]:
        moves = [(i, self.rates[i] - self.rates[i - 1]) for i in range(1, len(self.rates)) if self._differs(i, i - 1)]
        return [self.steps[b - 1] for (_, x), (b, y) in pairwise(moves) if (x > 0) != (y > 0)]

    def _jumps(self) -> list[tuple[int, int]]:
        """Rises of at least 5% of the range that are much steeper than both neighbors, after a fall."""
        found, rates, steps = [], self.rates, self.steps
        for i in range(1, len(rates)):
            rise = rates[i] - rates[i - 1]
            fell = i >= 2 and rates[i - 1] <= rates[i - 2]
            falls = i + 1 == len(rates) or rates[i + 1] <= rates[i]
            if fell and falls and rise > 0.02 * (self.high - self.low):
                found.append((steps[i - 1], steps[i]))
        return found
