"""`identify_scheduler`: the schedule of a torch scheduler, of its saved state, or of a checkpoint."""

from __future__ import annotations

import json
import pickle
import struct
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch.optim import lr_scheduler as torch_schedulers
from torch.optim.lr_scheduler import LRScheduler

import funcsched as fs
from bridges.rated import Rated
from bridges.torch.conversion import leaves, rated_of
from bridges.torch.hyperparameters import finite_number
from bridges.torch.lr_lambda import to_lr_lambda
from bridges.torch.scheduler import ScheduleLR
from funcsched.core.validation import argument_error, concrete_nonnegative_int, concrete_positive_int, optional
from funcsched.evidence.identify import Identified
from funcsched.plotting.layout import default_steps

_NAME = "identify_scheduler"
_SAMPLES = 400  # steps from which the name of a curve is searched
_TOLERANCE = 1e-6  # relative error of a saved rate: torch multiplies step by step, and a rate may be a float32 tensor
_COMPOSED = "interpolate", "join", "ramp", "repeat", "scale", "shift", "stretch"  # curves that may have a shorter name
_LEGACY = torch.serialization.MAGIC_NUMBER.to_bytes(10, "little")  # near the start of a file that is not a ZIP archive
_MALFORMED = (ArithmeticError, AttributeError, IndexError, KeyError, RuntimeError, TypeError, json.JSONDecodeError)
# The entries in the state of each class, which does not contain the name of its class.
_SINGLE = {"_last_lr", "base_lrs", "last_epoch"}
_ENTRIES: dict[type[LRScheduler], set[str]] = {
    torch_schedulers.SequentialLR: {"_last_lr", "last_epoch", "_schedulers", "_milestones"},
    torch_schedulers.ChainedScheduler: {"_last_lr", "_schedulers"},
    torch_schedulers.OneCycleLR: _SINGLE | {"total_steps", "_schedule_phases", "_anneal_func_type"},
    torch_schedulers.CyclicLR: _SINGLE
    | {"max_lrs", "total_size", "step_ratio", "mode", "gamma", "scale_mode", "_scale_fn_custom"},
    torch_schedulers.CosineAnnealingWarmRestarts: _SINGLE | {"T_0", "T_mult", "T_i", "T_cur", "eta_min"},
    torch_schedulers.CosineAnnealingLR: _SINGLE | {"T_max", "eta_min"},
    torch_schedulers.PolynomialLR: _SINGLE | {"total_iters", "power"},
    torch_schedulers.LinearLR: _SINGLE | {"total_iters", "start_factor", "end_factor"},
    torch_schedulers.ConstantLR: _SINGLE | {"total_iters", "factor"},
    torch_schedulers.MultiStepLR: _SINGLE | {"milestones", "gamma"},
    torch_schedulers.StepLR: _SINGLE | {"step_size", "gamma"},
    torch_schedulers.ExponentialLR: _SINGLE | {"gamma"},
}
# Entries without effect on the rate. They depend on the version of torch and on the arguments.
_OPTIONAL = {"_step_count", "_get_lr_called_within_step", "_is_initial", "verbose"}
_OPTIONAL |= {"cycle_momentum", "use_beta1", "base_momentums", "max_momentums"}
_TEXTS = "mode", "_type", "_lr']", "_momentum']"  # how the names of entries end that are strings


