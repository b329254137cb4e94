"""Least squares for a family of curves: levels are solved for, the other parameters are searched."""

from __future__ import annotations

from math import isfinite
from operator import mul

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from funcsched.evidence.points import Points

    Row = Callable[[int, Sequence[float]], Sequence[float]]

_TINY = 1e-300
_SINGULAR = 1e12  # variance of an unknown with a scaled column, from which on rounding errors dominate
_UNKNOWN = 1e30  # the standard deviation of such an unknown


class Problem:
    """A curve that is a sum of levels, each times a coefficient that depends on the step and on parameters.

    The first level is the peak. The others may be fixed as multiples of it (`ratios`), and the peak may be fixed too.
    """

    def __init__(self, row: Row, points: Points, levels: int) -> None:
        self.row, self.points = row, points
        self.ratios: list[float | None] = [None] * (levels - 1)
        self.peak: float | None = None
        self.direction = 1.0  # of the small changes for slopes

    def columns(self, parameters: Sequence[float]) -> tuple[Sequence[Sequence[float]], list[float]]:
        """For each point the coefficients of the free levels, and what remains of the rate for them."""
        rows, targets = [], []
        ratios, peak, row = self.ratios, self.peak, self.row
        if peak is None and ratios.count(None) == len(ratios):
            return [row(step, parameters) for step in self.points.steps], self.points.rates
        for step, rate in zip(self.points.steps, self.points.rates, strict=True):
            first, *others = row(step, parameters)
            free = []
            for coefficient, ratio in zip(others, ratios, strict=True):
                if ratio is None:
                    free.append(coefficient)
                else:
                    first += ratio * coefficient
            if peak is None:
                free.insert(0, first)
            else:
                rate -= peak * first
            rows.append(free)
            targets.append(rate)
        return rows, targets

    def free_levels(self) -> int:
        return (self.peak is None) + self.ratios.count(None)

    def solve(self, parameters: Sequence[float], weights: Sequence[float]) -> tuple[list[float], list[float]]:
        """The best levels for some parameters, and the weighted residuals."""
        rows, targets = self.columns(parameters)
        weighted = [[w * c for c in row] for row, w in zip(rows, weights, strict=True)]
        right = [w * t for t, w in zip(targets, weights, strict=True)]
        solution = least_squares(weighted, right, self.free_levels())
        residuals = [t - sum(map(mul, row, solution)) for row, t in zip(weighted, right, strict=True)]
        return solution, residuals

    def minimize(
        self,
        start: Sequence[float],
        free: Sequence[int],
        weights: Sequence[float],
        iterations: int,
        progress: float = 0.999,
    ) -> tuple[list[float], list[float], list[float]]:
        """Parameters, levels and residuals by the Levenberg-Marquardt method over the parameters in `free`."""
        parameters = list(start)
        levels, residuals = self.solve(parameters, weights)
        cost, damping = _square(residuals), 1e-3
        for _ in range(iterations if free else 0):
            slopes = [self._slope(parameters, i, weights, residuals) for i in free]
            columns = list(zip(*slopes, strict=True))
            improved = False
            for _ in range(4):
                change = least_squares(columns, [-r for r in residuals], len(free), damping)
                trial = list(parameters)
                for i, delta in zip(free, change, strict=True):
                    limit = 0.5 * abs(parameters[i]) + 1e-12
                    trial[i] = parameters[i] + min(max(delta, -limit), limit)
                trial_levels, trial_residuals = self.solve(trial, weights)
                trial_cost = _square(trial_residuals)
                if trial_cost < cost:
                    improved = trial_cost < progress * cost
                    parameters, levels, residuals, cost = trial, trial_levels, trial_residuals, trial_cost
                    damping = max(damping / 10, 1e-9)
                    break
                damping *= 20
            if not improved:
                break
        return parameters, levels, residuals

    def _slope(self, parameters: list[float], i: int, weights: Sequence[float], residuals: list[float]) -> list[float]:
        shifted = list(parameters)
        shifted[i] += (delta := self.direction * (1e-5 * abs(parameters[i]) + 1e-9))
        return [(b - a) / delta for a, b in zip(residuals, self.solve(shifted, weights)[1], strict=True)]

    def spreads(
        self, parameters: list[float], levels: list[float], free: Sequence[int], weights: Sequence[float]
    ) -> tuple[list[float], list[float]]:
        """The standard deviations of the free parameters and of the free levels."""
        rows, targets = self.columns(parameters)
        slopes = []
        for i in free:
            shifted = list(parameters)
            shifted[i] += (delta := self.direction * (1e-5 * abs(parameters[i]) + 1e-9))
            new_rows, new_targets = self.columns(shifted)
            slopes.append(
                [
                    (sum(map(mul, new, levels)) - sum(map(mul, old, levels)) - t + s) / delta
                    for old, new, s, t in zip(rows, new_rows, targets, new_targets, strict=True)
                ]
            )
        matrix = [
            [w * c for c in (*(slope[k] for slope in slopes), *row)]
            for k, (row, w) in enumerate(zip(rows, weights, strict=True))
        ]
        deviations = standard_deviations(matrix, len(free) + len(levels))
        return deviations[: len(free)], deviations[len(free) :]


