"""`plateau`: a multiplier that falls when a metric has stopped improving."""

from __future__ import annotations

from typing import NamedTuple

from funcsched.controllers.controller import Controller, as_metric, has_improved, select, worst
from funcsched.core.validation import (
    argument_error,
    below_one,
    concrete_nonnegative,
    concrete_nonnegative_int,
    concrete_positive_int,
    one_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class PlateauState(NamedTuple):
    """The state of `plateau`."""

    best: Any  # value of the metric
    bad: Any  # number of values without an improvement
    cooldown: Any  # remaining number of values in the cooldown
    multiplier: Any
    count: Any = 0  # number of values in `mean`
    mean: Any = 0.0


class Plateau(Controller):
    __slots__ = fields = (
        *("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_multiplier", "eps"),
        *("absolute_threshold", "accumulation"),
    )
    factory = "plateau"

    mode: str
    factor: float
    patience: int
    threshold: float
    threshold_mode: str
    cooldown: int
    min_multiplier: float
    eps: float
    absolute_threshold: float
    accumulation: int

    def init(self) -> PlateauState:
        return PlateauState(worst(self.mode), 0, 0, 1.0)

    def update(self, state: PlateauState, value: Any) -> tuple[PlateauState, Any]:
        value = as_metric(value)
        if self.accumulation == 1:
            state = self._updated(state, value)
        else:
            count = state.count + 1
            mean = (state.count * state.mean + value) / count
            restarted = self._updated(state, mean)._replace(count=0, mean=0.0)
            state = select(count == self.accumulation, restarted, state._replace(count=count, mean=mean))
        return state, state.multiplier

    def _updated(self, state: PlateauState, value: Any) -> PlateauState:
        relative = self.threshold if self.threshold_mode == "rel" else 0.0
        absolute = self.absolute_threshold if self.threshold_mode == "rel" else self.threshold
        improved = has_improved(self.mode, value, state.best, relative, absolute)
        best = select(improved, value, state.best)
        in_cooldown = state.cooldown > 0
        bad = select(improved, 0, select(in_cooldown, 0, state.bad + 1))
        cooldown = select(in_cooldown, state.cooldown - 1, state.cooldown)
        plateaued = bad > self.patience
        reduced = state.multiplier * self.factor
        reduced = select(reduced > self.min_multiplier, reduced, self.min_multiplier)
        reduced = select(state.multiplier - reduced > self.eps, reduced, state.multiplier)
        return state._replace(
            best=best,
            bad=select(plateaued, 0, bad),
            cooldown=select(plateaued, self.cooldown, cooldown),
            multiplier=select(plateaued, reduced, state.multiplier),
        )


_mode, _threshold_mode = one_of("min", "max"), one_of("rel", "abs")


def plateau(
    *,
    mode: str = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: str = "rel",
    cooldown: int = 0,
    min_multiplier: float = 0.0,
    eps: float = 1e-8,
    absolute_threshold: float = 0.0,
    accumulation: int = 1,
) -> Plateau:
    """A multiplier that falls by a factor where a metric has stopped improving.

    The next multiplier is ``multiplier * factor`` after more than `patience` values in a row without an improvement. A
    value is an improvement over the best one if it is below ``best * (1 - threshold) - absolute_threshold`` (mode
    "min", threshold mode "rel") or ``best - threshold`` ("abs"); with mode "max" above the same with opposite signs.

    Args:
        mode: whether the metric should become small ("min") or large ("max").
        factor: factor of the multiplier (float, at least 0 and below 1).
        patience: number of values without an improvement that are tolerated (int, 0 to 2**53).
        threshold: what counts as an improvement, as above (float, at least 0).
        threshold_mode: "rel" or "abs".
        cooldown: number of values after a reduction that do not count towards `patience` (int, 0 to 2**53).
        min_multiplier: lowest multiplier (float, at least 0). In torch, it is ``min_lr / lr``.
        eps: reductions by at most this much are ignored (float, at least 0). In torch, it is ``eps / lr``.
        absolute_threshold: as above (float, at least 0). Not an argument of torch; it is `atol` in optax.
        accumulation: number of values whose mean counts as one value (int, 1 to 2**53). Not an argument of torch.

    Returns:
        An immutable value. ``init()`` is the first state, and ``update(state, value)`` is the next state and the
        multiplier. Both are pure, and work on Python numbers, on arrays, and under `jit`, `scan` and `vmap`.
        `lambda_lr` of `bridges.torch` and `scale_by_controller` of `bridges.optax` run it.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> controller = fs.plateau(factor=0.5, patience=1)
        >>> state = controller.init()
        >>> for loss in (1.0, 0.9, 0.9, 0.9):
        ...     state, multiplier = controller.update(state, loss)
        >>> multiplier
        0.5

    In other libraries:
        torch: ReduceLROnPlateau
        optax: contrib.reduce_on_plateau; its `patience` is one more
        transformers: reduce_lr_on_plateau, get_reduce_on_plateau_schedule
        Keras: ReduceLROnPlateau; its `patience` is one more
        timm: PlateauLRScheduler
        mmengine: ReduceOnPlateauLR
        fairseq: reduce_lr_on_plateau

    Source: ReduceLROnPlateau of PyTorch 2.13.
    """
    name = "plateau"
    if threshold_mode == "abs" and absolute_threshold != 0:
        requirement = "0 if `threshold_mode` is 'abs'"
        raise argument_error(name, "absolute_threshold", requirement, absolute_threshold)
    return Plateau(
        _mode(name, "mode", mode),
        below_one(name, "factor", factor),
        concrete_nonnegative_int(name, "patience", patience),
        concrete_nonnegative(name, "threshold", threshold),
        _threshold_mode(name, "threshold_mode", threshold_mode),
        concrete_nonnegative_int(name, "cooldown", cooldown),
        concrete_nonnegative(name, "min_multiplier", min_multiplier),
        concrete_nonnegative(name, "eps", eps),
        concrete_nonnegative(name, "absolute_threshold", absolute_threshold),
        concrete_positive_int(name, "accumulation", accumulation),
    )


Plateau.defaults = plateau.__kwdefaults__ or {}
