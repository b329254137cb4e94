"""The description of the schedules and base values in the state of a scheduler, and how two of them differ."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import isclose
from typing import Any, NamedTuple

from bridges.torch.hyperparameters import KeySchedule, ValueSchedule, finite_number
from bridges.torch.values import texts
from funcsched.analysis.checkpoint import find_mismatch, snapshot
from funcsched.core.validation import optional

_NAME = "load_state_dict"
_TOLERANCE = 1e-6  # relative; a base value may be a float32 tensor in one run and a Python float in the other


class Difference(NamedTuple):
    """How a run would differ from the one that saved a state, in words, and the key whose value or curve differs."""

    text: str
    base_value: str = ""
    schedule: str = ""


def describe(schedules: Mapping[str, Sequence[KeySchedule]], base_values: Mapping[str, Sequence[Any]]) -> str:
    """The schedules and base values of all groups as JSON, for `find_differences`.

    They are one string, because `torch.distributed.checkpoint` loads a state in place, entry by entry, and the
    structure of this description may differ between runs.
    """
    data = {
        key: [_to_data(entry, base) for entry, base in zip(entries, base_values[key], strict=True)]
        for key, entries in schedules.items()
    }
    return json.dumps(data)


def _to_data(schedule: KeySchedule, base: Any) -> Any:
    if isinstance(schedule, tuple):
        return [
            _to_data(entry, value) or {"base_value": float(value)} for entry, value in zip(schedule, base, strict=True)
        ]
    if schedule is None:
        return None
    value = {"base_value": float(base)} if schedule.peak_value is None else {"peak_value": schedule.peak_value}
    return {**value, **snapshot(schedule.schedule)}


def find_differences(
    text: Any,
    schedules: Mapping[str, Sequence[KeySchedule]],
    base_values: Mapping[str, Sequence[Any]],
    step: int,
    replaced: Collection[str],
) -> list[Difference]:
    """How a run that continues at `step` would differ from the run that saved a description.

    Args:
        text: the result of `describe` in the saved run, or anything else in a state of another scheduler.
        schedules, base_values: those of the current run.
        step: the step of the resume (int, 0 to 2**53).
        replaced: keys whose base values are meant to differ, because `lambda_lr` got `base_values` for them.

    Raises:
        ValueError: a description has the right form, but contains a malformed schedule.
    """
    saved = _from_json(text)
    if not isinstance(saved, dict) or not all(isinstance(entries, list) for entries in saved.values()):
        text = "the state does not describe its schedules, because it was not saved by a scheduler of `lambda_lr`"
        return [Difference(text)]
    if set(saved) != set(schedules):
        old, new = (", ".join(map(repr, sorted(keys))) for keys in (saved, schedules))
        return [Difference(f"the scheduled hyperparameters differ (checkpoint: {old}; current: {new})")]
    for key, entries in schedules.items():
        if len(saved[key]) != len(entries):
            found = f"the numbers of parameter groups differ (checkpoint: {len(saved[key])}; current: {len(entries)})"
            fix = "; a group that the saved run added later must be added again before loading"
            return [Difference(found + (fix if len(saved[key]) > len(entries) else ""))]
    return [
        difference
        for key, entries in schedules.items()
        for i, (old, entry, base) in enumerate(zip(saved[key], entries, base_values[key], strict=True))
        for difference in _differences(key, i, old, entry, base, step, key in replaced)
    ]


def ways_to_continue(differences: Sequence[Difference], base_values: Mapping[str, Sequence[Any]], step: int) -> str:
    """What to do about differences. The arguments are those of `find_differences` and its result."""
    replaced = {
        difference.base_value: _common(base_values[difference.base_value])
        for difference in differences
        if difference.base_value
    }
    ways = []
    if replaced:
        what = "a new peak" if list(replaced) == ["lr"] else "new base values"
        ways.append(f"for {what}, use `lambda_lr(..., base_values={replaced})`")
    if any(difference.schedule for difference in differences):
        ways.append(
            f"to change the schedule without a jump, branch off with `fs.then(old, {step}, end, steps=remaining)`"
        )
    ways.append(
        f"to continue with the current schedules and base values, use `lambda_lr(..., step={step})` without this state,"
        ' or `lambda_lr(..., on_mismatch="warn")`'
    )
    return "; ".join(ways)


def _common(values: Sequence[Any]) -> Any:
    """The base values of all groups as `lambda_lr` takes them: one value, or a list if they differ."""
    plain = [tuple(map(float, value)) if isinstance(value, (tuple, list)) else float(value) for value in values]
    return plain[0] if len(set(plain)) == 1 else plain


def _differences(
    key: str, group: int, saved: Any, schedule: KeySchedule, base: Any, step: int, replaced: bool
) -> Iterator[Difference]:
    """How one key of one group differs."""
    different = f"the checkpoint was made with a different schedule for {key!r} of group {group}: "
    if isinstance(schedule, tuple) and isinstance(saved, list) and len(saved) == len(schedule):
        for entry in zip(saved, schedule, base, strict=True):
            yield from _differences(key, group, *entry, step, replaced)
    elif schedule is None and isinstance(saved, dict) and set(saved) == {"base_value"}:  # a fixed value in a tuple
        yield from _base_difference(key, group, saved, base, replaced)
    elif isinstance(schedule, ValueSchedule) and isinstance(saved, dict):
        old_peak = _number(key, group, saved, "peak_value")
        data = {name: value for name, value in saved.items() if name not in ("peak_value", "base_value")}
        mismatch = find_mismatch(_NAME, f"schedules[{key!r}][{group}]", data, schedule.schedule, step)
        peak = schedule.peak_value
        if mismatch is not None:
            quantity, unit = "learning rate" if key == "lr" else key, float(base if peak is None else peak)
            old_unit = old_peak if old_peak is not None else _number(key, group, saved, "base_value")
            yield Difference(different + mismatch.message(step, quantity, unit, old_unit), schedule=key)
        if old_peak != peak:
            yield Difference(f"{different}`peak_value` differs (checkpoint: {old_peak!r}; current: {peak!r})")
        if peak is None:
            yield from _base_difference(key, group, saved, base, replaced)
    elif schedule is not None or saved is not None:
        yield Difference(f"{different}checkpoint: {_kind(saved)}; current: {_kind(schedule)}")


def _base_difference(key: str, group: int, saved: dict[str, Any], base: Any, replaced: bool) -> Iterator[Difference]:
    old = _number(key, group, saved, "base_value")
    if old is not None and not replaced and not isclose(old, float(base), rel_tol=_TOLERANCE):
        what = "rates" if key == "lr" else f"values of {key!r}"
        old_text, current_text = texts(old, float(base))
        text = f"the base {what} of group {group} differ (checkpoint: {old_text}; current: {current_text})"
        yield Difference(text, base_value=key)


def _number(key: str, group: int, saved: dict[str, Any], name: str) -> float | None:
    number: float | None = optional(finite_number)(_NAME, f"schedules[{key!r}][{group}].{name}", saved.get(name))
    return number


def _kind(schedule: Any) -> str:
    """The kind of a saved or current schedule, for an error message."""
    if isinstance(schedule, (list, tuple)):
        return f"a tuple of {len(schedule)}"
    return "no schedule" if schedule is None else "one schedule"


def _from_json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
