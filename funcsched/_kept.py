"""Results that take long and are asked for again: computed at their first use, so that to build a schedule is cheap."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Function = TypeVar("Function", bound=Callable[..., object])

MOST = 64  # results of each function: the longest takes some megabytes


def kept(function: Function) -> Function:
    """The same function of numbers, whose last results are kept.

    `functools.lru_cache` would add its own import to that of the core, and torch.compile traces through it.
    """
    results: dict[tuple[object, ...], object] = {}

    def constant(*arguments: object) -> object:
        try:
            return results[arguments]
        except KeyError:
            result = results[arguments] = function(*arguments)
        for oldest in list(results)[:-MOST]:
            results.pop(oldest, None)
        return result

    # As torch.compiler.assume_constant_result does: decimals cannot be traced, and long loops take minutes.
    constant._dynamo_marked_constant = True  # type: ignore[attr-defined]

    def call(*arguments: object) -> object:
        # Of numbers that differ between two schedules torch.compile makes variables; in a set it needs their values.
        return constant(*[next(iter({argument})) for argument in arguments])

    call.__doc__ = function.__doc__
    return call  # type: ignore[return-value]
