"""`lambda_lr`: a scheduler for all hyperparameters that supports added parameter groups and checks checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import inf, isclose
from typing import Any, Literal

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from bridges.arguments import instance_of
from bridges.rated import Rated
from bridges.torch.description import Difference, describe, find_differences, ways_to_continue
from bridges.torch.external import find_changes, is_own_rate, kept_factor, mark, on_external_change_rule, warning
from bridges.torch.hooks import count_replaced_step, install_hooks
from bridges.torch.hyperparameters import (
    BaseValue,
    Hyperparameter,
    KeySchedule,
    ScheduleLike,
    ValueSchedule,
    base_values_by_key,
    require_keys,
    schedules_by_key,
    schedules_of_added_group,
    value_at,
    without_peaks,
)
from bridges.torch.lr_lambda import to_lr_lambda
from bridges.torch.metric import Metric
from bridges.torch.plan import arguments_of_plan
from bridges.torch.values import assign, copied, updated
from funcsched.analysis.checkpoint import on_mismatch_rule, warn
from funcsched.controllers.controller import Controller
from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error, concrete_nonnegative_int, optional
from funcsched.plans.plan import Plan

_SCHEDULES = "schedules"  # the key in a state dict that describes the schedules and base values
_ACTIVE = "active"  # the key for whether this scheduler set the rates, or another one of a SequentialLR
_FACTORS = "factors"  # the key in a state dict for the changes of the rate that are kept
_METRIC = "metric"  # the key in a state dict for the controller and its state
_epoch = optional(concrete_nonnegative_int)
_controller = optional(instance_of(Controller, "a controller, such as fs.plateau(), or None"))
_ROUNDING = 2.0**-50  # relative


def lambda_lr(
    optimizer: Optimizer,
    schedule: Schedule | Rated | Plan | Callable[[int], float] | Sequence[Schedule | Rated | Callable[[int], float]],
    *,
    hyperparameters: Mapping[str, Hyperparameter | list[Hyperparameter]] | None = None,
    step: int = 0,
    base_values: Mapping[str, BaseValue | list[BaseValue]] | None = None,
    on_mismatch: Literal["raise", "warn"] = "raise",
    on_external_change: Literal["warn", "keep", "overwrite"] = "warn",
    controller: Controller | None = None,
) -> ScheduleLR:
    """A torch scheduler for the learning rate and other hyperparameters, from the start or from any step.

    ``lr = base rate * schedule(step) * lr_scale``, where `lr_scale` is an optional entry of the parameter group, as
    timm's optimizers use it for layer-wise decay.

    Args:
        optimizer: the learning rates of its parameter groups are the base rates. If a group has an `initial_lr`
            (because a scheduler has used it before, possibly before a checkpoint was saved), that is its base rate.
        schedule: one schedule (or function of a step) for the learning rates of all parameter groups, or a list of one
            for each group. A `Rated`, or a list of them as `from_lr_scheduler` returns it, also replaces the base rates
            by its peak values. A `Plan` that counts updates sets the learning rates to its curve "lr", whatever the
            rates of the groups, and every hyperparameter that has the name of a curve to that curve. A value of 0 in
            some of the groups, such as a weight decay that is off, stays 0. Curves that are not in every group, such as
            a batch size, are left to the training loop, which reads them from ``plan.at(step)``.
        hyperparameters: schedules of other hyperparameters by their keys in the parameter groups, such as
            ``{"weight_decay": schedule, "betas": (None, schedule)}``. A schedule multiplies the initial value in the
            group (stored there as `initial_weight_decay`); a `Rated` pair sets the value to
            ``peak_value * schedule(step)``. A key with several values, such as `betas`, takes a tuple, with None for a
            value that stays fixed. A list has one entry for each group.
        step: number of updates already made (int, 0 to 2**53).
        base_values: new base values of scheduled keys, such as ``{"lr": 3e-5}``: a number (for betas a tuple of
            numbers), or a list with one for each group. They replace the initial values in the groups and in a
            checkpoint, whether the state of the optimizer is loaded before or after.
        on_mismatch: what `load_state_dict` does with a state that was saved with other schedules or base values:
            "raise" an error, or "warn" and continue with the values given here.
        on_external_change: what `step()` does after other code (`ReduceLROnPlateau`, another scheduler, an assignment)
            changed a learning rate. "warn" sets the rate of the schedule, and warns once. "keep" multiplies the rate of
            the group by ``changed rate / previous rate`` from then on; several changes multiply, and the state has the
            product. If the rate was 0, there is no ratio, so `step()` raises a ValueError, unless the rate is still 0.
            A rate that is set to 0 before the first `step()` is not kept. "overwrite" sets the rate of the schedule
            silently. Loading a state is not such a change.
        controller: a multiplier of the learning rates that follows a metric, such as `funcsched.plateau()`. A call
            ``step(metric=loss)`` gives it the next value; `step()` leaves its multiplier as it is.

    Returns:
        A scheduler at `step`: the next update runs at ``base rate * schedule(step)``, whether or not the state of the
        optimizer was loaded before. Call its `step()` in the batch loop, after `optimizer.step()`. Its `state_dict()`
        is plain data that includes a description of the schedules and base values. Loading one sets the values of its
        step. A group that is added later with `optimizer.add_param_group` follows the same schedules from then on. With
        `scheduler.add_param_group` it can have its own.

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
    instance_of(Optimizer, "a torch optimizer")("lambda_lr", "optimizer", optimizer)
    if isinstance(schedule, Plan):
        schedule, hyperparameters = arguments_of_plan(optimizer, schedule, hyperparameters)
    schedule, peaks = without_peaks(schedule)
    schedules, shared = schedules_by_key(optimizer.param_groups, schedule, hyperparameters)
    step = concrete_nonnegative_int("lambda_lr", "step", step)
    replaced = base_values_by_key(optimizer.param_groups, schedules, base_values, peaks)
    on_mismatch_rule("lambda_lr", "on_mismatch", on_mismatch)
    on_external_change_rule("lambda_lr", "on_external_change", on_external_change)
    _controller("lambda_lr", "controller", controller)
    scheduler = ScheduleLR(optimizer, schedules, shared, step, replaced, on_mismatch, on_external_change)
    scheduler._metric = None if controller is None else Metric(controller)
    scheduler._rate_of_added = peaks if isinstance(peaks, float) else None
    scheduler._replaced = set(base_values or ())  # the peaks are compared with those of a checkpoint
    return scheduler