def _square(residuals: list[float]) -> float:
    total = sum(map(mul, residuals, residuals))
    return total if isfinite(total) else float("inf")


def _normal_equations(rows: Sequence[Sequence[float]], count: int) -> tuple[list[list[float]], list[float]]:
    """The matrix of the normal equations with columns scaled to length 1, and the scales."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * count
    scales = [sum(map(mul, column, column)) ** 0.5 or 1.0 for column in columns]
    matrix = [[1.0] * count for _ in range(count)]
    for i in range(count):
        for k in range(i):
            matrix[i][k] = matrix[k][i] = sum(map(mul, columns[i], columns[k])) / (scales[i] * scales[k])
    return matrix, scales


def least_squares(
    rows: Sequence[Sequence[float]], right: Sequence[float], count: int, damping: float = 0.0
) -> list[float]:
    """The solution of a linear least-squares problem. A column without information gets 0."""
    if not count:
        return []
    matrix, scales = _normal_equations(rows, count)
    columns = list(zip(*rows, strict=True))
    vector = [sum(map(mul, column, right)) / scale for column, scale in zip(columns, scales, strict=True)]
    for i in range(count):
        matrix[i][i] += damping + 1e-15
    return [value / scale for value, scale in zip(_eliminate(matrix, vector), scales, strict=True)]


def standard_deviations(rows: Sequence[Sequence[float]], count: int) -> list[float]:
    """The standard deviation of each unknown, where the residuals are uniform in -1 to 1."""
    matrix, scales = _normal_equations(rows, count)
    for i in range(count):
        matrix[i][i] += 1e-15
    deviations = []
    for i in range(count):
        unit = [float(i == j) for j in range(count)]
        variance = _eliminate([list(row) for row in matrix], unit)[i]
        is_determined = 0 <= variance < _SINGULAR
        deviations.append((variance / 3) ** 0.5 / scales[i] if is_determined else _UNKNOWN)
    return deviations


def _eliminate(matrix: list[list[float]], vector: list[float]) -> list[float]:
    """Gaussian elimination with pivots."""
    count, vector = len(vector), list(vector)
    for i in range(count):
        pivot = max(range(i, count), key=lambda k: abs(matrix[k][i]))
        matrix[i], matrix[pivot], vector[i], vector[pivot] = matrix[pivot], matrix[i], vector[pivot], vector[i]
        divisor = matrix[i][i] or _TINY
        for k in range(i + 1, count):
            factor = matrix[k][i] / divisor
            if factor:
                matrix[k] = [a - factor * b for a, b in zip(matrix[k], matrix[i], strict=True)]
                vector[k] -= factor * vector[i]
    for i in reversed(range(count)):
        known = sum(matrix[i][k] * vector[k] for k in range(i + 1, count))
        vector[i] = (vector[i] - known) / (matrix[i][i] or _TINY)
    return vector
