"""A cache for expensive constants, computed on first use, so that building a schedule is cheap."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Function = TypeVar("Function", bound=Callable[..., object])

MAX_RESULTS = 64  # of each function; the longest result takes some megabytes


def cached(function: Function) -> Function:
    """The same function of hashable arguments, which remembers its latest results.

    Not `functools.lru_cache`, which torch.compile traces through.
    """
    results: dict[tuple[object, ...], object] = {}

    def constant(*arguments: object) -> object:
        try:
            return results[arguments]
        except KeyError:
            result = results[arguments] = function(*arguments)
        for oldest in list(results)[:-MAX_RESULTS]:
            results.pop(oldest, None)
        return result

    # What torch.compiler.assume_constant_result does. Decimals cannot be traced, and long loops take minutes.
    constant._dynamo_marked_constant = True  # type: ignore[attr-defined]

    def call(*arguments: object) -> object:
        # torch.compile turns numbers that differ between two schedules into symbols; a set makes it use their values.
        return constant(*[next(iter({argument})) for argument in arguments])

    call.__doc__ = function.__doc__
    return call  # type: ignore[return-value]
