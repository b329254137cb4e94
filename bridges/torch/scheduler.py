"""`lambda_lr`: a scheduler for all hyperparameters that supports added parameter groups and checks checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from math import isclose
from typing import Any, Literal
from weakref import ref

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from bridges.torch.hyperparameters import (
    Hyperparameter,
    KeySchedule,
    ValueSchedule,
    find_difference,
    require_keys,
    schedules_by_key,
    to_data,
    value_at,
)
from bridges.torch.lr_lambda import to_lr_lambda
from funcsched.analysis.checkpoint import on_mismatch_rule, raise_or_warn
from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error, concrete_nonnegative_int

_SCHEDULES = "schedules"  # the key in a state dict that describes the schedules
_NOT_SAVED = ("_schedules", "_shared", "_on_mismatch")  # attributes that a state dict leaves out
_TOLERANCE = 1e-6  # relative; a base rate may be a float32 tensor in one run and a Python float in the other


def lambda_lr(
    optimizer: Optimizer,
    schedule: Schedule | Callable[[int], float] | Sequence[Schedule | Callable[[int], float]],
    *,
    hyperparameters: Mapping[str, Hyperparameter | list[Hyperparameter]] | None = None,
    step: int = 0,
    on_mismatch: Literal["raise", "warn"] = "raise",
) -> ScheduleLR:
    """A torch scheduler for the learning rate and other hyperparameters, from the start or from any step.

    Args:
        optimizer: the learning rates of its parameter groups are the base rates. If a group has an `initial_lr`
            (because a scheduler has used it before, possibly before a checkpoint was saved), that is its base rate.
        schedule: one schedule (or function of a step) for the learning rates of all parameter groups, or a list of one
            for each group.
        hyperparameters: schedules of other hyperparameters by their keys in the parameter groups, such as
            ``{"weight_decay": schedule, "betas": (None, schedule)}``. A schedule multiplies the initial value in the
            group (stored there as `initial_weight_decay`); a `Rated` pair sets the value to
            ``peak_value * schedule(step)``. A key with several values, such as `betas`, takes a tuple, with None for a
            value that stays fixed. A list has one entry for each group.
        step: number of updates already made (int, 0 to 2**53).
        on_mismatch: what `load_state_dict` does with a state that was saved with other schedules: "raise" an error, or
            "warn" and continue with the schedules given here.

    Returns:
        A scheduler at `step`: the next update runs at ``base rate * schedule(step)``, whether or not the state of the
        optimizer was loaded before. Call its `step()` in the batch loop, after `optimizer.step()`. Its `state_dict()`
        is plain data that includes a description of the schedules. Loading one sets the values of its step. A group
        that is added later with `optimizer.add_param_group` follows the same schedules from then on; if lists were
        given, adding a group raises an error.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, a list does not have one entry for
            each group, or a key is not in a group or does not hold numbers. The optimizer is left unchanged.

    Example:
        >>> import funcsched as fs, torch
        >>> from bridges.torch import lambda_lr
        >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5, weight_decay=0.25)
        >>> curve = fs.warmup_linear(10, 100)
        >>> scheduler = lambda_lr(optimizer, curve, hyperparameters={"weight_decay": curve}, step=55)
        >>> scheduler.get_last_lr(), optimizer.param_groups[0]["weight_decay"]
        ([0.25], 0.125)
    """
    if not isinstance(optimizer, Optimizer):
        raise argument_error("lambda_lr", "optimizer", "a torch optimizer", optimizer, TypeError)
    schedules, shared = schedules_by_key(optimizer.param_groups, schedule, hyperparameters)
    step = concrete_nonnegative_int("lambda_lr", "step", step)
    on_mismatch_rule("lambda_lr", "on_mismatch", on_mismatch)
    return ScheduleLR(optimizer, schedules, shared, step, on_mismatch)


class ScheduleLR(LambdaLR):
    """A `LambdaLR` for all hyperparameters that checks the schedules of a checkpoint; see `lambda_lr`."""

    def __init__(
        self,
        optimizer: Optimizer,
        schedules: dict[str, list[KeySchedule]],
        shared: bool,
        step: int,
        on_mismatch: Literal["raise", "warn"],
    ) -> None:
        self._schedules = schedules  # for each key a list with one entry per parameter group
        self._shared = shared  # whether all groups, added ones included, follow the same schedules
        self._on_mismatch = on_mismatch
        for group in optimizer.param_groups:
            self._store_initial_values(group)
        lambdas = [to_lr_lambda(entry.schedule) for entry in schedules["lr"] if isinstance(entry, ValueSchedule)]
        # The constructor of LambdaLR makes one step, so it starts one step earlier (at -1, its default, for step 0).
        super().__init__(optimizer, lambdas, last_epoch=step - 1)
        self._intercept_added_groups(optimizer)

    def step(self, epoch: int | None = None) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.lr_lambdas):  # changed without `add_param_group`, or after unpickling
            requirement, fix = f"the {len(self.lr_lambdas)} that have schedules", "use `optimizer.add_param_group`"
            raise argument_error("step", "param_groups", requirement, len(groups), fix=fix)
        if self._step_count < 2 or epoch is not None:
            super().step(epoch)  # torch's own checks of the order of the first calls
        else:
            self._step_count += 1
            self.last_epoch += 1
            self._set_rates()
        self._set_hyperparameters()

    def state_dict(self) -> dict[str, Any]:
        """Plain data: the step, and a description of the schedules as JSON."""
        # torch.distributed.checkpoint loads into this dict in place, entry by entry. So its lists and tensors are
        # copies. The schedules are one string, because the structure of their description may differ between runs.
        state = {key: _copy(value) for key, value in super().state_dict().items() if key not in _NOT_SAVED}
        data = {key: list(map(to_data, entries)) for key, entries in self._schedules.items()}
        return {**state, _SCHEDULES: json.dumps(data)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue at the step of a state, and set the values of that step.

        The schedules and base rates of this scheduler never change. A state with others raises an error, or with
        ``on_mismatch="warn"`` a warning. It can be loaded before or after the state of the optimizer.

        Raises:
            ValueError: the state has other schedules, base rates or another number of groups, does not describe its
                schedules, or its step is not an integer. Nothing is changed.
            TypeError: `state_dict` is not a mapping, or its step is not a number.
        """
        name = "load_state_dict"
        if not isinstance(state_dict, Mapping):
            raise argument_error(name, "state_dict", "the state of a scheduler", state_dict, TypeError)
        step = concrete_nonnegative_int(name, "last_epoch", state_dict.get("last_epoch"))
        if differences := self._differences(state_dict, step):
            raise_or_warn(f"{name}: {'; '.join(differences)}", self._on_mismatch)
        self.last_epoch, self._step_count = step, step + 1
        self._set_rates()
        self._set_hyperparameters()

    def _differences(self, state: Mapping[str, Any], step: int) -> list[str]:
        """How a run that continues from this state would differ from the saved run."""
        saved, groups = _from_json(state.get(_SCHEDULES)), self.optimizer.param_groups
        if not isinstance(saved, dict) or not all(isinstance(entries, list) for entries in saved.values()):
            return [
                "the state does not describe its schedules, because it was not saved by a scheduler of `lambda_lr`; "
                f"to resume without it, use `lambda_lr(optimizer, schedule, step={step})`"
            ]
        if set(saved) != set(self._schedules):
            old, new = (", ".join(map(repr, sorted(keys))) for keys in (saved, self._schedules))
            return [f"the scheduled hyperparameters differ (checkpoint: {old}; current: {new})"]
        if len(saved["lr"]) != len(groups):
            return [f"the numbers of parameter groups differ (checkpoint: {len(saved['lr'])}; current: {len(groups)})"]
        found = []
        for key, entries in self._schedules.items():
            for i, (old, entry, group) in enumerate(zip(saved[key], entries, groups, strict=True)):
                difference = find_difference(key, old, entry, group[f"initial_{key}"], step)
                if difference is not None:
                    name = f"{key!r} of group {i}"
                    found.append(f"the checkpoint was made with a different schedule for {name}: {difference}")
        for i, (base, own) in enumerate(zip(state.get("base_lrs", []), self.base_lrs, strict=False)):
            if not isclose(base, own, rel_tol=_TOLERANCE):
                values = f"checkpoint: {float(base):g}; current: {float(own):g}"
                found.append(f"the base rates of group {i} differ ({values})")
        return found

    def _store_initial_values(self, group: dict[str, Any]) -> None:
        """Store the values that schedules multiply in the group, like `initial_lr`: the optimizer saves them."""
        for key in self._schedules:
            group.setdefault(f"initial_{key}", _copy(group[key]))

    def _set_rates(self) -> None:
        step, rates = self.last_epoch, []
        for group, base, multiplier in zip(self.optimizer.param_groups, self.base_lrs, self.lr_lambdas, strict=True):
            rate = base * multiplier(step)
            if type(group["lr"]) is float and type(rate) is float:  # the fast path of a training loop
                group["lr"] = rate
            else:
                _assign(group, "lr", rate)
                rate = _copy(group["lr"])
            rates.append(rate)
        self._last_lr = rates

    def _set_hyperparameters(self) -> None:
        for key, entries in self._schedules.items():
            if key == "lr":
                continue
            for group, entry in zip(self.optimizer.param_groups, entries, strict=True):
                if entry is not None:
                    _assign(group, key, value_at(entry, group[f"initial_{key}"], self.last_epoch))

    def _intercept_added_groups(self, optimizer: Optimizer) -> None:
        """Replace `optimizer.add_param_group`, so that an added group follows the schedules or raises an error."""
        # The optimizer holds the new function, which must keep neither object alive. So it has weak references, and the
        # function of the bound method. If an earlier scheduler has replaced the method, there is only a plain function.
        scheduler_ref, optimizer_ref = ref(self), ref(optimizer)
        current = optimizer.add_param_group
        add = getattr(current, "__func__", None) or (lambda _, param_group: current(param_group))

        def add_param_group(param_group: dict[str, Any]) -> None:
            scheduler, optimizer = scheduler_ref(), optimizer_ref()
            assert optimizer is not None  # its `add_param_group` is running
            if scheduler is not None:
                scheduler._check_added_group(param_group, optimizer.defaults)
            add(optimizer, param_group)
            if scheduler is not None:
                scheduler._follow_added_group(optimizer.param_groups[-1])

        # `vars(optimizer)[...] = ...` would slow down every later access to an attribute of the optimizer.
        setattr(optimizer, "add_param_group", add_param_group)  # noqa: B010

    def _check_added_group(self, group: dict[str, Any], defaults: dict[str, Any]) -> None:
        if not self._shared:
            requirement = "added before `lambda_lr` is called with one schedule per group"
            raise argument_error("add_param_group", "param_group", requirement, sorted(group))
        require_keys({key: entries[:1] for key, entries in self._schedules.items()}, [{**defaults, **group}])

    def _follow_added_group(self, group: dict[str, Any]) -> None:
        """Apply the shared schedules to an added group, from the current step on."""
        self._store_initial_values(group)
        for entries in self._schedules.values():
            entries.append(entries[0])
        base, multiplier = _copy(group["initial_lr"]), self.lr_lambdas[0]
        self.base_lrs.append(base)
        self.lr_lambdas.append(multiplier)
        _assign(group, "lr", base * multiplier(self.last_epoch))
        self._last_lr.append(_copy(group["lr"]))
        self._set_hyperparameters()


def _from_json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None


def _copy(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return type(value)(_copy(item) for item in value)
    return value.clone() if isinstance(value, Tensor) else value


def _assign(group: dict[str, Any], key: str, value: Any) -> None:
    group[key] = _updated(group[key], value)


def _updated(current: Any, value: Any) -> Any:
    """`value` as the new state of `current`. Tensors are filled in place, because compiled steps hold them."""
    if isinstance(current, (tuple, list)):
        return type(current)(_updated(old, new) for old, new in zip(current, value, strict=True))
    if isinstance(current, Tensor):
        if current is not value:
            current.fill_(value.squeeze() if isinstance(value, Tensor) else value)
        return current
    return value
