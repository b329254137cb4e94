"""The schedules of each hyperparameter in each parameter group, and its base values, as `lambda_lr` takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler

from bridges.arguments import instance_of
from bridges.rated import Rated
from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import LARGEST, argument_error, as_number, number_rule, optional, suggestion

_NAME = "lambda_lr"
_ADD = "add_param_group"

# The arguments of `lambda_lr`.
ScheduleLike: TypeAlias = Schedule | Callable[[int], float]
Hyperparameter: TypeAlias = ScheduleLike | Rated | tuple[ScheduleLike | Rated | None, ...] | None
BaseValue: TypeAlias = float | tuple[float, ...]


@dataclass(frozen=True)
class ValueSchedule:
    """A schedule, and the value at multiplier 1: `peak_value`, or the base value of the group if that is None."""

    schedule: Schedule
    peak_value: float | None = None

    def __repr__(self) -> str:
        return repr(self.schedule if self.peak_value is None else Rated(self.schedule, self.peak_value))


# The schedule of one key in one parameter group. A key with several values, such as betas, has a tuple. None is a value
# without a schedule.
KeySchedule: TypeAlias = ValueSchedule | tuple[ValueSchedule | None, ...] | None


def without_peaks(
    schedule: ScheduleLike | Rated | Sequence[ScheduleLike | Rated],
) -> tuple[ScheduleLike | Sequence[ScheduleLike | Rated], float | list[float] | None]:
    """The schedules of the learning rates and their peak values: one, a list with one for each group, or None."""
    if isinstance(schedule, Rated):
        return schedule.schedule, _nonnegative(_NAME, "schedule.peak_value", schedule.peak_value)
    entries = list(schedule) if isinstance(schedule, (list, tuple)) else []
    rated = [entry for entry in entries if isinstance(entry, Rated)]
    if rated and len(rated) == len(entries):
        peaks = [_nonnegative(_NAME, f"schedule[{i}].peak_value", peak) for i, (_, peak) in enumerate(rated)]
        return [entry.schedule for entry in rated], peaks
    return schedule, None


def schedules_by_key(
    groups: Sequence[Mapping[str, Any]],
    schedule: ScheduleLike | Sequence[ScheduleLike | Rated],
    hyperparameters: Mapping[str, Hyperparameter | list[Hyperparameter]] | None,
) -> tuple[dict[str, list[KeySchedule]], dict[str, KeySchedule]]:
    """The schedules of each key, one per parameter group, and the schedules that all groups share.

    The arguments are those of `lambda_lr`. Everything is checked here.
    """
    hyperparameters = _mapping(_NAME, "hyperparameters", hyperparameters)
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
    require_keys(_NAME, by_key, groups)
    return by_key, {key: entries[0] for key, entries in by_key.items() if not listed[key]}


def schedules_of_added_group(
    keys: Sequence[str],
    shared: Mapping[str, KeySchedule],
    schedule: ScheduleLike | None,
    hyperparameters: Mapping[str, Hyperparameter] | None,
) -> dict[str, KeySchedule]:
    """The schedules of a group that is added later, by key: its own, or those that all groups share."""
    entries = dict(shared)
    if schedule is not None:
        entries["lr"] = _lr_schedule(_ADD, "schedule", schedule)
    for key, value in _mapping(_ADD, "hyperparameters", hyperparameters).items():
        if key == "lr" or key not in keys:
            known = ", ".join(repr(name) for name in keys if name != "lr") or "none"
            raise argument_error(_ADD, "hyperparameters key", f"a key that `lambda_lr` schedules ({known})", key)
        entries[key] = _key_schedule(_ADD, f"hyperparameters[{key!r}]", value)
    for key in keys:
        if key not in entries:
            argument = "schedule" if key == "lr" else f"hyperparameters[{key!r}]"
            requirement = "given for an added group, because `lambda_lr` got a list with one entry for each group"
            fix = "use `scheduler.add_param_group(group, schedule=..., hyperparameters=...)`"
            raise argument_error(_ADD, argument, requirement, None, fix=fix)
    return entries


def require_keys(
    name: str, by_key: Mapping[str, Sequence[KeySchedule]], groups: Sequence[Mapping[str, Any]], first: int = 0
) -> None:
    """Check that every group has every key, with a number for each schedule. `first` is the index of the first one."""
    fix = "a list has one entry for each group, a tuple one for each value"
    for key, schedules in by_key.items():
        argument = f"hyperparameters[{key!r}]"
        for i, (group, schedule) in enumerate(zip(groups, schedules, strict=True), first):
            if key not in group:
                keys = ", ".join(sorted(name for name in group if name != "params"))
                has_betas = key == "momentum" and "betas" in group
                hint = "the momentum of Adam is the first of its `betas`: give {'betas': (schedule, None)}"
                near = hint if has_betas else suggestion(key, keys.split(", "), "")
                requirement = f"a key of parameter group {i} ({keys})"
                raise argument_error(name, "hyperparameters key", requirement, key, fix=near)
            value = group[key]
            if isinstance(value, (tuple, list)):
                if schedule is not None and not (isinstance(schedule, tuple) and len(schedule) == len(value)):
                    requirement = f"a tuple of {len(value)} schedules (None for a fixed value): group {i} has {value!r}"
                    raise argument_error(name, argument, requirement, schedule, fix=fix)
            elif isinstance(schedule, tuple):
                raise argument_error(name, argument, f"one schedule: group {i} has {value!r}", schedule, fix=fix)
            elif isinstance(value, bool) or not isinstance(value, (int, float, Tensor)):
                raise argument_error(name, f"param_groups[{i}][{key!r}]", "a number, to follow a schedule", value)


def base_values_by_key(
    groups: Sequence[Mapping[str, Any]],
    schedules: Mapping[str, Sequence[KeySchedule]],
    base_values: Mapping[str, BaseValue | list[BaseValue]] | None,
    peaks: float | list[float] | None,
) -> dict[str, list[BaseValue]]:
    """The argument `base_values` of `lambda_lr`, with one value for each group. The peaks are its default for "lr"."""
    given = _mapping(_NAME, "base_values", base_values, "a mapping from scheduled keys to numbers")
    if peaks is not None and "lr" not in given:
        rates = [float(group.get("initial_lr", group["lr"])) for group in groups]
        if isinstance(peaks, float) and len(set(rates)) > 1:
            requirement = "the same in all parameter groups, to follow one peak"
            fix = (
                "pass one `Rated` for each group, or the schedule alone (of a plan: plan.curves['lr'].schedule), which"
                " multiplies the rate of each group"
            )
            raise argument_error(_NAME, "lr", requirement, rates, fix=fix)
        given = {"lr": peaks, **given}
    result = {}
    for key, value in given.items():
        if key not in schedules:
            requirement = f"a scheduled key ({', '.join(map(repr, schedules))})"
            raise argument_error(_NAME, "base_values key", requirement, key)
        if not any(map(_multiplies_base_value, schedules[key])):
            requirement = "a key whose schedule multiplies the base value"
            fix = "change the `peak_value` of its `Rated`"
            raise argument_error(_NAME, "base_values key", requirement, key, fix=fix)
        argument = f"base_values[{key!r}]"
        if isinstance(value, list) and len(value) != len(groups):
            requirement = f"one value, or a list of one for each of the {len(groups)} parameter groups"
            raise argument_error(_NAME, argument, requirement, value)
        values = value if isinstance(value, list) else [value] * len(groups)
        result[key] = [_base_value(argument, item, group[key], key) for item, group in zip(values, groups, strict=True)]
    return result


def _multiplies_base_value(schedule: KeySchedule) -> bool:
    if isinstance(schedule, tuple):
        return any(entry is None or _multiplies_base_value(entry) for entry in schedule)
    return schedule is not None and schedule.peak_value is None


def _base_value(argument: str, value: Any, current: Any, key: str) -> BaseValue:
    """A base value of the same structure as the current value in the group: a number, or a tuple of numbers."""
    if isinstance(current, (tuple, list)):
        if not isinstance(value, tuple) or len(value) != len(current):
            raise argument_error(_NAME, argument, f"a tuple of {len(current)} numbers, as in the group", value)
        return tuple(float(finite_number(_NAME, f"{argument}[{i}]", item)) for i, item in enumerate(value))
    return float((_nonnegative if key == "lr" else finite_number)(_NAME, argument, value))


finite_number = number_rule("a finite number", -LARGEST, LARGEST)
_nonnegative = number_rule("a finite number of at least 0", 0, LARGEST)


def _mapping(
    name: str, argument: str, value: Any, requirement: str = "a mapping from keys to schedules"
) -> Mapping[Any, Any]:
    return optional(instance_of(Mapping, requirement))(name, argument, value) or {}


def _per_group(
    argument: str, value: Any, groups: Sequence[Any], rule: Callable[[str, str, Any], KeySchedule], listed: bool
) -> list[KeySchedule]:
    if not listed:
        return [rule(_NAME, argument, value)] * len(groups)
    if len(value) != len(groups):
        requirement = f"one schedule, or a list of one for each of the {len(groups)} parameter groups"
        raise argument_error(_NAME, argument, requirement, value)
    return [rule(_NAME, f"{argument}[{i}]", item) for i, item in enumerate(value)]


def _lr_schedule(name: str, argument: str, value: Any) -> ValueSchedule:
    fix = ""
    if isinstance(value, LRScheduler):
        fix = "use `from_lr_scheduler(...)` to convert it"
    elif isinstance(value, Rated):  # in a list with others, or for an added group
        peak = 'the "lr" of the group' if name == _ADD else 'base_values={"lr": ...}'
        fix = f"pass its `schedule`, and its `peak_value` as {peak}"
    if fix:
        raise argument_error(name, argument, "a schedule or a function of a step", value, TypeError, fix=fix)
    return ValueSchedule(as_schedule(name, argument, value))


def _key_schedule(name: str, argument: str, value: Any) -> KeySchedule:
    if isinstance(value, tuple) and not isinstance(value, Rated):
        return tuple(_value_schedule(name, f"{argument}[{i}]", item) for i, item in enumerate(value))
    return _value_schedule(name, argument, value)


def _value_schedule(name: str, argument: str, value: Any) -> ValueSchedule | None:
    if isinstance(value, Rated):
        schedule = as_schedule(name, f"{argument}.schedule", value.schedule)
        return ValueSchedule(schedule, float(as_number(name, f"{argument}.peak_value", "a number", value.peak_value)))
    return None if value is None else ValueSchedule(as_schedule(name, argument, value))


def value_at(schedule: KeySchedule, base: Any, step: int) -> Any:
    """The value of a key at a step. `base` is its base value in the group."""
    if isinstance(schedule, tuple):
        return tuple(value_at(entry, value, step) for entry, value in zip(schedule, base, strict=True))
    if schedule is None:
        return base
    return (base if schedule.peak_value is None else schedule.peak_value) * schedule.schedule(step)
