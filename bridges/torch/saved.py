"""`identify_scheduler`: the schedule of a torch scheduler, of its saved state, or of a checkpoint."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch.optim import lr_scheduler as torch_schedulers
from torch.optim.lr_scheduler import LRScheduler

import funcsched as fs
from bridges.rated import Rated
from bridges.torch.conversion import from_lr_scheduler
from funcsched.core.validation import argument_error, concrete_nonnegative_int, concrete_positive_int
from funcsched.evidence.identify import Identified
from funcsched.plotting.layout import default_steps

_NAME = "identify_scheduler"
_SAMPLES = 400  # steps from which the name of a curve is searched
_TOLERANCE = 1e-6  # relative error of a saved rate: torch multiplies step by step, and a rate may be a float32 tensor
_COMPOSED = "interpolate", "join", "ramp", "repeat", "scale", "shift", "stretch"  # curves that may have a shorter name
_LOG = "identify a log of the run instead, such as the `trainer_state.json` beside the file"
# The attributes in the state of each class, which has no name of its class. The first entry that matches is the class.
_ATTRIBUTES: dict[type[LRScheduler], tuple[str, ...]] = {
    torch_schedulers.SequentialLR: ("_schedulers", "_milestones"),
    torch_schedulers.ChainedScheduler: ("_schedulers",),
    torch_schedulers.OneCycleLR: ("_schedule_phases",),
    torch_schedulers.CyclicLR: ("max_lrs", "step_ratio"),
    torch_schedulers.CosineAnnealingWarmRestarts: ("T_0", "T_mult"),
    torch_schedulers.CosineAnnealingLR: ("T_max", "eta_min"),
    torch_schedulers.ReduceLROnPlateau: ("patience", "num_bad_epochs"),
    torch_schedulers.PolynomialLR: ("total_iters", "power"),
    torch_schedulers.LinearLR: ("total_iters", "start_factor"),
    torch_schedulers.ConstantLR: ("total_iters", "factor"),
    torch_schedulers.MultiStepLR: ("milestones", "gamma"),
    torch_schedulers.StepLR: ("step_size", "gamma"),
    torch_schedulers.ExponentialLR: ("gamma", "last_epoch"),
}


def identify_scheduler(
    scheduler: LRScheduler | Mapping[str, Any] | str | Path,
    *,
    group: int = 0,
    key: str | None = None,
    steps: int | None = None,
) -> Identified | None:
    """The schedule of a torch scheduler, which may be live or saved, as `funcsched.identify` gives it for a log.

    The attributes of torch's classes determine their curves exactly. The curve gets the name of a recipe if it has one.

    Args:
        scheduler: a scheduler of torch or of `lambda_lr`; its `state_dict()`; a checkpoint that contains one; or the
            path of a file of `torch.save` with either. A file is loaded with ``weights_only=True``, which runs no code.
        group: the parameter group (int).
        key: where a checkpoint has several schedulers, the key of one, such as ``"scheduler"`` or
            ``"lr_schedulers[1]"``.
        steps: for a live LambdaLR, whose function may be any: how many of its steps to inspect (int). Its schedule is
            found as that of a log, and the result may be None.

    Returns:
        The result, whose only point is the last learning rate. If the rate is not that of the schedule, the result has
        a `departure` there.

    Raises:
        TypeError, ValueError: a state has no schedule (the function of a LambdaLR is not saved), is malformed, or is
            not one of torch's classes; the file is no file of `torch.save`, or contains objects that are not safe to
            load; or an argument is invalid. The message has the way out.
        OSError: the file cannot be read.

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
    if steps is not None:
        concrete_positive_int(_NAME, "steps", steps)
    if isinstance(scheduler, (str, Path)):
        scheduler = _loaded(Path(scheduler))
    if isinstance(scheduler, LRScheduler):
        rated, last = from_lr_scheduler(scheduler), _last(scheduler.state_dict())
    elif isinstance(scheduler, Mapping):
        rated, last = _from_checkpoint(scheduler, key)
    else:
        requirement = "a torch scheduler, its state, a checkpoint or a path"
        raise argument_error(_NAME, "scheduler", requirement, scheduler, TypeError)
    step, rates = last
    groups = min(len(rated), len(rates))
    if group >= groups:
        raise argument_error(_NAME, "group", f"below the number of parameter groups ({groups})", group)
    return _identified(rated[group], step, rates[group], steps)


