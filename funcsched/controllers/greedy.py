"""`greedy`: a multiplier that rises while a metric improves and falls while it does not."""

from __future__ import annotations

from typing import NamedTuple

from funcsched.controllers.controller import Controller, as_metric, has_improved, select, worst
from funcsched.core.validation import (
    argument_error,
    concrete_nonnegative,
    concrete_nonnegative_int,
    concrete_positive_int,
    number_rule,
    one_of,
    optional,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class GreedyState(NamedTuple):
    """The state of `greedy`."""

    best: Any  # value of the metric
    bad: Any  # number of values in a row without an improvement
    good: Any  # number of improvements in a row
    cooldown: Any  # number of values that are ignored after a reduction
    warmup: Any  # number of values that are ignored after an increase
    reductions_left: Any  # at the lowest multiplier, before the reset
    multiplier: Any
    window: tuple[Any, ...]  # the last values, the newest at the end; empty without smoothing
    count: Any  # number of values in the window
    total: Any  # sum of the values in the window


class Greedy(Controller):
    __slots__ = fields = (
        *("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "warmup", "min_multiplier"),
        *("max_multiplier", "eps", "window_size", "reset_start"),
    )
    factory = "greedy"

    mode: str
    factor: float
    patience: int
    threshold: float
    threshold_mode: str
    cooldown: int
    warmup: int
    min_multiplier: float
    max_multiplier: float
    eps: float
    window_size: int | None
    reset_start: int

    def init(self) -> GreedyState:
        window = (0.0,) * (self.window_size or 0)
        return GreedyState(worst(self.mode), 0, 0, 0, 0, self.reset_start, 1.0, window, 0, 0.0)

    def update(self, state: GreedyState, value: Any) -> tuple[GreedyState, Any]:
        value = as_metric(value)
        if state.window:
            count = select(state.count < len(state.window), state.count + 1, state.count)
            total = state.total + value - state.window[0]
            state = state._replace(window=(*state.window[1:], value), count=count, total=total)
            value = total / count
        ignored = state._replace(
            bad=0,
            good=0,
            cooldown=select(state.cooldown > 0, state.cooldown - 1, state.cooldown),
            warmup=select(state.cooldown > 0, state.warmup, state.warmup - 1),
        )
        state = select((state.cooldown > 0) | (state.warmup > 0), ignored, self._counted(state, value))
        return state, state.multiplier

    def _counted(self, state: GreedyState, value: Any) -> GreedyState:
        relative, absolute = (self.threshold, 0.0) if self.threshold_mode == "rel" else (0.0, self.threshold)
        improved = has_improved(self.mode, value, state.best, relative, absolute)
        state = state._replace(
            best=select(improved, value, state.best),
            bad=select(improved, 0, state.bad + 1),
            good=select(improved, state.good + 1, 0),
        )
        changed = select(state.bad > self.patience, self._reduced(state), state)
        increased: GreedyState = select(state.good > self.patience, self._increased(state), changed)
        return increased

    def _increased(self, state: GreedyState) -> GreedyState:
        raised = state.multiplier / self.factor
        raised = select(raised < self.max_multiplier, raised, self.max_multiplier)
        multiplier = select(raised - state.multiplier > self.eps, raised, state.multiplier)
        return state._replace(multiplier=multiplier, reductions_left=self.reset_start, warmup=self.warmup, good=0)

    def _reduced(self, state: GreedyState) -> GreedyState:
        lowered = state.multiplier * self.factor
        lowered = select(lowered > self.min_multiplier, lowered, self.min_multiplier)
        multiplier = select(state.multiplier - lowered > self.eps, lowered, state.multiplier)
        left = select(multiplier > self.min_multiplier, state.reductions_left, state.reductions_left - 1)
        reduced = state._replace(multiplier=multiplier, reductions_left=left)
        state = select(left > 0, reduced, self.init())
        return state._replace(cooldown=self.cooldown, bad=0)


_mode, _threshold_mode = one_of("min", "max"), one_of("rel", "abs")
_factor = number_rule("a number above 0 and below 1", 0, 1 - 2.0**-53, above=True)


def greedy(
    *,
    mode: str = "min",
    factor: float = 0.95,
    patience: int = 10,
    threshold: float = 1e-6,
    threshold_mode: str = "abs",
    cooldown: int = 0,
    warmup: int = 0,
    min_multiplier: float = 1e-3,
    max_multiplier: float = 1.0,
    eps: float = 1e-8,
    window_size: int | None = None,
    reset_start: int = 500,
) -> Greedy:
    """A multiplier that rises while a metric improves, and falls while it does not.

    The next multiplier is ``multiplier / factor`` after more than `patience` improvements in a row, and
    ``multiplier * factor`` after more than `patience` values in a row without one. After `reset_start` reductions at
    the lowest multiplier, the state is reset and the multiplier is 1.

    Args:
        mode: whether the metric should become small ("min") or large ("max").
        factor: factor of the multiplier (float, above 0 and below 1).
        patience: number of improvements, or of values without one, in a row that are tolerated (int, 0 to 2**53).
        threshold: what counts as an improvement over the best value, as in `plateau` (float, at least 0).
        threshold_mode: "rel" or "abs".
        cooldown: number of values after a reduction that are ignored (int, 0 to 2**53).
        warmup: number of values after an increase that are ignored (int, 0 to 2**53).
        min_multiplier: lowest multiplier (float, 0 to 1). In transformers, it is ``min_lr / lr``.
        max_multiplier: highest multiplier (float, at least 1). In transformers, it is ``max_lr / lr``.
        eps: changes by at most this much are ignored (float, at least 0). In transformers, it is ``eps / lr``.
        window_size: number of values whose mean is compared (int, 1 to 2**53); in transformers with ``smooth=True``.
            None compares the values themselves.
        reset_start: number of reductions at the lowest multiplier before the reset (int, 1 to 2**53).

    Returns:
        An immutable value, as described in `plateau`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> controller = fs.greedy(factor=0.5, patience=0, max_multiplier=4)
        >>> state, multipliers = controller.init(), []
        >>> for loss in (1.0, 0.5, 0.5, 0.5):
        ...     state, multiplier = controller.update(state, loss)
        ...     multipliers.append(multiplier)
        >>> multipliers
        [2.0, 4.0, 2.0, 1.0]

    In other libraries:
        transformers: greedy, get_greedy_schedule, GreedyLR

    Source: GreedyLR of transformers 5.23; arXiv:2512.14527.
    """
    name = "greedy"
    lowest = concrete_nonnegative(name, "min_multiplier", min_multiplier)
    highest = concrete_nonnegative(name, "max_multiplier", max_multiplier)
    if lowest > 1:
        raise argument_error(name, "min_multiplier", "at most 1, the first multiplier", min_multiplier)
    if highest < 1:
        raise argument_error(name, "max_multiplier", "at least 1, the first multiplier", max_multiplier)
    return Greedy(
        _mode(name, "mode", mode),
        _factor(name, "factor", factor),
        concrete_nonnegative_int(name, "patience", patience),
        concrete_nonnegative(name, "threshold", threshold),
        _threshold_mode(name, "threshold_mode", threshold_mode),
        concrete_nonnegative_int(name, "cooldown", cooldown),
        concrete_nonnegative_int(name, "warmup", warmup),
        lowest,
        highest,
        concrete_nonnegative(name, "eps", eps),
        optional(concrete_positive_int)(name, "window_size", window_size),
        concrete_positive_int(name, "reset_start", reset_start),
    )


Greedy.defaults = greedy.__kwdefaults__ or {}
