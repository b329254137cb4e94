"""Schedules as text in the notation of other libraries: a call after the prefix ``hf:``, ``optax:`` or ``torch:``."""

from __future__ import annotations

import inspect
import math
import re
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import funcsched as fs
from bridges.arguments import instance_of
from bridges.rated import Rated
from funcsched.core.validation import suggestion
from funcsched.serialization.expression import named_numbers
from funcsched.serialization.syntax import ExpressionParser, ParseError, shortened


def from_expression(text: str, /, **numbers: float) -> Rated:
    """Read a schedule from an expression of this library or of another.

    Args:
        text: an expression that `funcsched.parse` reads, or a prefix and a call:

            - a peak learning rate times such an expression, ``3e-4 * warmup_cosine(10, 100)``, as `identify` writes it
            - ``hf:`` and a scheduler type of transformers, with the arguments of `bridges.transformers`
            - ``optax:`` and a function of `optax.schedules`, whose arguments may be calls of others
            - ``torch:`` and a class of `torch.optim.lr_scheduler` without its optimizer, whose learning rate is 1; its
              arguments may be calls of others

            Other arguments are numbers, strings, True, False, None, lists and tuples. Numbers may be combined with
            ``+ - * / //`` and parentheses. Nothing else is evaluated. The framework is imported only if its prefix is
            used.
        numbers: the values of other names in `text`, as in `funcsched.parse`.

    Returns:
        The schedule and its peak value: the learning rate at multiplier 1 if the expression contains learning rates,
        and otherwise 1.

    Raises:
        ParseError: a ValueError. The text is not an expression, uses an unknown name, or a function refuses its
            arguments.
        TypeError, ValueError: `text` is not a string, or a number is invalid, as in `funcsched.parse`.
        ModuleNotFoundError: the framework of the prefix is not installed.

    Example:
        >>> from bridges.expressions import from_expression
        >>> from_expression("hf:cosine(num_warmup_steps=10, num_training_steps=100)").schedule
        warmup_cosine(warmup_steps=10, total_steps=100)
        >>> from_expression("torch:SequentialLR([LinearLR(0.25, total_iters=10), ConstantLR(1)], [10])").schedule(5)
        0.625
    """
    instance_of(str, "a string")("from_expression", "text", text)
    if (peak := re.match(r"\s*([\d_.]+(?:e[+-]?\d+)?)\s*\*", text)) and (value := _positive_number(peak[1])):
        return Rated(fs.parse(text[peak.end() :].strip(), **numbers), value)
    prefix, colon, _ = text.partition(":")
    library = prefix.strip()
    if not colon or not library.isidentifier():  # for example, a colon after a mistake inside a call
        return Rated(fs.parse(text, **numbers), 1.0)
    if library not in _NOTATIONS:
        known = ", ".join(f"'{name}:'" for name in _NOTATIONS)
        hint = suggestion(library, _NOTATIONS, f"the prefixes are {known}")
        raise ParseError(f"from_expression: unknown prefix '{shortened(library)}:'; {hint}")
    notation = _NOTATIONS[library]()
    values = named_numbers("from_expression", numbers)
    parser = _NotationParser("from_expression", text, len(prefix) + 1, values)
    parser.functions = notation.functions
    start = parser.at
    value = parser.parse(notation.kind, f"a call after '{library}:'")
    rated: Rated = parser.call(start, notation.finish, value)
    return rated


class _Notation(NamedTuple):
    """The functions of a library, the type of their results, and the conversion of a result."""

    functions: Mapping[str, Callable[..., Any]]
    kind: type
    finish: Callable[[Any], Rated]


class _NotationParser(ExpressionParser):
    """Parses the names of another library."""

    argument_errors = (Exception,)  # the other library may raise anything
    functions: Mapping[str, Callable[..., Any]]

    def function(self, name: str, at: int) -> Callable[..., Any]:
        if name not in self.functions:
            known = [*self.numbers, *sorted(self.functions)]
            hint = suggestion(name, known, f"the names are {', '.join(known)}")
            raise self.error(at, f"unknown name {shortened(name)!r}; {hint}")
        return self.functions[name]

    def named_value(self, name: str, at: int) -> Any:
        return self.call(at, self.function(name, at))  # parentheses without arguments are optional


def _hf() -> _Notation:
    from bridges.transformers import SCHEDULER_TYPES, from_scheduler_type

    common = _keyword_only(from_scheduler_type)
    functions = {
        name: _with_signature(partial(from_scheduler_type, name), [*common, *_keyword_only(build)])
        for name, build in SCHEDULER_TYPES.items()
    }
    return _Notation(functions, fs.Schedule, lambda schedule: Rated(schedule, 1.0))


def _optax() -> _Notation:
    from bridges import optax

    others = ("OptaxSchedule", "to_optax", "from_optax", "inject_plan", "reduce_on_plateau", "scale_by_controller")
    functions = {name: getattr(optax, name) for name in optax.__all__ if name not in others}
    return _Notation(functions, Rated, lambda rated: rated)


def _torch() -> _Notation:
    import torch

    from bridges.torch import from_lr_scheduler

    schedulers = torch.optim.lr_scheduler
    # CyclicLR and OneCycleLR need an optimizer with a momentum, which they change too.
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0, momentum=0.9)

    def build(kind: Any, *arguments: Any, **keywords: Any) -> Any:
        if kind is not schedulers.ChainedScheduler:
            arguments = (optimizer, *arguments)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a nested scheduler warns about the order of steps
            return kind(*arguments, **keywords)

    def with_optimizer(kind: Any) -> Callable[..., Any]:
        parameters = inspect.signature(kind).parameters.values()
        return _with_signature(partial(build, kind), [p for p in parameters if p.name != "optimizer"])

    def finish(scheduler: Any) -> Rated:
        (rated,) = from_lr_scheduler(scheduler)
        return rated

    unsupported = ("LRScheduler", "LambdaLR", "MultiplicativeLR", "ReduceLROnPlateau")
    names = [name for name in schedulers.__all__ if name not in unsupported]
    functions = {name: with_optimizer(getattr(schedulers, name)) for name in names}
    return _Notation(functions, schedulers.LRScheduler, finish)


def _keyword_only(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]


def _with_signature(function: partial[Any], parameters: list[inspect.Parameter]) -> Callable[..., Any]:
    """The function with declared parameters, which the errors about its arguments need."""
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return function


def _positive_number(text: str) -> float | None:
    try:
        return value if 0 < (value := float(text)) < math.inf else None
    except ValueError:
        return None


_NOTATIONS: dict[str, Callable[[], _Notation]] = {"hf": _hf, "optax": _optax, "torch": _torch}
