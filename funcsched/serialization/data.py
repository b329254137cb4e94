"""Schedules as plain data: for configuration files, checkpoints and other languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from funcsched.core.other_names import argument_hint
from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error, short_repr, suggestion
from funcsched.core.value import Value
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from inspect import Parameter
    from typing import Any

FORMAT = 1
ALL_NAMES = "`funcsched list` shows all names, and `funcsched show` finds those of other libraries"
MAX_DEPTH = 50  # nested schedules and shapes; nested lists have the same limit of their own
MAX_NODES = 10_000  # schedules, shapes and lists in total: a few nested YAML anchors expand to billions
CONTROLLERS = ("plateau", "greedy")
_TAKING_FUNCTIONS = {"curve", "lift", "tabulate"}
# Arguments that were added after the first version, and the functions that have them (None: all). They are omitted at
# their default, so that the data and the fingerprints of older schedules stay the same.
_INVERSE = ("inverse_power", "inverse_sqrt", "inverse_time", "power_law", "warmup_inverse_sqrt")
_ADDED: dict[str, tuple[str, ...] | None] = {"warmup_offset": None, "smooth": None, "end": _INVERSE}
_SERIALIZABLE = ("funcsched.shapes.", "funcsched.primitives.", "funcsched.combinators.", "funcsched.recipes.")


def to_dict(schedule: Schedule) -> dict[str, Any]:
    """Convert a schedule to plain data: dictionaries, lists, strings, numbers, True, False and None.

    ``{"format": 1, "schedule": {name: {argument: value, ...}}}``

    Args:
        schedule: a schedule without Python functions (`lift`) and arrays.

    Returns:
        A dictionary from which `from_dict` builds the same schedule. Arguments at their default are included, except
        those that were added after the first version, such as `warmup_offset`. A shape without arguments is its name.
        The dictionary survives JSON, YAML and TOML, floats bit for bit. TOML has no None: there, omit the arguments
        that are None.

    Raises:
        TypeError: `schedule` is not a schedule, or contains a function or an array.

    Example:
        >>> import funcsched as fs
        >>> fs.to_dict(fs.ramp(0.0, 1.0, steps=10, shape=fs.cosine))
        {'format': 1, 'schedule': {'ramp': {'start': 0.0, 'stop': 1.0, 'steps': 10, 'shape': 'cosine'}}}
    """
    if not isinstance(schedule, Schedule):
        fix = "use plan.to_dict()" if hasattr(schedule, "curves") else ""
        raise argument_error("to_dict", "schedule", "a schedule", schedule, TypeError, fix=fix)
    return {"format": FORMAT, "schedule": _encode(schedule, "schedule")}


def from_dict(data: Mapping[str, Any]) -> Schedule:
    """Build a schedule from plain data, written by `to_dict` or by hand.

    Args:
        data: ``{"format": 1, "schedule": {name: {argument: value, ...}}}`` with the names of the public functions and
            their arguments. Arguments with a default may be omitted. Other mappings and sequences than dictionaries and
            lists are accepted as well, such as those of OmegaConf.

    Returns:
        A schedule, equal to the one that was passed to `to_dict`.

    Raises:
        TypeError, ValueError: an unknown name, argument or format, more than 50 nested schedules or lists, more than
            10,000 of them in total, or an argument that the named function refuses. The message names the place in
            the data.

    Example:
        >>> import funcsched as fs
        >>> data = {"format": 1, "schedule": {"warmup_linear": {"warmup_steps": 10, "total_steps": 100}}}
        >>> fs.from_dict(data)
        warmup_linear(warmup_steps=10, total_steps=100)
        >>> fs.from_dict(fs.to_dict(fs.from_dict(data))) == fs.from_dict(data)
        True
    """
    if not isinstance(data, Mapping):
        fix = "use fs.parse(...) for an expression" if isinstance(data, str) else ""
        raise argument_error("from_dict", "data", "a dictionary", data, TypeError, fix=fix)
    if "plan" in data:
        raise ValueError(f"from_dict: {unknown_schedule('Plan')}")
    for key in data:
        if key not in ("format", "schedule"):
            raise ValueError(
                f"from_dict: unknown key {short_repr(key)} in `data`; the keys are 'format' and 'schedule'"
            )
    if type(data.get("format")) is not int or data["format"] != FORMAT:  # True == 1
        raise argument_error("from_dict", "format", f"{FORMAT}", data.get("format"))
    schedule = _decode(data.get("schedule"), "schedule", MAX_DEPTH, MAX_DEPTH, iter(range(MAX_NODES)))
    if not isinstance(schedule, Schedule):
        requirement = "a schedule, {name: {argument: value, ...}}"
        fix = "use fs.parse(...) for an expression" if isinstance(schedule, str) else ""
        raise argument_error("from_dict", "schedule", requirement, data.get("schedule"), TypeError, fix=fix)
    return schedule


def fingerprint(schedule: Schedule) -> str:
    """A short hash of a schedule, the same on every machine and in every Python version.

    Args:
        schedule: a schedule without Python functions (`lift`) and arrays, as in `to_dict`.

    Returns:
        The first 16 hexadecimal digits of the SHA-256 of the schedule's plain data as JSON. Equal schedules have equal
        fingerprints; two different schedules collide with probability 2**-64.

    Raises:
        TypeError: as in `to_dict`.

    Example:
        >>> import funcsched as fs
        >>> fs.fingerprint(fs.constant(1)) == fs.fingerprint(fs.constant(1.0)) != fs.fingerprint(fs.constant(0.5))
        True
    """
    from hashlib import sha256  # imported here, because `to_dict` and `from_dict` need neither
    from json import dumps

    text = dumps(to_dict(schedule), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(text.encode()).hexdigest()[:16]


@cache
def registry() -> dict[str, Any]:
    """The public functions and shapes that text and plain data may name."""
    import funcsched

    # Of the names that are imported on first use, none belongs here.
    public = {name: value for name, value in vars(funcsched).items() if name in funcsched.__all__}
    return {name: value for name, value in public.items() if _is_serializable(value) and name not in _TAKING_FUNCTIONS}


def _is_serializable(value: Any) -> bool:
    return not isinstance(value, type) and getattr(value, "__module__", "").startswith(_SERIALIZABLE)


def _encode(value: Any, path: str) -> Any:
    """A schedule or an argument as plain data; `path` is its place in errors."""
    if isinstance(value, Value):
        factory = registry().get(value.factory)
        if isinstance(factory, Value):  # a shape without arguments
            return value.factory
        if factory is None:
            raise TypeError(
                f"to_dict: `{path}` is a Python function, which plain data cannot hold: {short_repr(value)}; "
                "use fs.tabulate(...) to sample it into a table"
            )
        arguments = [(name, item) for name, item in value.arguments().items() if not _is_omitted(value, name, item)]
        return {value.factory: {name: _encode(item, f"{path}.{value.factory}.{name}") for name, item in arguments}}
    if isinstance(value, tuple):
        return [_encode(item, f"{path}[{i}]") for i, item in enumerate(value)]
    if value is None or isinstance(value, (bool, str)) or is_concrete(value):
        return value
    raise argument_error("to_dict", path, "a Python number", value, TypeError)


def _is_omitted(value: Value, name: str, item: Any) -> bool:
    functions = _ADDED.get(name, ())
    return (
        (functions is None or value.factory in functions)
        and (item is False or is_concrete(item))
        and item == value.defaults[name]
    )


def _decode(data: Any, path: str, depth: int, list_depth: int, budget: Iterator[int]) -> Any:
    """A schedule or an argument from plain data; `path` is its place in errors.

    It may contain `depth` levels of schedules and shapes, and `list_depth` levels of lists. `budget` has one item for
    each schedule, shape and list that may still follow in the whole data.
    """
    is_list = isinstance(data, Sequence) and not isinstance(data, (str, bytes))
    if (is_list or isinstance(data, Mapping)) and next(budget, None) is None:
        raise ValueError(f"from_dict: `data` contains more than {MAX_NODES} schedules, shapes and lists")
    if is_list:
        if list_depth == 0:
            raise ValueError(f"from_dict: `{path}` is nested more than {MAX_DEPTH} levels deep")
        return [_decode(item, f"{path}[{i}]", depth, list_depth - 1, budget) for i, item in enumerate(data)]
    factories = registry()
    if isinstance(data, str) and isinstance(factories.get(data), Value):
        return factories[data]
    if not isinstance(data, Mapping):
        return data
    if depth == 0:
        raise ValueError(f"from_dict: `{path}` is nested more than {MAX_DEPTH} levels deep")
    if len(data) != 1:
        raise argument_error("from_dict", path, "a dictionary with one key, the name of a schedule or shape", data)
    ((name, arguments),) = data.items()
    factory = factories.get(name) if isinstance(name, str) else None
    if factory is None:
        raise ValueError(f"from_dict: `{path}`: {unknown_schedule(name)}")
    if isinstance(factory, Value):
        raise ValueError(
            f"from_dict: `{path}`: the shape {name} takes no arguments, got {short_repr(data)}; use {name!r}"
        )
    path = f"{path}.{name}"
    if not isinstance(arguments, Mapping):
        raise argument_error("from_dict", path, "a dictionary of arguments", arguments, TypeError)
    for key in arguments:
        if key not in parameters(factory):
            raise ValueError(f"from_dict: `{path}`: {unknown_argument(name, factory, key)}")
        value = arguments[key]
        is_shape = key.endswith(("shape", "outer", "inner"))
        if is_shape and isinstance(value, str) and not isinstance(factories.get(value), Value):
            shapes = [known for known, shape in factories.items() if isinstance(shape, Value)]
            hint = suggestion(value, shapes, f"the shapes without arguments are {', '.join(shapes)}")
            raise ValueError(f"from_dict: `{path}.{key}`: unknown shape {short_repr(value)}; {hint}")
    values = {key: _decode(item, f"{path}.{key}", depth - 1, list_depth, budget) for key, item in arguments.items()}
    try:
        if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters(factory).values()):
            return factory(values.get("schedules", []))  # `add(*schedules)` and the like also accept one list
        return factory(**values)
    except (TypeError, ValueError) as error:
        raise type(error)(f"from_dict: `{path}`: {error}") from error


@lru_cache
def parameters(function: Callable[..., Any]) -> Mapping[str, Parameter]:
    """The parameters of a function, by name."""
    from inspect import signature

    return signature(function).parameters


def unknown_schedule(name: Any) -> str:
    """The message about a name that is not in the registry."""
    if name == "Plan":
        return "Plan is not a schedule; use fs.Plan.parse for its text, and fs.Plan.from_dict for its data"
    if name in CONTROLLERS:
        return without_curve(name, name)
    if name in _TAKING_FUNCTIONS:
        return f"{name} takes a Python function, which text and data cannot hold; use the table(...) from fs.tabulate"
    schedules = [known for known, value in registry().items() if not isinstance(value, Value)]
    return f"unknown schedule {short_repr(name)}; {suggestion(name, schedules, ALL_NAMES, similarity=0.8)}"


def without_curve(name: str, controller: str) -> str:
    """The message about a name that is a controller, here or in another library."""
    return (
        f"{name} follows a metric, so it is a controller and has no curve over the steps; "
        f"`funcsched show {controller}` explains it"
    )


def unknown_argument(name: str, function: Callable[..., Any], argument: Any) -> str:
    """The message about an argument that a function does not have."""
    names = parameters(function)
    listed = f"arguments: {', '.join(names)}" if names else "it takes no arguments"
    return f"{name} has no argument {short_repr(argument)}; {argument_hint(argument, names, listed)}"
