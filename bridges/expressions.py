"""Schedules as text under the names of other libraries: ``hf:``, ``optax:``, ``torch:`` and a call, or our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from bridges.rated import Rated
from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error
from funcsched.serialization import expression as parsing
from funcsched.serialization.data import DEPTH


class _Peer(NamedTuple):
    """The functions that an expression may call, and what becomes of its value."""

    functions: Mapping[str, Callable[..., Any]]
    finish: Callable[[Any], Rated]


def from_expression(text: str) -> Rated:
    """The schedule of an expression, in the words of this library or of another.

    Args:
        text: an expression that `funcsched.parse` reads; or after a prefix the call of a peer's name:

            - ``hf:`` a type of transformers' scheduler with the arguments of `bridges.transformers`
            - ``optax:`` a function of `optax.schedules`, and others inside it
            - ``torch:`` a class of `torch.optim.lr_scheduler` without its optimizer, whose learning rate is 1, and
              others inside it

            Their arguments are numbers, strings, True, False, None, lists, tuples, and such calls: nothing is
            evaluated. The framework is imported where its prefix is used.

    Returns:
        A schedule and its peak, which is 1 where the expression speaks of multipliers.

    Raises:
        ParseError: a ValueError. The text cannot be read, names what does not exist, or its function refuses the
            arguments.
        TypeError: `text` is no string.
        ModuleNotFoundError: the framework of the prefix is not installed.

    Example:
        >>> from bridges.expressions import from_expression
        >>> from_expression("hf:cosine(num_warmup_steps=10, num_training_steps=100)").schedule
        warmup_cosine(warmup_steps=10, total_steps=100)
        >>> from_expression("torch:SequentialLR([LinearLR(0.25, total_iters=10), ConstantLR(1)], [10])").schedule(5)
        0.625
    """
    if not isinstance(text, str):
        raise TypeError(f"from_expression: `text` must be a string, got an object of type {type(text).__name__}")
    word, colon, _ = text.partition(":")
    prefix = word.strip()
    if not colon or not prefix.isidentifier():
        return Rated(parsing.parse(text), 1.0)
    if prefix not in _PEERS:
        requirement = "of the prefixes " + ", ".join(f"'{known}:'" for known in _PEERS)
        raise argument_error("from_expression", "text", requirement, f"{prefix}:", parsing.ParseError)
    if len(text) > parsing.LONGEST:
        requirement = f"at most {parsing.LONGEST} characters long"
        raise argument_error("from_expression", "text", requirement, len(text), parsing.ParseError)
    peer = _PEERS[prefix]()
    reader = _Reader(text, peer)
    start = reader.start
    value = reader.value(f"a name after '{prefix}:'", DEPTH, DEPTH)
    if reader.kind != "end":
        raise reader.error("the end of the text")
    if not isinstance(value, _Made):
        raise reader.wrong(start, f"a call after '{prefix}:'", repr(value)[:40])
    try:
        return peer.finish(value.value)
    except Exception as error:
        raise reader.refused(start, error) from error


class _Made(NamedTuple):
    """What a call of a peer's made, told apart from numbers and lists."""

    value: Any


class _Reader(parsing.Reader):
    """Reads calls of a peer's names instead of ours."""

    __slots__ = ("peer",)

    def __init__(self, text: str, peer: _Peer) -> None:
        self.peer = peer
        super().__init__(text)
        self.after = text.index(":") + 1
        self.advance()

    def named(self, calls: int, brackets: int) -> Any:
        start, name = self.start, self.token
        function = self.peer.functions.get(name)
        if function is None:
            raise self.unknown(start, name)
        if calls == 0:
            raise self.wrong(start, f"at most {DEPTH} calls inside each other", repr(name))
        self.advance()
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        if self.kind == "mark" and self.token == "(":
            self.advance()
            self._read(name, positional, keywords, calls - 1, brackets)
        try:
            return _Made(function(*_bare(positional), **_bare(keywords)))
        except Exception as error:  # the peer's own code may raise anything
            raise self.refused(start, error) from error

    def _read(self, name: str, positional: list[Any], keywords: dict[str, Any], calls: int, brackets: int) -> None:
        while self.kind != "mark" or self.token != ")":
            if self.kind == "word" and self._equals():
                argument = self.token
                if argument in keywords:
                    raise self.error(f"each argument of {name} once")
                self.advance()
                self.advance()
                keywords[argument] = self.value("a value", calls, brackets)
            elif keywords:
                raise self.error("arguments without names before those with names")
            else:
                positional.append(self.value("an argument or ')'", calls, brackets))
            self.separated(")")
        self.advance()

    def unknown(self, start: int, name: str) -> parsing.ParseError:
        from difflib import get_close_matches

        near = get_close_matches(name[:40], self.peer.functions, n=3)
        return self.wrong(start, "one of " + ", ".join(near or sorted(self.peer.functions)), repr(name[:40]))

    def refused(self, start: int, error: Exception) -> parsing.ParseError:
        sentence = " ".join(str(error).split())
        return parsing.located("from_expression: at ", f": {sentence}", self.text, start)


def _bare(value: Any) -> Any:
    if isinstance(value, _Made):
        return value.value
    if isinstance(value, dict):
        return {name: _bare(item) for name, item in value.items()}
    return type(value)(map(_bare, value)) if isinstance(value, (list, tuple)) else value


def _hf() -> _Peer:
    from bridges.transformers import _TYPES, from_scheduler_type

    def typed(name: str, *positional: Any, **arguments: Any) -> Schedule:
        if positional:
            raise TypeError(f"{name}: arguments must be given by name, got {positional[0]!r}")
        return from_scheduler_type(name, **arguments)

    return _Peer({name: partial(typed, name) for name in _TYPES}, lambda schedule: Rated(schedule, 1.0))


def _optax() -> _Peer:
    from bridges import optax

    others = ("OptaxSchedule", "to_optax", "from_optax")
    return _Peer({name: getattr(optax, name) for name in optax.__all__ if name not in others}, lambda rated: rated)


def _torch() -> _Peer:
    import warnings

    import torch

    from bridges.torch import from_lr_scheduler

    schedulers = torch.optim.lr_scheduler
    # The momentum is there for CyclicLR and OneCycleLR, which move it too.
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0, momentum=0.9)

    def build(kind: Any, *arguments: Any, **keywords: Any) -> Any:
        if kind is not schedulers.ChainedScheduler:
            arguments = (optimizer, *arguments)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of steps in the wrong order, when one is built inside another
            return kind(*arguments, **keywords)

    def finish(scheduler: Any) -> Rated:
        (rated,) = from_lr_scheduler(scheduler)
        return rated

    kinds = {name: getattr(schedulers, name) for name in schedulers.__all__}
    without = ("LRScheduler", "LambdaLR", "MultiplicativeLR", "ReduceLROnPlateau")
    return _Peer({name: partial(build, kind) for name, kind in kinds.items() if name not in without}, finish)


_PEERS: dict[str, Callable[[], _Peer]] = {"hf": _hf, "optax": _optax, "torch": _torch}
