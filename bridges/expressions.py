"""Schedules as text in the notation of other libraries: a call after the prefix ``hf:``, ``optax:`` or ``torch:``."""

from __future__ import annotations

import ast
import inspect
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import funcsched as fs
from bridges.arguments import instance_of
from bridges.rated import Rated
from funcsched.core.other_names import PEAKS
from funcsched.core.validation import argument_error, positive, suggestion
from funcsched.serialization.data import without_curve
from funcsched.serialization.expression import EXPECTED, NUMBERS_BY_NAME, ValueParser, named_numbers
from funcsched.serialization.syntax import ExpressionParser, ParseError, shortened

_NAME = "from_expression"


def from_expression(text: str, /, **numbers: float) -> Rated:
    """Read a schedule from an expression of this library or of another.

    Args:
        text: an expression that `funcsched.parse` reads, or a prefix and a call:

            - ``hf:`` and a scheduler type of transformers, with the arguments of `bridges.transformers`; or
              `get_scheduler` or one of its functions ``get_*_schedule*``, without the optimizer. `base_lr` is the
              learning rate of the optimizer.
            - ``optax:`` and a function of `optax.schedules`, whose arguments may be calls of others
            - ``torch:`` and a class of `torch.optim.lr_scheduler` without its optimizer; its arguments may be calls of
              others. The keyword `base_lr` is the learning rate of the optimizer. It is 1 by default, and must be given
              for an `eta_min` above 0, which is a learning rate.

            Other arguments are numbers, strings, True, False, None, lists and tuples. Numbers may be combined with
            ``+ - * / //`` and parentheses. Nothing else is evaluated. The framework is imported only if its prefix is
            used. A number above 0 times an expression multiplies its peak: ``3e-4 * warmup_cosine(10, 100)``, as
            `identify` writes it, or ``1 / 3 * optax:constant_schedule(0.3)``.
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

    Differs: CosineAnnealingLR of torch and the cosines without restarts of transformers rise again after their end.
    Here the last value is held. The momentum of OneCycleLR and CyclicLR is not converted.
    """
    return Reading.of(text, numbers).rated


class Reading(NamedTuple):
    """The schedule of an expression, and how the curve of the other library differs (a sentence, or empty)."""

    rated: Rated
    note: str = ""

    @staticmethod
    def of(text: str, numbers: Mapping[str, float]) -> Reading:
        """As `from_expression`, with a note on how the curve of the other library differs."""
        instance_of(str, "a string")(_NAME, "text", text)
        values = named_numbers(_NAME, numbers)
        before, colon, _ = text.partition(":")
        library = before.rpartition("*")[2].strip()
        # For example, a colon after a mistake inside a call is no prefix.
        if not colon or not library.isidentifier() or before.count("(") > before.count(")"):
            schedule, factor = ValueParser(_NAME, text, values).parse_product(fs.Schedule, EXPECTED)
            return Reading(Rated(schedule, 1.0 if factor is None else factor))
        if library not in _NOTATIONS:
            known = ", ".join(f"'{name}:'" for name in _NOTATIONS)
            hint = suggestion(library, _NOTATIONS, f"the prefixes are {known}")
            raise ParseError(f"{_NAME}: unknown prefix '{shortened(library)}:'; {hint}")
        notation, expected = _NOTATIONS[library](), f"a call after '{library}:'"
        begin, end = len(before.rstrip()) - len(library), len(before) + 1
        parser = _NotationParser(_NAME, text, values, code=text[:begin] + " " * (end - begin) + text[end:])
        parser.notation = notation
        start = len(text) - len(text[end:].lstrip())
        if start == len(text):
            raise parser.error(start, f"unexpected end of the text; expected {expected}")
        value, factor = parser.parse_product(notation.kind, expected)
        (schedule, peak), note = parser.call(start, notation.finish, value)
        return Reading(Rated(schedule, peak if factor is None else peak * factor), note)


class _Notation(NamedTuple):
    """The functions of a library, the type of their results, and the conversion of a result."""

    functions: Mapping[str, Callable[..., Any]]
    kind: type
    finish: Callable[[Any], Reading]
    unsupported: Mapping[str, str]  # the messages about other names of the library
    packages: tuple[str, ...]  # where its code has these names


