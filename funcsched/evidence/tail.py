"""A linear warmup and what follows it, as families of curves."""

from __future__ import annotations

import funcsched as fs
from funcsched.core.schedule import Schedule
from funcsched.evidence.facts import Facts
from funcsched.evidence.family import INTEGER, Family

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Guesses = Callable[[Facts, float], list[list[float]]]
    Fall = Callable[[float, float, Sequence[float]], float]


class Tail:
    """What follows a warmup: a function of (step, end of the warmup, parameters) that falls from 1."""

    def __init__(
        self,
        name: str,
        parameters: Sequence[tuple[str, str]],
        fall: Fall,
        guesses: Guesses,
        *,
        has_end: bool = True,
        replaces: Sequence[str] = (),
        options: dict[str, Any] | None = None,
        convert: Callable[[dict[str, Any]], dict[str, Any]] = lambda given: given,
        bare: Callable[..., Schedule] | None = None,
    ) -> None:
        self.name, self.parameters, self.fall, self.guesses = name, tuple(parameters), fall, guesses
        self.has_end, self.replaces, self.options = has_end, tuple(replaces), options or {}
        self.convert, self.bare = convert, bare

    def family(self, head: str) -> Family:
        """The tail after a warmup: "none", "zero" (from 0), "offset" (`warmup_offset` is 1), "start" (from a level)."""
        fall, has_end, has_start = self.fall, self.has_end, head == "start"
        offset = 1 if head == "offset" else 0
        create: Callable[..., Schedule] = getattr(fs, self.name)

        if head == "none":

            def row(step: int, p: Sequence[float]) -> Sequence[float]:
                g = fall(step, 0.0, p)
                return (g, 1.0 - g) if has_end else (g,)

        else:

            def row(step: int, p: Sequence[float]) -> Sequence[float]:
                w = p[0]
                if step < w:
                    u = min((step + offset) / max(w, 1e-9), 1.0)
                    levels = [u, 1.0 - u] if has_start else [u]
                    return [*levels, 0.0] if has_end else levels
                g = fall(step, w, p[1:])
                levels = [g, 0.0] if has_start else [g]
                return [*levels, 1.0 - g] if has_end else levels

        def guesses(facts: Facts) -> list[list[float]]:
            if head not in facts.heads:
                return []
            if head == "none":
                return [] if facts.warmups else self.guesses(facts, 0.0)
            warmups = facts.warmups
            if not warmups and head == "zero" and facts.first > 1:
                warmups = [0.4 * facts.first]
            return [[w, *rest] for w in warmups for rest in self.guesses(facts, w)]

        def build(values: dict[str, Any], levels: dict[str, Any]) -> Schedule:
            given = {**values, **self.options}
            if head == "none" and self.bare is not None:
                return self.bare(**self.convert(given), **levels)
            if offset:
                given["warmup_offset"] = 1
            given.setdefault("warmup_steps", 0)
            if head in ("zero", "offset"):
                given["start"] = 0.0  # the default of `tri_stage` is 0.01
            return create(**self.convert(given), **levels)

        parameters = self.parameters if head == "none" else (("warmup_steps", INTEGER), *self.parameters)
        levels = [name for name, present in (("start", has_start), ("end", has_end)) if present]
        return Family(self.name, parameters, levels, row, guesses, build, self.replaces)
