"""A cache for expensive constants, computed on first use, so that building a schedule is cheap."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Function = TypeVar("Function", bound=Callable[..., object])

MAX_RESULTS = 64  # for each function; the longest result takes a few megabytes


def cached(function: Function) -> Function:
    """A decorator for functions of hashable arguments, which keeps the latest results.

    `functools.lru_cache` does not work, because torch.compile traces the function inside it.
    """
    results: dict[tuple[object, ...], object] = {}

    def compute(*arguments: object) -> object:
        try:
            return results[arguments]
        except KeyError:
            result = results[arguments] = function(*arguments)
        for oldest in list(results)[:-MAX_RESULTS]:
            results.pop(oldest, None)
        return result

    # The same as torch.compiler.assume_constant_result, without importing torch: torch.compile calls the function and
    # does not trace it. Decimals cannot be traced, and tracing long loops takes minutes.
    compute._dynamo_marked_constant = True  # type: ignore[attr-defined]

    def call(*arguments: object) -> object:
        # torch.compile replaces numbers that differ between two schedules by symbols. A set makes it use their values.
        return compute(*[next(iter({argument})) for argument in arguments])

    call.__doc__ = function.__doc__
    return call  # type: ignore[return-value]