class _NotationParser(ExpressionParser):
    """Parses the names of another library."""

    argument_errors = (Exception,)  # the other library may raise anything
    notation: _Notation

    def function(self, name: str, at: int, by_name: str = "") -> Callable[..., Any]:
        functions, unsupported = self.notation.functions, self.notation.unsupported
        package, _, last = name.rpartition(".")
        name = last if package in self.notation.packages else name
        if name in unsupported:
            raise self.error(at, unsupported[name])
        if name not in functions:
            known = [*self.numbers, *sorted(functions)]
            hint = suggestion(name, known, f"{by_name}the names are {', '.join(known)}")
            raise self.error(at, f"unknown name {shortened(name)!r}; {hint}")
        return functions[name]

    def named_value(self, name: str, at: int) -> Any:
        by_name = f"{NUMBERS_BY_NAME}{shortened(name)}=100, and "
        return self.call(at, self.function(name, at, by_name))  # parentheses without arguments are optional

    def unknown_argument(self, name: str, function: Callable[..., Any], argument: str) -> str:
        # torch and transformers have one of these.
        own = [peak for peak in ("base_lr", "max_lr") if peak in inspect.signature(function).parameters]
        if argument in PEAKS and own:
            return f"{name} has no argument {argument!r}; did you mean {own[0]!r}?"
        return super().unknown_argument(name, function, argument)

    def _call(self, node: ast.Call, name: str, at: int) -> Any:
        named = [item for item in node.args if self._may_be_called(item)]
        optimizers: list[ast.expr | ast.keyword] = [
            *(item for item in named if self._source(item).rpartition(".")[2] in ("optimizer", "optim", "opt")),
            *(item for item in node.keywords if item.arg == "optimizer"),
        ]
        if optimizers:
            raise self.error(self.at + optimizers[0].col_offset, "leave out the optimizer")
        return super()._call(node, name, at)


def _hf() -> _Notation:
    from bridges import transformers
    from bridges.transformers.scheduler_type import METRIC_TYPES

    def read(name: Any, /, **keywords: Any) -> Reading:
        schedule, peak = transformers.from_scheduler_type(name, **keywords), keywords.get("base_lr")
        return Reading(Rated(schedule, 1.0 if peak is None else float(peak)), _HELD if name in _WAVES else "")

    def read_call(function: str, parameters: inspect.Signature, /, *arguments: Any, **keywords: Any) -> Reading:
        try:
            given = parameters.bind(*arguments, **keywords).arguments
        except TypeError as error:  # an argument is missing
            raise TypeError(f"{function}: {error}") from error
        last_epoch = given.pop("last_epoch", -1)
        if last_epoch != -1:
            raise argument_error(function, "last_epoch", "-1, because a schedule has no state", last_epoch)
        name, others = given.pop("name", _FUNCTIONS.get(function)), given.pop("scheduler_specific_kwargs", None)
        return read(name, **given, **(others or {}))

    common = _keyword_only(transformers.from_scheduler_type)
    (base_lr,) = (parameter for parameter in common if parameter.name == "base_lr")
    functions: dict[str, Callable[..., Any]] = {
        name: _with_signature(partial(read, name), [*common, *_keyword_only(build)])
        for name, build in transformers.SCHEDULER_TYPES.items()
    }
    for name in ("get_scheduler", *_FUNCTIONS):
        parameters = [*_without_optimizer(getattr(transformers, name)), base_lr]
        functions[name] = _with_signature(partial(read_call, name, inspect.Signature(parameters)), parameters)
    controllers = METRIC_TYPES | {"get_reduce_on_plateau_schedule": "plateau", "get_greedy_schedule": "greedy"}
    unsupported = {name: without_curve(name, controller) for name, controller in controllers.items()}
    unsupported["get_adafactor_schedule"] = "get_adafactor_schedule reports rates that Adafactor computes itself"
    return _Notation(functions, Reading, lambda reading: reading, unsupported, ("transformers",))


def _optax() -> _Notation:
    from bridges import optax

    others = ("OptaxSchedule", "to_optax", "from_optax", "inject_plan", "reduce_on_plateau", "scale_by_controller")
    functions = {name: getattr(optax, name) for name in optax.__all__ if name not in others}
    unsupported = {"reduce_on_plateau": without_curve("reduce_on_plateau", "plateau")}
    return _Notation(functions, Rated, Reading, unsupported, ("optax", "optax.schedules", "optax.contrib", "contrib"))


