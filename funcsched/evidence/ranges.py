"""The integers that a log leaves open."""

from __future__ import annotations

from funcsched.evidence.family import INTEGER, RATE, Family
from funcsched.evidence.fitting import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def ranges_of(
    family: Family, problem: Problem, weights: Sequence[float], parameters: list[float]
) -> dict[str, tuple[int, int]]:
    """For each integer, the lowest and highest value that the log allows if the other numbers are adapted."""
    kinds = [kind for _, kind in family.parameters]
    integers = [i for i, kind in enumerate(kinds) if kind == INTEGER]
    adapted = [*(i for i, kind in enumerate(kinds) if kind == RATE), *integers]

    def extreme(i: int, sign: int) -> int:
        return _extreme(problem, weights, parameters, i, sign, [k for k in adapted if k != i])

    return {family.parameters[i][0]: (extreme(i, -1), extreme(i, 1)) for i in integers}


def _extreme(
    problem: Problem, weights: Sequence[float], parameters: list[float], i: int, sign: int, others: list[int]
) -> int:
    """The last integer in a direction with which the other integers, at their best values, explain the log."""
    value = round(parameters[i])

    def allows(distance: int) -> bool:
        trial = list(parameters)
        trial[i] = float(value + sign * distance)
        if trial[i] < 0:
            return False
        _, _, residuals = problem.minimize(trial, others, weights, 4)
        return max(map(abs, residuals)) <= 1.05

    reach = 1
    if not allows(1):
        return value
    while reach < max(2 * value, 16) and allows(2 * reach):
        reach *= 2
    low, high = reach, 2 * reach
    while high - low > 1:
        middle = (low + high) // 2
        if allows(middle):
            low = middle
        else:
            high = middle
    return value + sign * low
