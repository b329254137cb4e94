"""The schedules of each hyperparameter in each parameter group, as `lambda_lr` takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor

from bridges.rated import Rated
from funcsched.analysis.checkpoint import find_mismatch, snapshot
from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import argument_error, as_number

_NAME = "lambda_lr"

# The arguments of `lambda_lr`.
ScheduleLike: TypeAlias = Schedule | Callable[[int], float]
Hyperparameter: TypeAlias = ScheduleLike | Rated | tuple[ScheduleLike | Rated | None, ...] | None


@dataclass(frozen=True)
class ValueSchedule:
    """A schedule, and the value at multiplier 1: `peak_value`, or the initial value in the group if that is None."""

    schedule: Schedule
    peak_value: float | None = None

    def __repr__(self) -> str:
        return repr(self.schedule if self.peak_value is None else Rated(self.schedule, self.peak_value))


# The schedule of one key in one parameter group. A key with several values, such as betas, has a tuple. None is a value
# without a schedule.
KeySchedule: TypeAlias = ValueSchedule | tuple[ValueSchedule | None, ...] | None


def schedules_by_key(
    groups: Sequence[Mapping[str, Any]],
    schedule: ScheduleLike | Sequence[ScheduleLike],
    hyperparameters: Mapping[str, Hyperparameter | list[Hyperparameter]] | None,
) -> tuple[dict[str, list[KeySchedule]], bool]:
    """The schedules of each key, one per parameter group, and whether all groups share them.

    The arguments are those of `lambda_lr`. Everything is checked here.
    """
    if hyperparameters is None:
        hyperparameters = {}
    if not isinstance(hyperparameters, Mapping):
        raise argument_error(_NAME, "hyperparameters", "a mapping from keys to schedules", hyperparameters, TypeError)
    for key in hyperparameters:
        if not isinstance(key, str) or key in ("lr", "params") or key.startswith("initial_"):
            fix = "its schedules are the argument `schedule`" if key == "lr" else ""
            requirement = "a key of the parameter groups other than 'lr'"
            raise argument_error(_NAME, "hyperparameters key", requirement, key, fix=fix)
    # A list has one entry per group. So has a tuple, except in `hyperparameters`, where it has one entry per value.
    listed = {"lr": isinstance(schedule, (list, tuple)) and not isinstance(schedule, Rated)}
    by_key = {"lr": _per_group("schedule", schedule, groups, _lr_schedule, listed["lr"])}
    for key, value in hyperparameters.items():
        listed[key] = isinstance(value, list)
        by_key[key] = _per_group(f"hyperparameters[{key!r}]", value, groups, _key_schedule, listed[key])
    require_keys(by_key, groups)
    return by_key, not any(listed.values())


def require_keys(by_key: Mapping[str, Sequence[KeySchedule]], groups: Sequence[Mapping[str, Any]]) -> None:
    """Check that every group has every key, with a number for each schedule."""
    fix = "a list has one entry for each group, a tuple one for each value"
    for key, schedules in by_key.items():
        argument = f"hyperparameters[{key!r}]"
        for i, (group, schedule) in enumerate(zip(groups, schedules, strict=True)):
            if key not in group:
                keys = ", ".join(sorted(name for name in group if name != "params"))
                raise argument_error(_NAME, "hyperparameters key", f"a key of parameter group {i} ({keys})", key)
            value = group[key]
            if isinstance(value, (tuple, list)):
                if schedule is not None and not (isinstance(schedule, tuple) and len(schedule) == len(value)):
                    requirement = f"a tuple of {len(value)} schedules (None for a fixed value): group {i} has {value!r}"
                    raise argument_error(_NAME, argument, requirement, schedule, fix=fix)
            elif isinstance(schedule, tuple):
                raise argument_error(_NAME, argument, f"one schedule: group {i} has {value!r}", schedule, fix=fix)
            elif isinstance(value, bool) or not isinstance(value, (int, float, Tensor)):
                raise argument_error(_NAME, f"param_groups[{i}][{key!r}]", "a number, to follow a schedule", value)


def _per_group(
    argument: str, value: Any, groups: Sequence[Any], rule: Callable[[str, Any], KeySchedule], listed: bool
) -> list[KeySchedule]:
    if not listed:
        return [rule(argument, value)] * len(groups)
    if len(value) != len(groups):
        requirement = f"one schedule, or a list of one for each of the {len(groups)} parameter groups"
        raise argument_error(_NAME, argument, requirement, value)
    return [rule(f"{argument}[{i}]", item) for i, item in enumerate(value)]


def _lr_schedule(argument: str, value: Any) -> ValueSchedule:
    return ValueSchedule(as_schedule(_NAME, argument, value))


def _key_schedule(argument: str, value: Any) -> KeySchedule:
    if isinstance(value, tuple) and not isinstance(value, Rated):
        return tuple(_value_schedule(f"{argument}[{i}]", item) for i, item in enumerate(value))
    return _value_schedule(argument, value)


def _value_schedule(argument: str, value: Any) -> ValueSchedule | None:
    if isinstance(value, Rated):
        schedule = as_schedule(_NAME, f"{argument}.schedule", value.schedule)
        return ValueSchedule(schedule, float(as_number(_NAME, f"{argument}.peak_value", "a number", value.peak_value)))
    return None if value is None else ValueSchedule(as_schedule(_NAME, argument, value))


def value_at(schedule: KeySchedule, initial: Any, step: int) -> Any:
    """The value of a key at a step. `initial` is its initial value in the group."""
    if isinstance(schedule, tuple):
        return tuple(value_at(entry, value, step) for entry, value in zip(schedule, initial, strict=True))
    if schedule is None:
        return initial
    return (initial if schedule.peak_value is None else schedule.peak_value) * schedule.schedule(step)


def to_data(schedule: KeySchedule) -> Any:
    """A description of a schedule for a checkpoint, as plain data."""
    if isinstance(schedule, tuple):
        return [to_data(entry) for entry in schedule]
    return None if schedule is None else {"peak_value": schedule.peak_value, **snapshot(schedule.schedule)}


def find_difference(key: str, saved: Any, schedule: KeySchedule, initial: Any, step: int) -> str | None:
    """How the values of a key differ from those of the saved description; None if they do not."""
    if isinstance(schedule, tuple) and isinstance(saved, (list, tuple)) and len(saved) == len(schedule):
        for entry in zip(saved, schedule, initial, strict=True):
            if (difference := find_difference(key, *entry, step)) is not None:
                return difference
        return None
    if isinstance(schedule, ValueSchedule) and isinstance(saved, Mapping):
        data = {name: value for name, value in saved.items() if name != "peak_value"}
        mismatch = find_mismatch("load_state_dict", data, schedule.schedule, step)
        old, new = saved.get("peak_value"), schedule.peak_value
        if mismatch is not None:
            return mismatch.message(
                step, "learning rate" if key == "lr" else key, float(initial if new is None else new)
            )
        return None if old == new else f"`peak_value` differs (checkpoint: {old!r}; current: {new!r})"
    if schedule is None and saved is None:
        return None
    return f"checkpoint: {_kind(saved)}; current: {_kind(schedule)}"


def _kind(schedule: Any) -> str:
    """The kind of a saved or current schedule, for an error message."""
    if isinstance(schedule, (list, tuple)):
        return f"a tuple of {len(schedule)}"
    return "no schedule" if schedule is None else "one schedule"