class ScheduleLR(LambdaLR):
    """A `LambdaLR` for all hyperparameters that checks the schedules of a checkpoint; see `lambda_lr`.

    Its repr has the schedules and the step. `from_lr_scheduler` returns the schedules of the learning rates.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedules: dict[str, list[KeySchedule]],
        shared: dict[str, KeySchedule],
        step: int,
        base_values: Mapping[str, Sequence[BaseValue]],
        on_mismatch: Literal["raise", "warn"],
        on_external_change: Literal["warn", "keep", "overwrite"],
    ) -> None:
        self._schedules = schedules  # for each key a list with one entry per parameter group
        self._shared = shared  # the schedules that an added group follows
        self._replaced: set[str] = set()  # keys with explicit base values, which may differ from those of a checkpoint
        self._on_mismatch, self._on_external_change = on_mismatch, on_external_change
        self._metric: Metric | None = None
        self._rate_of_added: float | None = None  # the base rate of added groups, if there is one peak
        self._warned = False  # of external changes
        self._schedules_of_next_group: dict[str, KeySchedule] | None = None  # set by `add_param_group`
        self._resets_loaded = False  # whether to set the values again after a state of the optimizer was loaded
        self._loaded: list[dict[str, Any]] = []  # the values of a loaded state of the optimizer that were set again
        self._verified_step: int | None = None  # of a loaded state with the same schedules and base values
        groups = optimizer.param_groups
        for i, group in enumerate(groups):
            self._store_base_values(group, {key: values[i] for key, values in base_values.items()})
        # The scheduler has its own copy, because loading a state of the optimizer replaces that in the groups.
        self._base_values = {key: [copied(group[f"initial_{key}"]) for group in groups] for key in schedules}
        self._last_lr: list[Any] = []  # as `step` set them last
        self._factors = [1.0 for _ in groups]  # the external changes that are kept
        self._tensors: dict[int, Any] = {}  # the marks of rates in tensors by group
        lambdas = [to_lr_lambda(entry.schedule) for entry in schedules["lr"] if isinstance(entry, ValueSchedule)]
        count_replaced_step(optimizer)
        # The constructor of LambdaLR makes one step, so it starts one step earlier (at -1, its default, for step 0).
        super().__init__(optimizer, lambdas, last_epoch=step - 1)
        self.base_lrs = self._base_values["lr"]  # the same list, which `_follow_added_group` extends
        install_hooks(optimizer, self)

    def __repr__(self) -> str:
        shown = {key: self._shared.get(key, entries) for key, entries in self._schedules.items()}
        schedule = shown.pop("lr")
        others = f", hyperparameters={shown}" if shown else ""
        return f"{type(self).__name__}({schedule}{others}, step={max(self.last_epoch, 0)})"

    def step(self, epoch: int | None = None, *, metric: Any = None) -> None:
        """Set the values of the next step.

        Args:
            epoch: the step itself instead of the next one (int, 0 to 2**53; deprecated in torch). Must be None with a
                controller.
            metric: the next value of the metric that the controller follows (float, or a tensor with one element).

        Raises:
            TypeError, ValueError: an argument is invalid, `metric` is given without a controller, or the parameter
                groups were changed without `add_param_group`.
        """
        groups = self.optimizer.param_groups
        if len(groups) != len(self.lr_lambdas):  # changed without `add_param_group`
            requirement, fix = f"the {len(self.lr_lambdas)} that have schedules", "use `optimizer.add_param_group`"
            raise argument_error("step", "param_groups", requirement, len(groups), fix=fix)
        if epoch is not None and self._metric is not None:
            raise argument_error("step", "epoch", "None", epoch, TypeError, fix="use `step(metric=...)` for a metric")
        epoch = _epoch("step", "epoch", epoch)
        if metric is not None and self._metric is None:
            fix = "use `lambda_lr(..., controller=fs.plateau())`"
            raise argument_error("step", "metric", "None, because the scheduler has no controller", metric, fix=fix)
        if self._step_count:  # otherwise the constructor sets the first rates
            for group, last in zip(groups, self._last_lr):  # noqa: B905 (`strict` is slow)
                if group["lr"] is not last:  # a tensor, or a rate that other code has set
                    self._handle_external_changes()
                    break
        if metric is not None and self._metric is not None:
            self._metric.update(metric)
        if self._step_count < 2 or epoch is not None:
            super().step(epoch)  # torch's own checks of the order of the first calls
        else:
            self._step_count += 1
            self.last_epoch += 1
        self._set_values()

    def get_last_lr(self) -> list[float | Tensor]:
        """The learning rates that `step` set last, as a copy: `step` compares the original with the rates in use."""
        return [copied(rate) for rate in self._last_lr]

    def get_lr(self) -> list[float | Tensor]:
        """The learning rates of the current step."""
        step, rates = self.last_epoch, []
        common = 1.0 if self._metric is None else self._metric.multiplier
        for i, group in enumerate(self.optimizer.param_groups):
            multiplier = self.lr_lambdas[i](step) * (self._factors[i] * common)
            rates.append(self.base_lrs[i] * (multiplier * group["lr_scale"] if "lr_scale" in group else multiplier))
        return rates

    def add_param_group(
        self,
        group: dict[str, Any],
        schedule: ScheduleLike | None = None,
        hyperparameters: Mapping[str, Hyperparameter] | None = None,
    ) -> None:
        """Add a parameter group to the optimizer, with separate schedules from the current step on.

        Args:
            group: the parameter group, as for `optimizer.add_param_group`. Its values are the base values.
            schedule: the schedule of its learning rate. Without it, the group follows the one that all groups share.
            hyperparameters: its schedules of other scheduled keys. A key that is not in it follows the schedule that
                all groups share. A key for which `lambda_lr` got a list must be in it (None for a fixed value).

        To resume, add the group again before loading the states.

        Raises:
            TypeError, ValueError: a schedule is missing or of the wrong type, or a key is not scheduled. The optimizer
                is left unchanged.

        Example:
            >>> import funcsched as fs, torch
            >>> from bridges.torch import lambda_lr
            >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
            >>> scheduler = lambda_lr(optimizer, [fs.constant()])
            >>> scheduler.add_param_group({"params": [torch.zeros(1)], "lr": 0.25}, fs.warmup_linear(0, 2))
            >>> scheduler.get_last_lr()
            [0.5, 0.25]
        """
        entries = schedules_of_added_group(list(self._schedules), self._shared, schedule, hyperparameters)
        self._schedules_of_next_group = entries
        try:
            self.optimizer.add_param_group(group)
        finally:
            self._schedules_of_next_group = None

    def state_dict(self) -> dict[str, Any]:
        """Plain data: the step, the kept factors, and a description of the schedules and base values as JSON."""
        if self._on_external_change == "keep" and self.last_epoch >= 0:
            with suppress(ValueError):  # `step` raises it, and saving must not fail
                self._handle_external_changes()  # a resumed run cannot detect them any more
        # torch.distributed.checkpoint loads into this dict in place, so its lists and tensors are copies.
        state = {key: copied(value) for key, value in super().state_dict().items() if key not in _NOT_SAVED}
        if self._metric is not None:
            state[_METRIC] = self._metric.state_dict()
        description = describe(self._schedules, self._base_values)
        return {**state, _ACTIVE: self._is_active(), _FACTORS: list(self._factors), _SCHEDULES: description}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue at the step of a state, and set the values of that step.

        The schedules and base values of this scheduler never change. A schedule that equals the saved one up to the
        step of the state is accepted. A state with other schedules or base values raises an error, or with
        ``on_mismatch="warn"`` a warning. It can be loaded before or after the state of the optimizer.

        Raises:
            ValueError: the state has other schedules, base values or another number of groups, does not describe its
                schedules, or contains a malformed value. Nothing is changed.
            TypeError: `state_dict` is not a mapping, or its step is not a number.
        """
        name = "load_state_dict"
        instance_of(Mapping, "the state of a scheduler")(name, "state_dict", state_dict)
        saved_step = state_dict.get("last_epoch")
        is_waiting = saved_step == -1 and type(saved_step) is int  # for its milestone in a SequentialLR
        step = 0 if is_waiting else concrete_nonnegative_int(name, "last_epoch", saved_step)
        factors = self._saved_factors(state_dict)
        differences = find_differences(
            state_dict.get(_SCHEDULES), self._schedules, self._base_values, step, self._replaced
        )
        if self._metric is not None and (difference := self._metric.difference(state_dict.get(_METRIC))):
            differences.append(Difference(difference))
        if self._metric is None and _METRIC in state_dict:
            differences.append(Difference("the saved run followed a metric, and this scheduler has no controller"))
        if differences:
            message = f"{name}: {'; '.join(difference.text for difference in differences)}"
            if self._on_mismatch == "raise":
                raise ValueError(f"{message}; {ways_to_continue(differences, self._base_values, step)}")
            warn(f"{message}; continuing with the current schedules and base values", stacklevel=3)
        if self._metric is not None:
            self._metric.load_state_dict(state_dict.get(_METRIC))
        self._verified_step = None if differences or self._replaced else step
        self.last_epoch, self._step_count, self._factors = step, step + 1, factors
        if is_waiting:
            self.last_epoch = -1
            return
        loaded, self._loaded = self._loaded, []
        if loaded and state_dict.get(_ACTIVE) is False:  # the loaded values are those of the active scheduler
            for group, values in zip(self.optimizer.param_groups, loaded, strict=False):
                for key, value in values.items():
                    assign(group, key, value)
            self._last_lr = self.get_lr()
            return
        self._set_values()
        self._restore_kept_rates(state_dict.get("_last_lr"))
        for i, group in enumerate(self.optimizer.param_groups):
            self._store_base_values(group, {key: values[i] for key, values in self._base_values.items()})

    def _saved_factors(self, state: Mapping[str, Any]) -> list[float]:
        groups = len(self.optimizer.param_groups)
        factors = state.get(_FACTORS, [1.0] * groups)
        if not isinstance(factors, list) or not all(type(f) is float and 0 <= f < inf for f in factors):
            raise argument_error("load_state_dict", _FACTORS, "a list of finite floats of at least 0", factors)
        return list(factors) if len(factors) == groups else [1.0] * groups  # the description differs, too

    def _restore_kept_rates(self, saved: Any) -> None:
        """Set the saved rates of groups with a kept factor, if they equal the computed ones up to rounding.

        Until the next step, the saved run used the rate that other code had set. The product with its factor may differ
        from it by a rounding error.
        """
        if all(factor == 1 for factor in self._factors) or not isinstance(saved, list):
            return
        for i, (old, new, factor) in enumerate(zip(saved, self._last_lr, self._factors, strict=False)):
            if factor != 1 and type(old) is type(new) is float and isclose(old, new, rel_tol=_ROUNDING):
                self._last_lr[i] = self._set_rate(i, self.optimizer.param_groups[i], old)

    def _handle_external_changes(self) -> None:
        """Keep changes of the rates by other code as factors, or warn of them."""
        if self._on_external_change == "overwrite" or (self._on_external_change == "warn" and self._warned):
            return
        groups = self.optimizer.param_groups
        changes = find_changes(groups, self._last_lr, self._tensors)
        if self._step_count == 1:
            # torch.distributed.checkpoint takes a first step at rate 0 before it loads the state of an optimizer.
            changes = [change for change in changes if change.new != 0]
        if not changes:
            return
        if self._on_external_change == "warn":
            self._warned = True
            warn(warning(changes), stacklevel=4)
            return
        kept = [kept_factor(change) for change in changes]  # may raise an error, before anything is changed
        for change, factor in zip(changes, kept, strict=True):
            self._factors[change.group] *= factor
            self._last_lr[change.group] = self._adopt(change.group, groups[change.group])

    def _store_base_values(self, group: dict[str, Any], base_values: Mapping[str, Any]) -> None:
        """Store the values that schedules multiply in the group, like `initial_lr`: the optimizer saves them."""
        for key in self._schedules:
            name = f"initial_{key}"
            group.setdefault(name, copied(group[key]))
            if key in base_values:
                group[name] = updated(copied(group[name]), base_values[key])

    def _update_lr(self, epoch: int | None = None) -> None:
        # torch calls this in its own `step`, and SequentialLR at a milestone.
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._set_values()

    def _set_values(self) -> None:
        """Set the values of the current step."""
        self._last_lr = rates = self.get_lr()
        for i, group in enumerate(self.optimizer.param_groups):
            if type(rates[i]) is float and type(group["lr"]) is float:  # the fast path of a training loop
                group["lr"] = rates[i]
            else:
                rates[i] = self._set_rate(i, group, rates[i])
        if len(self._schedules) > 1:
            self._set_hyperparameters()

    def _set_rate(self, i: int, group: dict[str, Any], rate: Any) -> Any:
        """Set the rate of a group, which may be a tensor; returns a copy."""
        assign(group, "lr", rate)
        return self._adopt(i, group)

    def _adopt(self, i: int, group: dict[str, Any]) -> Any:
        """Treat the rate of a group as set by this scheduler; returns a copy."""
        rate = group["lr"]
        if isinstance(rate, Tensor):
            self._tensors[i] = mark(rate)
        return copied(rate)

    def _set_hyperparameters(self) -> None:
        for key, entries in self._schedules.items():
            if key == "lr":
                continue
            bases = self._base_values[key]
            for group, entry, base in zip(self.optimizer.param_groups, entries, bases, strict=True):
                if entry is not None:
                    assign(group, key, value_at(entry, base, self.last_epoch))

    # Called by the hooks of the optimizer.

    def _schedules_of_added_group(self, group: dict[str, Any], defaults: dict[str, Any]) -> dict[str, KeySchedule]:
        entries = self._schedules_of_next_group
        if entries is None:
            entries = schedules_of_added_group(list(self._schedules), self._shared, None, None)
        by_key = {key: [entry] for key, entry in entries.items()}
        require_keys("add_param_group", by_key, [{**defaults, **group}], len(self.lr_lambdas))
        return entries

    def _follow_added_group(self, group: dict[str, Any], entries: dict[str, KeySchedule]) -> None:
        """Apply schedules to an added group, from the current step on."""
        own_rate = self._rate_of_added is None or self._schedules_of_next_group is not None
        self._store_base_values(group, {} if own_rate else {"lr": self._rate_of_added})
        for key, entry in entries.items():
            self._schedules[key].append(entry)
            self._base_values[key].append(copied(group[f"initial_{key}"]))
        entry = entries["lr"]
        assert isinstance(entry, ValueSchedule)
        self.lr_lambdas.append(to_lr_lambda(entry.schedule))
        self._factors.append(1.0)
        rate = self.get_lr()[-1]
        if self.last_epoch < 0:  # waiting in a SequentialLR: another scheduler sets the values
            self._last_lr.append(rate)
            return
        self._last_lr.append(self._set_rate(len(self._last_lr), group, rate))
        self._set_hyperparameters()

    def _is_active(self) -> bool:
        """Whether the rates are those that this scheduler set last. In a SequentialLR, another one may set them."""
        pairs = zip(self.optimizer.param_groups, self._last_lr, strict=False)
        return self.last_epoch >= 0 and all(is_own_rate(self._tensors, i, *pair) for i, pair in enumerate(pairs))

    def _before_loading_optimizer(self) -> None:
        # After its own state was loaded and verified, the values in the optimizer's state are correct and may belong to
        # another scheduler, so they are kept.
        self._resets_loaded = self._is_active() and self._verified_step != self.last_epoch

    def _after_loading_optimizer(self) -> None:
        """Set the values of this scheduler again, or treat the loaded rates as its own."""
        self._loaded = [{key: copied(group[key]) for key in self._schedules} for group in self.optimizer.param_groups]
        for i, group in enumerate(self.optimizer.param_groups):
            if self._resets_loaded:
                self._set_rate(i, group, self._last_lr[i])
                self._store_base_values(group, {key: values[i] for key, values in self._base_values.items()})
            else:
                self._last_lr[i] = self._adopt(i, group)
        if self._resets_loaded:
            self._set_hyperparameters()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Continue after unpickling or copying, which drops the hooks of the optimizer."""
        vars(self).update(state)
        for i, (group, last) in enumerate(zip(self.optimizer.param_groups, self._last_lr, strict=False)):
            if float(group["lr"]) == float(last):  # pickling keeps neither the identity of floats nor tensor versions
                self._last_lr[i] = self._adopt(i, group)
        install_hooks(self.optimizer, self)


# Attributes that a state dict leaves out. `_SCHEDULES`, `_FACTORS` and `_METRIC` are saved under their own keys.
_NOT_SAVED = (
    "_schedules _shared _base_values _replaced _factors _tensors _on_mismatch _on_external_change _warned"
    " _schedules_of_next_group _resets_loaded _loaded _verified_step _rate_of_added _metric"
).split()
