"""The scheduler behind `lambda_lr`: all hyperparameters, groups that are added, checkpoints that cannot overwrite."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from math import isclose
from typing import Any
from weakref import ref

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from bridges.torch.hyperparameters import Track, Tracks, check_keys, difference, snapshots, tracks_of, value_at
from bridges.torch.lr_lambda import to_lr_lambda
from funcsched.analysis.checkpoint import on_mismatch_rule, raise_or_warn
from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error, concrete_nonnegative_int

_SCHEDULES = "schedules"  # the key of a state
_OWN = ("_tracks", "_shared", "_on_mismatch")  # what a state leaves out
_CLOSE = 1e-6  # a rate in a float32 tensor is that of a Python float


def lambda_lr(
    optimizer: Optimizer,
    schedule: Schedule | Callable[[Any], Any] | Sequence[Schedule | Callable[[Any], Any]],
    *,
    hyperparameters: Mapping[str, Any] | None = None,
    step: int = 0,
    on_mismatch: str = "raise",
) -> ScheduleLR:
    """A `LambdaLR` that runs schedules, from the start or from any step.

    Args:
        optimizer: its groups' learning rates are the base rates. In a group that a scheduler has used before, also
            before a checkpoint that was loaded, the base is `initial_lr`, which torch keeps there.
        schedule: one schedule for the learning rates of all parameter groups, or a list with one for each.
        hyperparameters: schedules of other numbers of the groups by their keys, such as
            ``{"weight_decay": schedule, "betas": (None, schedule)}``. Each is a schedule, a multiplier of what the
            group began with (kept as `initial_weight_decay`); or a `Rated` pair, whose product is the value; for a
            key with several numbers a tuple of these, None for what stays; or a list with one for each group.
        step: the number of updates made before, an integer of at least 0.
        on_mismatch: what loading the state of another schedule does. "raise" refuses it, "warn" goes on with this one.

    Returns:
        A scheduler at `step`: the next update runs at ``base rate * schedule(step)``, whether or not the optimizer's
        state was loaded before. Call its `step()` in the batch loop, after `optimizer.step()`. Its `state_dict()` is
        plain data with a description of the schedules, and loading one sets the values that belong to its step. A
        group that is added later by `optimizer.add_param_group` runs by the same schedules from then on; where lists
        were given it is refused.

    Raises:
        TypeError, ValueError: no optimizer, no schedule, or not one for each group, a key that a group does not have
            or that holds no number, or `step` is not an integer of at least 0; the optimizer is left as it was.

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
    tracks, shared = tracks_of(optimizer.param_groups, schedule, hyperparameters)
    step = concrete_nonnegative_int("lambda_lr", "step", step)
    on_mismatch_rule("lambda_lr", "on_mismatch", on_mismatch)
    return ScheduleLR(optimizer, tracks, shared, step, on_mismatch)