def identify_scheduler(
    scheduler: LRScheduler | Mapping[str, Any] | list[Any] | tuple[Any, ...] | str | Path,
    *,
    group: int = 0,
    key: str | None = None,
    steps: int | None = None,
) -> Identified | None:
    """The schedule of a torch scheduler, which may be live or saved, as `funcsched.identify` gives it for a log.

    The attributes of torch's classes determine their curves exactly. The curve gets the name of a recipe if it has one.

    Args:
        scheduler: a scheduler of torch or of `lambda_lr`; its `state_dict()`; a checkpoint that contains one (a dict,
            list or tuple); or the path of a file of `torch.save` with either. A file is loaded with
            ``weights_only=True``, which runs no code.
        group: the parameter group (int).
        key: where a checkpoint has several schedulers, the key of one, such as ``"scheduler"`` or
            ``"lr_schedulers[1]"``. Must be None for a live scheduler.
        steps: for a live LambdaLR, whose function may be any: how many of its steps to inspect, from step 0 on (int, at
            least 1). Its schedule is found as that of a log, and the result may be None. Other live schedulers do not
            need it, and it must be None for a saved state.

    Returns:
        The result, whose only point is the last learning rate (after the inspected steps of a LambdaLR). If the rate is
        not that of the schedule, the result has a `departure` there. It is not certain if a controller multiplies the
        rate, and for the state of a CyclicLR, which does not show whether it has a `scale_fn`; `reason` says so.

    Raises:
        TypeError, ValueError: a state has no schedule (the function of a LambdaLR is not saved, ReduceLROnPlateau
            follows a metric), is malformed, or has not exactly the entries of one of torch's classes; a OneCycleLR has
            no optimizer, or several, with its base rates in the checkpoint; the file is no file of `torch.save`, or
            contains objects that are not safe to load; or an argument is invalid. The message has the way out.
        OSError: the file cannot be read.

    A state does not contain the name of its class. A subclass that overrides a method and has the same entries as its
    base is indistinguishable from it; only the last rate is compared.

    Example:
        >>> import torch
        >>> from bridges.torch import identify_scheduler
        >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
        >>> warmup = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=100)
        >>> cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 900)
        >>> scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, cosine], [100])
        >>> identify_scheduler(scheduler.state_dict()).expression
        '0.5 * warmup_cosine(warmup_steps=100, total_steps=1000, start=0.1)'
    """
    concrete_nonnegative_int(_NAME, "group", group)
    optional(concrete_positive_int)(_NAME, "steps", steps)
    if isinstance(scheduler, LRScheduler):
        if key is not None:
            raise argument_error(_NAME, "key", "None for a live scheduler", key)
        rated, step = rated_of(scheduler), _step(scheduler)
    elif isinstance(scheduler, (Mapping, list, tuple, str, Path)):
        if steps is not None:
            raise argument_error(_NAME, "steps", "None for a saved state, which contains no function", steps)
        checkpoint = _loaded(Path(scheduler)) if isinstance(scheduler, (str, Path)) else scheduler
        scheduler, rated, step = _from_checkpoint(checkpoint, key)
    else:
        requirement = "a torch scheduler, its state, a checkpoint or a path"
        raise argument_error(_NAME, "scheduler", requirement, scheduler, TypeError)
    if group >= len(rated):
        raise argument_error(_NAME, "group", f"below the number of parameter groups ({len(rated)})", group)
    schedule, peak = rated[group]
    if schedule.factory != "lift":
        found: Identified | None = Identified(_named(schedule), peak, (), True, 0, 0, None, "", 0, ())
    elif steps is not None:
        found = fs.identify(range(steps), [peak * schedule(i) for i in range(steps)])
    else:
        requirement = "the number of steps to inspect, because LambdaLR has a function that may be any"
        raise argument_error(_NAME, "steps", requirement, steps)
    if found is None:
        return None
    rate, expected = float(scheduler.optimizer.param_groups[group]["lr"]), peak * schedule(step)
    follows, reason = abs(rate - expected) <= _TOLERANCE * max(abs(peak), abs(expected)), _open_question(scheduler)
    result = {**found.arguments(), "points": found.points + 1, "explained": found.explained + follows}
    if not follows:
        default = "other code or its own class changed it, or torch continues differently after the end"
        reason = f"its rate at step {step} is {rate:.6g} instead of {expected:.6g}: {reason or default}"
    if reason and found.departure is None:
        result.update(certain=False, departure=None if follows else step, reason=reason)
    return Identified(*result.values())


