"""Hooks on an optimizer that notify a scheduler. They keep neither of the two alive."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import ref

from torch.optim import Optimizer

if TYPE_CHECKING:
    from bridges.torch.scheduler import ScheduleLR


def intercept_added_groups(optimizer: Optimizer, scheduler: ScheduleLR) -> None:
    """Replace `optimizer.add_param_group`, so that an added group follows schedules or raises an error."""
    # The optimizer holds the new function, so that has weak references, and the function of the bound method. If an
    # earlier scheduler has replaced the method, there is only a plain function.
    scheduler_ref, optimizer_ref = ref(scheduler), ref(optimizer)
    current = optimizer.add_param_group
    add = getattr(current, "__func__", None) or (lambda _, param_group: current(param_group))

    def add_param_group(param_group: dict[str, Any]) -> None:
        scheduler, optimizer = scheduler_ref(), optimizer_ref()
        assert optimizer is not None  # its `add_param_group` is running
        entries = None if scheduler is None else scheduler._schedules_of_added_group(param_group, optimizer.defaults)
        add(optimizer, param_group)
        if scheduler is not None and entries is not None:
            scheduler._follow_added_group(optimizer.param_groups[-1], entries)

    # `vars(optimizer)[...] = ...` would slow down every later access to an attribute of the optimizer.
    setattr(optimizer, "add_param_group", add_param_group)  # noqa: B010


def intercept_loading(optimizer: Optimizer, scheduler: ScheduleLR) -> None:
    """Call the scheduler before and after a state of the optimizer is loaded, which replaces the parameter groups."""
    inner = getattr(optimizer, "optimizer", optimizer)  # that of Accelerate wraps another one, and has no hooks
    scheduler_ref = ref(scheduler)

    def before(optimizer: Optimizer, state: dict[str, Any]) -> None:
        scheduler = scheduler_ref()
        if scheduler is not None:
            scheduler._before_loading_optimizer()

    def after(optimizer: Optimizer) -> None:
        scheduler = scheduler_ref()
        if scheduler is not None:
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