class ScheduleLR(LambdaLR):
    """A `LambdaLR` for all hyperparameters, which refuses the checkpoint of another schedule; see `lambda_lr`."""

    def __init__(
        self, optimizer: Optimizer, tracks: dict[str, list[Tracks]], shared: bool, step: int, on_mismatch: str
    ) -> None:
        self._tracks = tracks
        self._shared = shared  # whether one schedule is for all groups, and so for those that come later
        self._on_mismatch = on_mismatch
        for group in optimizer.param_groups:
            self._begin(group)
        lambdas = [to_lr_lambda(track.schedule) for track in tracks["lr"] if isinstance(track, Track)]
        # LambdaLR makes one step when it is built, so it is told the step before; before 0 that is -1, its default.
        super().__init__(optimizer, lambdas, last_epoch=step - 1)
        self._watch(optimizer)

    def step(self, epoch: int | None = None) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.lr_lambdas):  # put there without `add_param_group`, or by unpickling
            raise argument_error("step", "param_groups", f"the {len(self.lr_lambdas)} that have schedules", len(groups))
        if self._step_count < 2 or epoch is not None:
            super().step(epoch)  # torch's own checks of the order of the first calls
        else:
            self._step_count += 1
            self.last_epoch += 1
            self._set_rates()
        self._set_others()

    def state_dict(self) -> dict[str, Any]:
        """Plain data: where the run is, and as JSON what its schedules were."""
        # Of copies and one string: torch.distributed.checkpoint fills in what it is given, key by key.
        state = {key: _copy(value) for key, value in super().state_dict().items() if key not in _OWN}
        described = {key: list(map(snapshots, row)) for key, row in self._tracks.items()}
        return {**state, _SCHEDULES: json.dumps(described)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on at the step of a state, and set the values of that step.

        The schedules and base rates stay those of this scheduler: a state of others is refused, or gets a warning with
        ``on_mismatch="warn"``. It may be loaded before or after the optimizer's own.

        Raises:
            ValueError: other schedules, base rates or numbers of groups, a state that does not say what its schedules
                were, or a step that is not an integer; nothing has been changed.
            TypeError: no state, or its step is no number.
        """
        name = "load_state_dict"
        if not isinstance(state_dict, Mapping):
            raise argument_error(name, "state_dict", "the state of a scheduler", state_dict, TypeError)
        step = concrete_nonnegative_int(name, "last_epoch", state_dict.get("last_epoch"))
        if found := self._differences(state_dict, step):
            raise_or_warn(f"{name}: {'; '.join(found)}", self._on_mismatch)
        self.last_epoch, self._step_count = step, step + 1
        self._set_rates()
        self._set_others()

    def _differences(self, state: Mapping[str, Any], step: int) -> list[str]:
        """In what the run would not go on as it was, in words."""
        saved, groups = _parsed(state.get(_SCHEDULES)), self.optimizer.param_groups
        if not isinstance(saved, dict) or not all(isinstance(row, list) for row in saved.values()):
            return [
                "the state does not say which schedules it was made with"
                f" (`lambda_lr(optimizer, schedule, step={step})` resumes without a state)"
            ]
        if set(saved) != set(self._tracks):
            before, now = (", ".join(map(repr, sorted(keys))) for keys in (saved, self._tracks))
            return [f"the checkpoint was made with schedules for {before}, and this scheduler is for {now}"]
        if len(saved["lr"]) != len(groups):
            return [f"the checkpoint has {len(saved['lr'])} parameter groups, and the optimizer {len(groups)}"]
        found = []
        for key, row in self._tracks.items():
            for i, (old, tracks, group) in enumerate(zip(saved[key], row, groups, strict=True)):
                if told := difference(key, old, tracks, group[f"initial_{key}"], step):
                    found.append(f"the checkpoint was made with another schedule for {key!r} of group {i}: {told}")
        for i, (old, new) in enumerate(zip(state.get("base_lrs", []), self.base_lrs, strict=False)):
            if not isclose(old, new, rel_tol=_CLOSE):
                found.append(f"the base rate of group {i} was {float(old):g} in the checkpoint, and is {float(new):g}")
        return found

    def _begin(self, group: dict[str, Any]) -> None:
        """Keep what a group begins with, where torch keeps its rate: in the group, which is saved."""
        for key in self._tracks:
            group.setdefault(f"initial_{key}", _copy(group[key]))

    def _set_rates(self) -> None:
        step, rates = self.last_epoch, []
        for group, base, multiplier in zip(self.optimizer.param_groups, self.base_lrs, self.lr_lambdas, strict=True):
            rate = base * multiplier(step)
            if type(group["lr"]) is float and type(rate) is float:  # the path of a training loop
                group["lr"] = rate
            else:
                _set(group, "lr", rate)
                rate = _copy(group["lr"])
            rates.append(rate)
        self._last_lr = rates

    def _set_others(self) -> None:
        for key, row in self._tracks.items():
            if key == "lr":
                continue
            for group, tracks in zip(self.optimizer.param_groups, row, strict=True):
                if tracks is not None:
                    _set(group, key, value_at(tracks, group[f"initial_{key}"], self.last_epoch))

    def _watch(self, optimizer: Optimizer) -> None:
        """Follow or refuse the groups that are added later, when they are added."""
        bound, scheduler_of, optimizer_of = optimizer.add_param_group, ref(self), ref(optimizer)
        unbound = getattr(bound, "__func__", None)  # a bound method kept by its own object would be a cycle

        def add(param_group: dict[str, Any]) -> None:
            unbound(optimizer_of(), param_group) if unbound else bound(param_group)

        def add_param_group(param_group: dict[str, Any]) -> None:
            scheduler, owner = scheduler_of(), optimizer_of()
            if scheduler is None or owner is None:
                return add(param_group)
            if not scheduler._shared:
                rule = "there before `lambda_lr` gets a list with one schedule for each group"
                raise argument_error("add_param_group", "param_group", rule, sorted(param_group))
            check_keys({key: row[:1] for key, row in scheduler._tracks.items()}, [{**owner.defaults, **param_group}])
            add(param_group)
            return scheduler._follow(owner.param_groups[-1])

        optimizer.add_param_group = add_param_group  # type: ignore[method-assign]

    def _follow(self, group: dict[str, Any]) -> None:
        """Run a new group by the schedules of the others, from the present step on."""
        self._begin(group)
        for row in self._tracks.values():
            row.append(row[0])
        base, multiplier = _copy(group["initial_lr"]), self.lr_lambdas[0]
        self.base_lrs.append(base)
        self.lr_lambdas.append(multiplier)
        _set(group, "lr", base * multiplier(self.last_epoch))
        self._last_lr.append(_copy(group["lr"]))
        self._set_others()


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None


def _copy(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return type(value)(_copy(item) for item in value)
    return value.clone() if isinstance(value, Tensor) else value


def _set(group: dict[str, Any], key: str, value: Any) -> None:
    group[key] = _filled(group[key], value)


def _filled(held: Any, value: Any) -> Any:
    """A value in place of the one held: in place where that is a tensor, which compiled steps hold on to."""
    if isinstance(held, (tuple, list)):
        return type(held)(_filled(old, new) for old, new in zip(held, value, strict=True))
    if isinstance(held, Tensor):
        if held is not value:
            held.fill_(value.squeeze() if isinstance(value, Tensor) else value)
        return held
    return value
