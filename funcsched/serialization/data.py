"""Schedules as plain data: for configuration files, checkpoints and other languages."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error
from funcsched.core.value import Value
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

FORMAT = 1
DEPTH = 50  # of schedules inside each other
MOST = 10_000  # of schedules, shapes and lists in all: anchors of YAML multiply with each level
_BUILDERS = tuple(f"funcsched.{package}." for package in ("shapes", "primitives", "combinators", "recipes"))
_builders: dict[str, Any] = {}
_VARIADIC = 0x04  # the flag of a code object that takes *arguments


def to_dict(schedule: Schedule) -> dict[str, Any]:
    """A schedule as plain data: dictionaries, lists, strings, numbers, True, False and None.

    ``{"format": 1, "schedule": {name: {argument: value, ...}}}``

    Args:
        schedule: a schedule without functions of your own in it, and with Python numbers.

    Returns:
        What `from_dict` makes the same schedule of. It passes through JSON, YAML and TOML (which drops None) unchanged:
        the floats that these write come back bit for bit. Every argument is there, defaults too; a shape
        without arguments is its name.

    Raises:
        TypeError: `schedule` is none, or holds a function or an array.

    Example:
        >>> import funcsched as fs
        >>> fs.to_dict(fs.ramp(0.0, 1.0, steps=10, shape=fs.cosine))
        {'format': 1, 'schedule': {'ramp': {'start': 0.0, 'stop': 1.0, 'steps': 10, 'shape': 'cosine'}}}
    """
    if not isinstance(schedule, Schedule):
        raise argument_error("to_dict", "schedule", "a schedule", schedule, TypeError)
    return {"format": FORMAT, "schedule": _plain(schedule, "schedule")}


def from_dict(data: dict[str, Any]) -> Schedule:
    """The schedule of plain data that `to_dict` made, or that was written by hand.

    Args:
        data: ``{"format": 1, "schedule": {name: {argument: value, ...}}}`` with the names of the public functions and
            their arguments. Arguments that have defaults may be left out.

    Returns:
        A schedule, equal to the one that the data was made of.

    Raises:
        TypeError, ValueError: a name, an argument or a format that does not exist, more than 50 schedules or lists
            inside each other or 10,000 in all, or what the named function itself refuses. The sentence begins with the
            place in the data.

    Example:
        >>> import funcsched as fs
        >>> data = {"format": 1, "schedule": {"warmup_linear": {"warmup_steps": 10, "total_steps": 100}}}
        >>> fs.from_dict(data)
        warmup_linear(warmup_steps=10, total_steps=100)
        >>> fs.from_dict(fs.to_dict(fs.from_dict(data))) == fs.from_dict(data)
        True
    """
    if not isinstance(data, dict):
        raise argument_error("from_dict", "data", "a dictionary", data, TypeError)
    for key in data:
        if key not in ("format", "schedule"):
            raise argument_error("from_dict", "data", "of the keys 'format' and 'schedule' alone", key)
    if type(data.get("format")) is not int or data["format"] != FORMAT:
        raise argument_error("from_dict", "format", f"{FORMAT}", data.get("format"))
    schedule = _built(data.get("schedule"), "schedule", DEPTH, DEPTH, iter(range(MOST)))
    if not isinstance(schedule, Schedule):
        raise argument_error("from_dict", "schedule", "a schedule", data.get("schedule"), TypeError)
    return schedule


def fingerprint(schedule: Schedule) -> str:
    """A short name for a schedule, the same on every machine and for every version of Python.

    Args:
        schedule: as in `to_dict`.

    Returns:
        16 hexadecimal digits of the SHA-256 of the plain data as JSON: equal for equal schedules, and for others
        different but by a chance of 2**-64.

    Raises:
        TypeError: as in `to_dict`.

    Example:
        >>> import funcsched as fs
        >>> fs.fingerprint(fs.constant(1)) == fs.fingerprint(fs.constant(1.0)) != fs.fingerprint(fs.constant(0.5))
        True
    """
    from hashlib import sha256  # these two are not needed to train
    from json import dumps

    text = dumps(to_dict(schedule), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(text.encode()).hexdigest()[:16]


def builders() -> dict[str, Any]:
    """The names that plain data may use: the public functions that build schedules and shapes, and the shapes."""
    if not _builders:  # used for every entry of the data
        import funcsched

        public = {name: vars(funcsched)[name] for name in funcsched.__all__ if name in vars(funcsched)}
        _builders.update((name, value) for name, value in public.items() if _builds(value) and name != "tabulate")
    return _builders


def _builds(value: Any) -> bool:
    return not isinstance(value, type) and getattr(value, "__module__", "").startswith(_BUILDERS)


def _plain(value: Any, place: str) -> Any:
    if isinstance(value, Value):
        builder = builders().get(value.factory)
        if isinstance(builder, Value) and builder == value:
            return value.factory
        if builder is None or isinstance(builder, Value):
            raise argument_error(
                "to_dict", place, "without functions (`tabulate` makes a table of one)", value, TypeError
            )
        arguments = value.arguments().items()
        return {value.factory: {name: _plain(item, f"{place}.{value.factory}.{name}") for name, item in arguments}}
    if isinstance(value, tuple):
        return [_plain(item, f"{place}[{i}]") for i, item in enumerate(value)]
    if value is None or isinstance(value, (bool, str)) or is_concrete(value):
        return value
    raise argument_error("to_dict", place, "a Python number", value, TypeError)


def _built(data: Any, place: str, depth: int, lists: int, count: Iterator[int]) -> Any:
    """The value of an argument: a schedule or a shape where a name of one stands."""
    if isinstance(data, (list, dict)) and next(count, None) is None:
        raise ValueError(f"from_dict: `{place}` must be one of at most {MOST} schedules and lists")
    if isinstance(data, list):
        if lists == 0:
            raise ValueError(f"from_dict: `{place}` must be at most {DEPTH} deep")
        return [_built(item, f"{place}[{i}]", depth, lists - 1, count) for i, item in enumerate(data)]
    known_names = builders()
    if isinstance(data, str) and isinstance(known_names.get(data), Value):
        return known_names[data]
    if not isinstance(data, dict):
        return data
    if depth == 0:
        raise ValueError(f"from_dict: `{place}` must be at most {DEPTH} deep")
    if len(data) != 1:
        raise argument_error("from_dict", place, "one name and its arguments", data)
    ((name, arguments),) = data.items()
    builder = known_names.get(name) if isinstance(name, str) else None
    if builder is None:
        raise argument_error("from_dict", place, "one of " + ", ".join(sorted(known_names)), name)
    place = f"{place}.{name}"
    if isinstance(builder, Value):
        raise argument_error("from_dict", place, f"the word {name!r} alone", data)
    if not isinstance(arguments, dict):
        raise argument_error("from_dict", place, "a dictionary of arguments", arguments, TypeError)
    names, _, _ = parameters(builder)
    for key in arguments:
        if key not in names:
            raise argument_error("from_dict", place, "of the arguments " + ", ".join(names), key)
    given = {key: _built(item, f"{place}.{key}", depth - 1, lists, count) for key, item in arguments.items()}
    try:
        return called(builder, given)
    except (TypeError, ValueError) as error:
        raise type(error)(f"from_dict: at `{place}`: {error}") from error


def parameters(builder: Callable[..., Any]) -> tuple[tuple[str, ...], int, bool]:
    """The names of the arguments, how many of them may be given without, and whether there may be any number."""
    code = getattr(builder, "__wrapped__", builder).__code__
    variadic = bool(code.co_flags & _VARIADIC)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + variadic], code.co_argcount, variadic


def called(builder: Callable[..., Any], arguments: dict[Any, Any]) -> Any:
    """What the builder makes of arguments by name; those of any number are one list."""
    return builder(arguments.get("schedules", [])) if parameters(builder)[2] else builder(**arguments)
