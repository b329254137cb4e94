"""What each hyperparameter of each parameter group of a torch optimizer follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor

from bridges.rated import Rated
from funcsched.analysis.checkpoint import find_mismatch, snapshot
from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import argument_error

_NAME = "lambda_lr"


@dataclass(frozen=True)
class Track:
    """A schedule, and the value at its multiplier 1; without one, that which the group began with."""

    schedule: Schedule
    peak_value: float | None = None

    def __repr__(self) -> str:
        return repr(self.schedule if self.peak_value is None else Rated(self.schedule, self.peak_value))


Tracks: TypeAlias = "Track | tuple[Track | None, ...] | None"  # a tuple for a key such as betas


def tracks_of(groups: Sequence[Any], schedule: Any, others: Any) -> tuple[dict[str, list[Tracks]], bool]:
    """For each key what each group follows, and whether one schedule is for all of them; everything is checked."""
    if others is None:
        others = {}
    if not isinstance(others, Mapping):
        raise argument_error(_NAME, "hyperparameters", "a dictionary from names to schedules", others, TypeError)
    for key in others:
        if not isinstance(key, str) or key in ("lr", "params") or key.startswith("initial_"):
            raise argument_error(_NAME, "hyperparameters", "of numbers of the parameter groups other than 'lr'", key)
    if isinstance(schedule, Rated):
        raise argument_error(
            _NAME, "schedule", "a schedule, its peak being the optimizer's own `lr`", schedule, TypeError
        )
    several = (list, tuple)  # of betas alone a tuple says something else
    rows = {"lr": _row("schedule", schedule, groups, _lr_track, several)}
    rows |= {key: _row(f"hyperparameters[{key!r}]", value, groups, _tracks) for key, value in others.items()}
    check_keys(rows, groups)
    one_for_each = isinstance(schedule, several) or any(isinstance(value, list) for value in others.values())
    return rows, not one_for_each


def check_keys(rows: Mapping[str, Sequence[Tracks]], groups: Sequence[Mapping[str, Any]]) -> None:
    """Every group has every key, as a number where one is scheduled and as so many where several are."""
    for key, row in rows.items():
        for i, group in enumerate(groups):
            if key not in group:
                names = ", ".join(sorted(name for name in group if name != "params"))
                raise argument_error(_NAME, "hyperparameters", f"keys of parameter group {i} ({names})", key)
            tracks, value, argument = row[min(i, len(row) - 1)], group[key], f"hyperparameters[{key!r}]"
            if isinstance(value, (tuple, list)):
                if tracks is not None and not (isinstance(tracks, tuple) and len(tracks) == len(value)):
                    requirement = f"a tuple of {len(value)} schedules (None for what stays), as group {i} has {value!r}"
                    raise argument_error(_NAME, argument, requirement, tracks)
            elif isinstance(tracks, tuple):
                raise argument_error(_NAME, argument, f"one schedule, as group {i} has {value!r}", tracks)
            elif isinstance(value, bool) or not isinstance(value, (int, float, Tensor)):
                raise argument_error(
                    _NAME, "hyperparameters", f"keys of numbers ({key!r} of group {i} is {value!r})", key
                )


def _row(
    argument: str, value: Any, groups: Sequence[Any], rule: Callable[[str, Any], Tracks], several: Any = list
) -> list[Tracks]:
    if not isinstance(value, several):
        return [rule(argument, value)] * len(groups)
    if len(value) != len(groups):
        requirement = f"one schedule, or one for each of the {len(groups)} parameter groups"
        raise argument_error(_NAME, argument, requirement, value)
    return [rule(f"{argument}[{i}]", item) for i, item in enumerate(value)]


def _lr_track(argument: str, value: Any) -> Track:
    return Track(as_schedule(_NAME, argument, value))


def _tracks(argument: str, value: Any) -> Tracks:
    if isinstance(value, tuple) and not isinstance(value, Rated):
        return tuple(_track(f"{argument}[{i}]", item) for i, item in enumerate(value))
    return _track(argument, value)


def _track(argument: str, value: Any) -> Track | None:
    if isinstance(value, Rated):
        return Track(as_schedule(_NAME, f"{argument}.schedule", value.schedule), float(value.peak_value))
    return None if value is None else Track(as_schedule(_NAME, argument, value))


def value_at(tracks: Tracks, initial: Any, step: int) -> Any:
    """The value of a key at a step, from the value that its group began with."""
    if isinstance(tracks, tuple):
        return tuple(value_at(entry, begun, step) for entry, begun in zip(tracks, initial, strict=True))
    if tracks is None:
        return initial
    return (initial if tracks.peak_value is None else tracks.peak_value) * tracks.schedule(step)


def snapshots(tracks: Tracks) -> Any:
    """What a checkpoint keeps: plain data."""
    if isinstance(tracks, tuple):
        return [snapshots(entry) for entry in tracks]
    return None if tracks is None else {"peak_value": tracks.peak_value, **snapshot(tracks.schedule)}


def difference(key: str, saved: Any, tracks: Tracks, initial: Any, step: int) -> str | None:
    """How a key goes on differently from what was saved, in words; None where it does not."""
    if isinstance(tracks, tuple) and isinstance(saved, (list, tuple)) and len(saved) == len(tracks):
        entries = zip(saved, tracks, initial, strict=True)
        return next((told for entry in entries if (told := difference(key, *entry, step))), None)
    if isinstance(tracks, Track) and isinstance(saved, Mapping):
        data = {key: value for key, value in saved.items() if key != "peak_value"}
        found = find_mismatch("load_state_dict", data, tracks.schedule, step)
        old, new = saved.get("peak_value"), tracks.peak_value
        if found is not None:
            return found.message(step, "rate" if key == "lr" else key, float(initial if new is None else new))
        return None if old == new else f"its peak value was {old!r}, and is {new!r}"
    return None if tracks is None and saved is None else "only one of the two has a schedule there"