def _named(schedule: fs.Schedule) -> fs.Schedule:
    """The recipe with the same curve, if there is one."""
    if schedule.factory not in _COMPOSED:
        return schedule
    last = default_steps(schedule)
    steps = sorted({last * i // _SAMPLES for i in range(_SAMPLES + 1)})
    found = fs.identify(steps, [schedule(step) for step in steps])  # rates would add a rounding error to each value
    if found is not None and found.peak_value == 1 and fs.compare(found.schedule, schedule).equal:
        return found.schedule
    return schedule


def _step(scheduler: Any) -> int:
    """The step of a scheduler. A chain has that of its schedulers."""
    while not hasattr(scheduler, "last_epoch"):
        scheduler = scheduler._schedulers[0]
    last: Any = scheduler.last_epoch  # -1 while it waits in a SequentialLR
    return 0 if last == -1 else concrete_nonnegative_int(_NAME, "state.last_epoch", last)


def _open_question(scheduler: LRScheduler) -> str:
    """Why the rate may not be that of the schedule, or an empty string."""
    for leaf in leaves(scheduler):
        if (metric := getattr(leaf, "_metric", None)) is not None:
            return f"the controller {metric.controller} multiplies the rate by {metric.multiplier:.6g}"
        if isinstance(leaf, torch_schedulers.CyclicLR) and not hasattr(leaf, "_scale_fn_ref"):
            return "torch does not save whether a CyclicLR has a `scale_fn`"
    return ""


def _error(problem: str) -> ValueError:
    """The error about a state that does not determine a schedule."""
    return ValueError(f"{_NAME}: {problem}; identify a log of the run, such as its `trainer_state.json`")


def _loaded(path: Path) -> Any:
    """The content of a file of `torch.save`."""
    invalid = ValueError(f"{_NAME}: {path.name} is not a file of torch.save, or is corrupt")
    with path.open("rb") as file:
        head = file.read(32)
    is_archive = head.startswith(b"PK\x03\x04")
    if not is_archive and _LEGACY not in head:
        raise invalid
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about the formats of other files
            # Tensors of a large checkpoint are not read.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=is_archive)
    except pickle.UnpicklingError:
        raise ValueError(
            f"{_NAME}: {path.name} contains objects that are not safe to load; save `scheduler.state_dict()` alone, or "
            "if you trust the file, pass the result of torch.load(..., weights_only=False)"
        ) from None
    except (*_MALFORMED, EOFError, ValueError, struct.error):
        raise invalid from None


def _from_checkpoint(checkpoint: Any, key: str | None) -> tuple[LRScheduler, list[Rated], int]:
    """A scheduler with the attributes of a state in a checkpoint, its schedules, and its step."""
    found = dict(_search(checkpoint, {"_last_lr", "lr_lambdas", "num_bad_epochs"}))
    if key is not None and key not in list(found):
        raise argument_error(_NAME, "key", f"the key of a scheduler: {', '.join(map(repr, found)) or 'none'}", key)
    if not found:
        keys = f", whose keys are {list(checkpoint)[:10]}" if isinstance(checkpoint, Mapping) else ""
        raise ValueError(f"{_NAME}: no state of a torch scheduler in a {type(checkpoint).__name__}{keys}")
    if key is None and len(found) > 1:
        raise ValueError(f"{_NAME}: the checkpoint has several schedulers; choose one by `key`: {', '.join(found)}")
    state = found[key] if key is not None else next(iter(found.values()))
    try:
        scheduler = _restored(state, "state", optimizer := SimpleNamespace())
        parts = list(leaves(scheduler))
        groups = [{"initial_lr": parts[0].base_lrs[i]} for i in range(len(parts[0].base_lrs))]
        if one_cycles := [leaf.base_lrs for leaf in parts if isinstance(leaf, torch_schedulers.OneCycleLR)]:
            groups = _groups_of_one_cycle(checkpoint, one_cycles)
        if len(rates := scheduler._last_lr) != len(groups):
            raise argument_error(_NAME, "state._last_lr", f"of length {len(groups)}, as `base_lrs`", rates)
        optimizer.param_groups = [{**group, "lr": float(rates[i])} for i, group in enumerate(groups)]
        return scheduler, rated_of(scheduler), _step(scheduler)
    except _MALFORMED as error:
        raise ValueError(f"{_NAME}: the state of the scheduler is incomplete or malformed: {error!r}") from None


def _search(value: Any, keys: set[str], path: str = "", depth: int = 3) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The dicts in a checkpoint that have one of some keys, with their own keys in the checkpoint."""
    if isinstance(value, Mapping) and not keys.isdisjoint(value):
        yield path or "state", value
    elif isinstance(value, Mapping) and depth:
        for name, entry in value.items():
            yield from _search(entry, keys, f"{path}.{name}" if path else str(name), depth - 1)
    elif isinstance(value, (list, tuple)) and depth:
        for i, entry in enumerate(value):
            yield from _search(entry, keys, f"{path}[{i}]", depth - 1)


def _groups_of_one_cycle(checkpoint: Any, base_rates: list[Any]) -> list[dict[str, float]]:
    """The rates of OneCycleLR, which are in the parameter groups of the optimizer with the same base rates."""
    names, found = ("initial_lr", "max_lr", "min_lr"), []
    for _, optimizer in _search(checkpoint, {"param_groups"}):
        groups = [{name: _plain(name, group.get(name)) for name in names} for group in optimizer["param_groups"]]
        if [group["initial_lr"] for group in groups] in base_rates and groups not in found:
            found.append(groups)
    if len(found) != 1:
        raise ValueError(
            f"{_NAME}: the state of a OneCycleLR does not contain `max_lr`, which is in the parameter groups of its "
            f"optimizer; here {len(found) or 'no'} optimizers have its base rates; pass a dict with both: "
            "{'scheduler': scheduler.state_dict(), 'optimizer': optimizer.state_dict()}"
        )
    return found[0]


def _restored(state: Mapping[str, Any], path: str, optimizer: Any) -> Any:
    """A scheduler with the attributes of a state. It is only read."""
    cls = ScheduleLR if "schedules" in state else _class_of(state)
    entries = _described(state) if cls is ScheduleLR else {name: state[name] for name in _ENTRIES[cls]}
    scheduler = cls.__new__(cls)
    for name, value in entries.items():
        if name == "_schedulers":
            value = [_restored(child, f"{path}._schedulers[{i}]", optimizer) for i, child in enumerate(value)]
        setattr(scheduler, name, _plain(f"{path}.{name}", value))
    scheduler.optimizer = optimizer
    return scheduler


def _plain(path: str, value: Any) -> Any:
    """An entry of a state without tensors, whose numbers are finite."""
    if isinstance(value, torch.Tensor):
        value = value.tolist()
    if isinstance(value, float) or (isinstance(value, (str, bytes)) and not path.endswith(_TEXTS)):
        return finite_number(_NAME, path, value)
    if isinstance(value, (list, tuple)):
        return [_plain(f"{path}[{i}]", item) for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {name: _plain(f"{path}[{name!r}]", item) for name, item in value.items()}
    return value


def _class_of(state: Mapping[str, Any]) -> type[LRScheduler]:
    """The class with exactly the entries of a state."""
    if "num_bad_epochs" in state:
        raise _error("a scheduler that follows a metric, such as ReduceLROnPlateau, is not a function of the step")
    if "lr_lambdas" in state:
        at = f"at step {state.get('last_epoch')} with the rates {state.get('_last_lr')}"
        raise _error(f"the state is that of a LambdaLR or MultiplicativeLR ({at}), whose function torch does not save")
    cls = next((cls for cls, names in _ENTRIES.items() if names == set(state) - _OPTIONAL), None)
    if cls is None:
        raise _error(f"the state is not that of a class of torch; its keys are {', '.join(map(str, state))}")
    modes = {"triangular": "cycle", "triangular2": "cycle", "exp_range": "iterations"}
    if cls is torch_schedulers.CyclicLR and modes.get(state["mode"]) != state["scale_mode"]:
        raise _error("the state is that of a CyclicLR with a `scale_fn`, which torch does not save")
    return cls


def _described(state: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a scheduler of `lambda_lr`, whose state describes its schedules."""
    entries, metric = json.loads(state["schedules"])["lr"], state.get("metric")
    if not all("schedule" in entry for entry in entries):
        raise _error("the schedule of the state contains a function, which is not saved")
    if metric is not None:
        multiplier = finite_number(_NAME, "state.metric['multiplier']", metric["multiplier"])
        metric = SimpleNamespace(controller=metric["controller"], multiplier=multiplier)
    rates = [entry.pop("base_value") if "base_value" in entry else entry.pop("peak_value") for entry in entries]
    functions = [to_lr_lambda(fs.from_dict(entry)) for entry in entries]
    attributes = {"lr_lambdas": functions, "base_lrs": rates, "_metric": metric}
    return {**attributes, "last_epoch": state["last_epoch"], "_last_lr": state["_last_lr"]}
