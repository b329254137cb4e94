"""Piecewise constant schedules, defined by their levels or by successive factors."""

from __future__ import annotations

import math
from bisect import bisect_right

from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    LARGEST_LEVEL,
    argument_error,
    level,
    nonnegative,
    nonnegative_int,
    require_increasing,
    sequence,
)
from funcsched.numerics.number_system import is_concrete
from funcsched.numerics.python_numbers import INTEGERS
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

# Up to this many boundaries, nested selections compile to fewer instructions than a lookup.
_MAX_SELECTIONS = 4


class PiecewiseConstant(Schedule):
    """The common part of both definitions."""

    __slots__ = ()
    uses_table = True

    boundaries: tuple[int, ...]

    def levels_in(self, xp: Any) -> tuple[Any, ...]:
        """The levels before the first boundary and from each boundary on, in a number system."""
        raise NotImplementedError

    def at(self, step: Step) -> Any:
        xp, boundaries, levels = step.xp, self.boundaries, self.levels_in(step.xp)
        if is_concrete(step.count):
            return step.full(levels[bisect_right(boundaries, step.count)])
        if len(boundaries) > _MAX_SELECTIONS and not any(map(_is_batched, boundaries)):
            return step.full(xp.lookup(levels, step.index(boundaries)))
        value = xp.level(levels[-1])
        for boundary, before in zip(reversed(boundaries), reversed(levels[:-1]), strict=True):
            value = xp.where(step.is_before(boundary), xp.level(before), value)
        return step.full(value)

    def scalar(self) -> Callable[[int], float]:
        boundaries, levels = self.boundaries, self.levels_in(INTEGERS)
        return lambda step: levels[bisect_right(boundaries, step if step > 0 else 0)]


def _is_batched(number: Any) -> bool:
    """Whether a number is an array with axes, as where `repeat` stretches a schedule by a factor for each step."""
    # `is_concrete` comes first, because torch.compile does not allow attributes of its symbolic numbers.
    return not is_concrete(number) and bool(getattr(number, "ndim", 0))


class PiecewiseLevels(PiecewiseConstant):
    __slots__ = fields = ("boundaries", "levels")
    factory = "piecewise_constant"

    levels: tuple[float, ...]

    def stretched(self, factor: Any) -> Schedule:
        return PiecewiseLevels(tuple(boundary * factor for boundary in self.boundaries), self.levels)

    def levels_in(self, xp: Any) -> tuple[Any, ...]:
        return self.levels


class PiecewiseFactors(PiecewiseConstant):
    __slots__ = ("_products", "boundaries", "factors")
    fields = ("boundaries", "factors")
    factory = "piecewise_constant"

    factors: tuple[float, ...]
    _products: tuple[float, ...] | None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        products = cumulative_products(self.factors) if is_concrete(*self.factors) else None
        object.__setattr__(self, "_products", products)

    def stretched(self, factor: Any) -> Schedule:
        return PiecewiseFactors(tuple(boundary * factor for boundary in self.boundaries), self.factors)

    def levels_in(self, xp: Any) -> tuple[Any, ...]:
        if self._products is not None:
            return self._products
        levels = [xp.level(1.0)]
        for factor in self.factors:
            levels.append(levels[-1] * factor)
        return tuple(levels)


def cumulative_products(factors: tuple[float, ...]) -> tuple[float, ...]:
    """The products of the first 0, 1, 2, ... factors, each rounded once."""
    products, numerator, denominator = [1.0], 1, 1
    for factor in factors:
        n, d = factor.as_integer_ratio()
        numerator, denominator = numerator * n, denominator * d
        try:
            products.append(numerator / denominator)  # Python divides ints to the nearest float
        except OverflowError:
            products.append(math.inf)
    return tuple(products)


def piecewise_constant(
    boundaries: Iterable[int], *, levels: Iterable[float] | None = None, factors: Iterable[float] | None = None
) -> Schedule:
    """Constant levels that change at boundaries, given directly or as successive factors.

    ``levels[i]``, or ``factors[0] * ... * factors[i - 1]``, for ``boundaries[i - 1] <= step < boundaries[i]``

    Args:
        boundaries: steps at which the level changes (ints, 0 to 2**53), increasing.
        levels: multipliers, one more than `boundaries` (floats).
        factors: factors by which the multiplier changes at each boundary, instead of `levels` (floats, at least 0).
            The first level is 1.

    Returns:
        A schedule. The products of factors are rounded once. More than a few levels are looked up in a table, so a
        thousand compile as fast as ten.

    Raises:
        TypeError, ValueError: an argument has the wrong type or length, is out of range or not increasing, or not
            exactly one of `levels` and `factors` is given.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.piecewise_constant([30, 60], factors=[0.5, 0.1])
        >>> [schedule(step) for step in (29, 30, 59, 60)]
        [1.0, 0.5, 0.5, 0.05]
        >>> fs.piecewise_constant([10, 50], levels=[0.3, 1.0, 0.6])(10)
        1.0

    In other libraries:
        optax: piecewise_constant_schedule (factors)
        torch: ConstantLR
        Composer: ConstantScheduler
        Keras: PiecewiseConstantDecay (levels); each level changes one step later, after `step <= boundary`
        big_vision: stair
        diffusers: piecewise_constant, get_piecewise_constant_schedule (step_rules)
        Scenic: piecewise_constant; each level changes one step later
        mmengine: ConstantLR, over `end - begin - 1` steps
        fvcore: StepParamScheduler, StepWithFixedGammaParamScheduler

    Source: optax.piecewise_constant_schedule and torch's MultiStepLR take factors, Keras and Scenic take levels.
    """
    name = "piecewise_constant"
    boundaries = sequence(name, "boundaries", boundaries, nonnegative_int, "integers")
    require_increasing(name, "boundaries", boundaries)
    if (levels is None) == (factors is None):
        given = "neither" if levels is None else "both"
        raise ValueError(f"{name}: exactly one of `levels` and `factors` must be given, got {given}")
    if levels is not None:
        levels = sequence(name, "levels", levels, level, "numbers")
        if len(levels) != len(boundaries) + 1:
            raise argument_error(name, "levels", f"one longer than `boundaries` ({len(boundaries)})", list(levels))
        return PiecewiseLevels(boundaries, levels)
    assert factors is not None
    factors = sequence(name, "factors", factors, nonnegative, "numbers")
    if len(factors) != len(boundaries):
        raise argument_error(name, "factors", f"as long as `boundaries` ({len(boundaries)})", list(factors))
    if is_concrete(*factors) and not max(cumulative_products(factors)) <= LARGEST_LEVEL:
        raise argument_error(name, "factors", "numbers whose products are at most 1.7e38", list(factors))
    return PiecewiseFactors(boundaries, factors)
