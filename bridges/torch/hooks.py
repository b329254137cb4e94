"""Hooks on an optimizer that notify its schedulers. They keep neither alive."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary, ref

from torch.optim import Optimizer

if TYPE_CHECKING:
    from bridges.torch.scheduler import ScheduleLR

    Schedulers: TypeAlias = list[ref[ScheduleLR]]

# The schedulers of each optimizer, so that it has one hook of each kind, however many schedulers are built for it.
_SCHEDULERS: WeakKeyDictionary[Optimizer, Schedulers] = WeakKeyDictionary()


def install_hooks(optimizer: Optimizer, scheduler: ScheduleLR) -> None:
    """Notify the scheduler of added parameter groups, and before and after a state of the optimizer is loaded."""
    schedulers = _SCHEDULERS.get(optimizer)
    if schedulers is None:
        _SCHEDULERS[optimizer] = schedulers = []
        _intercept_added_groups(optimizer, schedulers)
        _intercept_loading(optimizer, schedulers)
    schedulers[:] = [ref(other) for other in _alive(schedulers)] + [ref(scheduler)]


def _alive(schedulers: Schedulers) -> list[ScheduleLR]:
    return [scheduler for reference in schedulers if (scheduler := reference()) is not None]


def _intercept_added_groups(optimizer: Optimizer, schedulers: Schedulers) -> None:
    """Replace `optimizer.add_param_group`, so that an added group follows schedules or raises an error."""
    # The optimizer keeps this function alive, so it must not keep the optimizer alive: it holds a weak reference and
    # the unbound method. A method that was already replaced is a plain function, or belongs to another object.
    optimizer_ref = ref(optimizer)
    current = optimizer.add_param_group
    add: Callable[..., None] = lambda _, param_group: current(param_group)  # noqa: E731
    if getattr(current, "__self__", None) is optimizer:
        add = getattr(current, "__func__", add)

    def add_param_group(param_group: dict[str, Any]) -> None:
        optimizer = optimizer_ref()
        assert optimizer is not None  # its `add_param_group` is running
        alive = _alive(schedulers)
        entries = [scheduler._schedules_of_added_group(param_group, optimizer.defaults) for scheduler in alive]
        add(optimizer, param_group)
        for scheduler, schedules in zip(alive, entries, strict=True):
            scheduler._follow_added_group(optimizer.param_groups[-1], schedules)

    # `vars(optimizer)[...] = ...` would slow down every later access to an attribute of the optimizer.
    setattr(optimizer, "add_param_group", add_param_group)  # noqa: B010


def _intercept_loading(optimizer: Optimizer, schedulers: Schedulers) -> None:
    """Call the schedulers before and after a state of the optimizer is loaded, which replaces the parameter groups."""
    inner = getattr(optimizer, "optimizer", optimizer)  # that of Accelerate wraps another one, and has no hooks

    def before(optimizer: Optimizer, state: dict[str, Any]) -> None:
        for scheduler in _alive(schedulers):
            scheduler._before_loading_optimizer()

    def after(optimizer: Optimizer) -> None:
        for scheduler in _alive(schedulers):
            scheduler._after_loading_optimizer()

    with suppress(AttributeError):  # an optimizer that does not call the constructor of torch's has no hooks
        inner.register_load_state_dict_pre_hook(before)
        inner.register_load_state_dict_post_hook(after)


def count_replaced_step(optimizer: Optimizer) -> None:
    """Prepare an `optimizer.step` that is no method any more, such as a compiled one, for the schedulers of torch.

    Their constructor wraps a bound method to notice when it is called, and fails on any other function.
    """
    step: Callable[..., Any] = optimizer.step
    if hasattr(step, "__func__") or hasattr(step, "_wrapped_by_lr_sched"):
        return
    optimizer_ref = ref(optimizer)

    def counted_step(*args: Any, **kwargs: Any) -> Any:
        setattr(optimizer_ref(), "_opt_called", True)  # noqa: B010
        return step(*args, **kwargs)

    setattr(counted_step, "_wrapped_by_lr_sched", True)  # noqa: B010
    setattr(optimizer, "step", counted_step)  # noqa: B010