class _TorchCall(NamedTuple):
    """A scheduler that is built when the learning rate of its optimizer is known."""

    kind: Any
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]

    def build(self, optimizer: Any) -> Any:
        def built(value: Any) -> Any:
            if isinstance(value, _TorchCall):
                return value.build(optimizer)
            return [built(item) for item in value] if isinstance(value, (list, tuple)) else value

        first = () if self.kind.__name__ == "ChainedScheduler" else (optimizer,)
        keywords = {name: built(value) for name, value in self.keywords.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a nested scheduler warns about the order of steps
            return self.kind(*first, *map(built, self.arguments), **keywords)


def _torch() -> _Notation:
    import torch

    from bridges.torch.conversion import leaves, rated_of

    schedulers = torch.optim.lr_scheduler
    base_rates: set[float] = set()

    def optimizer(base_lr: float) -> Any:
        # CyclicLR and OneCycleLR need an optimizer with a momentum, which they change too.
        return torch.optim.SGD([torch.zeros(1)], lr=base_lr, momentum=0.9)

    scratch = optimizer(1.0)

    def call(kind: Any, *arguments: Any, **keywords: Any) -> _TorchCall:
        if "base_lr" in keywords and "base_lr" not in inspect.signature(kind).parameters:
            base_rates.add(positive(kind.__name__, "base_lr", keywords.pop("base_lr")))
        found = _TorchCall(kind, arguments, keywords)
        found.build(scratch)  # raises the errors of this call, not of the outer one
        return found

    def with_base_lr(kind: Any) -> Callable[..., Any]:
        parameters = _without_optimizer(kind)
        if not {"base_lr", "max_lr"} & {parameter.name for parameter in parameters}:
            parameters.append(inspect.Parameter("base_lr", inspect.Parameter.KEYWORD_ONLY, default=1.0))
        return _with_signature(partial(call, kind), parameters)

    def finish(found: _TorchCall) -> Reading:
        if len(base_rates) > 1:
            rates = " and ".join(map(repr, sorted(base_rates)))
            raise ValueError(f"all schedulers have the same optimizer, so `base_lr` must be one number, got {rates}")
        scheduler = found.build(optimizer(*base_rates or [1.0]))
        single = [*leaves(scheduler)]
        if not base_rates and any(getattr(leaf, "eta_min", 0) for leaf in single):
            fix = "base_lr=..., the learning rate of the optimizer and the peak of the result"
            raise ValueError(f"`eta_min` is a learning rate, so it needs {fix}")
        (rated,) = rated_of(scheduler)
        rises = any(isinstance(leaf, schedulers.CosineAnnealingLR) for leaf in single)
        return Reading(rated, _HELD_AT_T_MAX if rises else "")

    unsupported = {
        name: f"{name} takes a Python function, which text cannot hold" for name in ("LambdaLR", "MultiplicativeLR")
    }
    unsupported["ReduceLROnPlateau"] = without_curve("ReduceLROnPlateau", "plateau")
    names = [name for name in schedulers.__all__ if name not in (*unsupported, "LRScheduler")]
    functions = {name: with_base_lr(getattr(schedulers, name)) for name in names}
    packages = ("lr_scheduler", "optim.lr_scheduler", "torch.optim.lr_scheduler")
    return _Notation(functions, _TorchCall, finish, unsupported, packages)


def _keyword_only(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]


def _without_optimizer(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(function).parameters.values() if p.name != "optimizer"]


def _with_signature(function: partial[Any], parameters: list[inspect.Parameter]) -> Callable[..., Any]:
    """The function with declared parameters, which the errors about its arguments need."""
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return function


_NOTATIONS: dict[str, Callable[[], _Notation]] = {"hf": _hf, "optax": _optax, "torch": _torch}
# The types of the functions of transformers that depend only on the step.
_FUNCTIONS = {
    "get_constant_schedule": "constant",
    "get_constant_schedule_with_warmup": "constant_with_warmup",
    "get_linear_schedule_with_warmup": "linear",
    "get_cosine_schedule_with_warmup": "cosine",
    "get_cosine_with_hard_restarts_schedule_with_warmup": "cosine_with_restarts",
    "get_polynomial_decay_schedule_with_warmup": "polynomial",
    "get_inverse_sqrt_schedule": "inverse_sqrt",
    "get_cosine_with_min_lr_schedule_with_warmup": "cosine_with_min_lr",
    "get_cosine_with_min_lr_schedule_with_warmup_lr_rate": "cosine_warmup_with_min_lr",
    "get_wsd_schedule": "warmup_stable_decay",
}
_WAVES = ("cosine", "cosine_with_min_lr", "cosine_warmup_with_min_lr")
_HELD = "after its end, the cosine of transformers continues and usually rises again; here the last value is held"
_HELD_AT_T_MAX = "after T_max, the rate of CosineAnnealingLR in torch rises again; here the rate at T_max is held"