def _identified(rated: Rated, step: int, rate: float, steps: int | None) -> Identified | None:
    schedule, peak = rated
    if schedule.factory == "lift":
        if steps is None:
            requirement = "the number of steps to inspect, because LambdaLR has a function that may be any"
            raise argument_error(_NAME, "steps", requirement, steps)
        sampled = sorted({steps * i // _SAMPLES for i in range(_SAMPLES)})
        return fs.identify(sampled, [peak * schedule(step) for step in sampled])
    schedule, peak = _named(schedule, peak)
    expected = peak * schedule(step)
    follows = abs(rate - expected) <= _TOLERANCE * abs(peak)
    reason = (
        f"its rate at step {step} is {rate:.6g} instead of {expected:.6g}: other code changed it, or torch continues "
        "differently after the end"
    )
    return Identified(
        schedule, peak, (), True, 1, int(follows), None if follows else step, "" if follows else reason, 0, ()
    )


def _named(schedule: fs.Schedule, peak: float) -> tuple[fs.Schedule, float]:
    """The recipe with the same curve, if there is one."""
    if schedule.factory not in _COMPOSED or not peak:
        return schedule, peak
    last = default_steps(schedule)
    steps = sorted({last * i // _SAMPLES for i in range(_SAMPLES + 1)})
    found = fs.identify(steps, [peak * schedule(step) for step in steps])
    if found is not None and found.peak_value == peak and fs.compare(found.schedule, schedule).equal:
        return found.schedule, peak
    return schedule, peak


def _last(state: Mapping[str, Any]) -> tuple[int, list[float]]:
    """The step in a state, and the learning rate of each group there. A chain has the step of its schedulers."""
    rates, counting = state["_last_lr"], state
    while "last_epoch" not in counting:
        counting = counting["_schedulers"][0]
    return max(int(counting["last_epoch"]), 0), [float(rate) for rate in rates]


def _loaded(path: Path) -> Mapping[str, Any]:
    """The content of a file of `torch.save`, if it is a dict."""
    with path.open("rb") as file:
        if not file.read(1):
            raise ValueError(f"{_NAME}: {path.name} is empty")
    try:
        # Tensors of a large checkpoint are not read.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        if "weights_only" not in str(error).lower() and "GLOBAL" not in str(error):
            raise ValueError(f"{_NAME}: {path.name} is not a file of torch.save, or is corrupt") from None
        raise ValueError(
            f"{_NAME}: {path.name} contains objects that are not safe to load; save `scheduler.state_dict()` alone, or "
            "if you trust the file, pass the result of torch.load(..., weights_only=False)"
        ) from None
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError, UnicodeDecodeError, IndexError):
        raise ValueError(f"{_NAME}: {path.name} is not a file of torch.save, or is corrupt") from None
    if not isinstance(content, Mapping):
        raise ValueError(f"{_NAME}: {path.name} contains no state of a scheduler, but a {type(content).__name__}")
    return content


def _from_checkpoint(checkpoint: Mapping[str, Any], key: str | None) -> tuple[list[Rated], tuple[int, list[float]]]:
    """The schedules in a checkpoint, and the last step with its rates."""
    found = dict(_states(checkpoint, ""))
    if key is not None and key not in found:
        raise argument_error(_NAME, "key", f"the key of a scheduler: {', '.join(map(repr, found)) or 'none'}", key)
    if not found:
        names = ", ".join(repr(name) for name in list(checkpoint)[:10])
        raise ValueError(f"{_NAME}: no state of a torch scheduler among the keys {names}")
    if key is None and len(found) > 1:
        raise ValueError(f"{_NAME}: the checkpoint has several schedulers; choose one by `key`: {', '.join(found)}")
    state = found[key] if key is not None else next(iter(found.values()))
    try:
        if isinstance(text := state.get("schedules"), str):
            return _described(text), _last(state)
        return from_lr_scheduler(_restored(state, next(_groups(checkpoint), None))), _last(state)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{_NAME}: the state of the scheduler is incomplete or malformed: {error!r}") from None


def _states(value: Any, path: str, depth: int = 3) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The states of schedulers in a checkpoint, with their keys."""
    if isinstance(value, Mapping):
        if "_last_lr" in value or "lr_lambdas" in value:
            yield path or "state", value
        elif depth:
            for name, entry in value.items():
                yield from _states(entry, f"{path}.{name}" if path else str(name), depth - 1)
    elif isinstance(value, (list, tuple)) and depth:
        for i, entry in enumerate(value):
            yield from _states(entry, f"{path}[{i}]", depth - 1)


def _groups(value: Any, depth: int = 3) -> Iterator[list[dict[str, Any]]]:
    """The parameter groups of the optimizers in a checkpoint."""
    if isinstance(value, Mapping) and isinstance(value.get("param_groups"), list):
        yield value["param_groups"]
    elif depth and isinstance(value, (Mapping, list, tuple)):
        for entry in value.values() if isinstance(value, Mapping) else value:
            yield from _groups(entry, depth - 1)


def _described(text: str) -> list[Rated]:
    """The schedules in the state of a scheduler of `lambda_lr`."""
    rated = []
    for entry in json.loads(text)["lr"]:
        if "schedule" not in entry:
            raise ValueError(f"{_NAME}: the schedule of the state contains a function, which is not saved; {_LOG}")
        data = {name: value for name, value in entry.items() if name not in ("peak_value", "base_value")}
        rated.append(Rated(fs.from_dict(data), float(entry.get("peak_value", entry.get("base_value")))))
    return rated


def _restored(state: Mapping[str, Any], groups: list[dict[str, Any]] | None) -> Any:
    """A scheduler with the attributes of a state. It is only read."""
    if "lr_lambdas" in state:
        at = f"at step {state.get('last_epoch')} with the rates {state.get('_last_lr')}"
        raise ValueError(
            f"{_NAME}: the state is that of a LambdaLR or MultiplicativeLR ({at}), whose function torch does not save; "
            f"{_LOG}, or pass the live scheduler"
        )
    cls = next((cls for cls, names in _ATTRIBUTES.items() if all(name in state for name in names)), None)
    if cls is None:
        raise ValueError(f"{_NAME}: the state is not that of a class of torch; its keys are {', '.join(state)}")
    if cls is torch_schedulers.OneCycleLR and not (groups and "max_lr" in groups[0]):
        raise ValueError(
            f"{_NAME}: the state of a OneCycleLR does not contain `max_lr`, which is in the parameter groups of the "
            "optimizer; pass a dict with both: {'scheduler': scheduler.state_dict(), 'optimizer': "
            "optimizer.state_dict()}"
        )
    scheduler = cls.__new__(cls)
    vars(scheduler).update(state)
    if "_schedulers" in state:
        children = [_restored(child, groups) for child in state["_schedulers"]]
        scheduler._schedulers = children  # type: ignore[attr-defined]
        rates = children[0].optimizer.param_groups
    else:
        rates = [{"initial_lr": rate} for rate in state.get("base_lrs", [])]
    has_rates = groups and "initial_lr" in groups[0]
    scheduler.optimizer = SimpleNamespace(param_groups=groups if has_rates else rates)  # type: ignore[assignment]
    return scheduler
