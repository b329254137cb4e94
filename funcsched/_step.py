"""A step as the pieces of a schedule see it: exact counts from their own beginning, never a wrap."""

from __future__ import annotations

from funcsched._exact import ONE, accurate, known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Step:
    """The number of updates already made, counted from `origin`, in the number system `xp`.

    A count is a Python number or an array; where a float step is counted in integers it is the pair (whole, part) with
    part in [0, 1) or, counting backwards, in (-1, 0]. `xp.real` makes one float of either.
    """

    __slots__ = ("origin", "part", "raw", "until", "xp")

    def __init__(self, xp: Any, raw: Any, part: Any = None, origin: Any = 0, until: Any = None) -> None:
        self.xp = xp
        self.raw = raw
        self.part = part
        self.origin = origin
        self.until = until  # the count that this piece is never asked for, where a join knows it

    def before(self, boundary: Any) -> Any:
        """Whether the step comes before `boundary`; a step below 0 counts as 0."""
        if known(self.origin, boundary):
            begin = self.origin + boundary
            if 0 < begin and (self.xp.largest is None or begin <= self.xp.largest):
                return self.raw < begin
        if self.xp.largest is not None and known(boundary) and boundary > self.xp.largest:
            return self._elapsed() >= 0  # it cannot be counted, so it is never reached
        return self._elapsed() < boundary

    def since(self, boundary: Any, until: Any = None) -> Step:
        """The same step, counted from `boundary`."""
        origin = self.origin + boundary
        if self.xp.largest is not None and known(origin):
            origin = min(origin, self.xp.largest)  # later beginnings are never reached
        return Step(self.xp, self.raw, self.part, origin, until)

    def ahead(self, steps: Any) -> Step:
        """The step that comes `steps` later, at most the largest that can be counted."""
        raw = self._elapsed()
        if self.xp.largest is not None:
            raw = self.xp.minimum(raw, self.xp.largest - steps)
        return Step(self.xp, raw + steps, self.part)

    def index(self, boundaries: Any) -> Any:
        """How many of the increasing boundaries the step has reached."""
        return self.xp.index(self.xp.table(boundaries), self._elapsed())

    def place(self, length: int) -> Any:
        """The step as an index into a row of a length, whose last item holds."""
        count = self.xp.minimum(self._elapsed(), length - 1)
        return self.xp.integers(self.xp.where(count == count, count, 0))

    def count(self) -> Any:
        """All steps that have elapsed."""
        return self._elapsed() if self.part is None else (self._elapsed(), self.part)

    def times(self, factor: int) -> Step:
        """The step on a clock that runs `factor` times as fast, at most the largest that can be counted."""
        raw = self._elapsed()
        if self.xp.largest is not None:
            raw = self.xp.minimum(raw, self.xp.largest // factor)
        if self.part is None:
            return Step(self.xp, raw * factor)
        part = self.part * factor
        carry = self.xp.floor(part)
        safe = self.xp.where(carry == carry, carry, 0.0)
        return Step(self.xp, raw * factor + self.xp.whole(safe), part - carry)

    def less(self, fraction: Any) -> Step:
        """The step that comes a fraction of a step before."""
        if self.part is None and (known(self.raw) or self.xp.bits == 53):
            return Step(self.xp.for_floats(), self.xp.maximum(self._elapsed() - fraction, 0))
        part = (0.0 if self.part is None else self.part) - fraction
        under = part < 0
        whole = self.xp.where(under, self._elapsed() - 1, self._elapsed())
        return Step(self.xp.for_floats(), whole, self.xp.where(under, part + 1.0, part))

    def divided(self, factor: Any) -> Step:
        """The step on a clock that runs `factor` times as slow, where that is no whole number."""
        xp = self.xp
        if known(self.raw):
            return Step(xp.for_floats(), self._elapsed() / factor)
        value, rest = accurate(xp, ONE, self.count(), factor)
        if xp.bits == 53:
            return Step(xp.for_floats(), value + rest)
        whole = xp.floor(value)
        part = (value - whole) + rest
        under, over = part < 0, part >= 1
        part = xp.where(under, part + 1.0, xp.where(over, part - 1.0, part))
        whole = xp.where(under, whole - 1.0, xp.where(over, whole + 1.0, whole))
        return Step(xp.for_floats(), xp.whole(xp.where(whole == whole, whole, 0.0)), part)

    def cycle(self, period: Any, times: int | None) -> tuple[Any, Step]:
        """How many periods have passed, and the step counted from the last; after `times` of them, its end."""
        xp, count, part = self.xp, self._elapsed(), self.part
        if times is not None:
            last = period * times
            if xp.largest is not None and known(last):
                last = min(last, xp.largest)
            if part is not None:
                part = xp.where(count >= last, 0.0 * part, part)
            count = xp.minimum(count, last)
        elif known(count):
            count = min(count, 2.0**53) if isinstance(count, float) else count  # infinity has no place in a period
        elif xp.bits == 53:
            count = xp.minimum(count, 2.0**53)
        cycle, count = xp.divmod(count, period)
        if times is not None:
            over = cycle >= times
            cycle = xp.where(over, times - 1, cycle)
            count = xp.where(over, period + 0 * count, count)
        return cycle, Step(xp, count, part)

    def phase(self, steps: Any) -> tuple[Any, Any]:
        """How many of the first `steps` steps have elapsed and how many remain."""
        xp, origin = self.xp, self.origin
        if known(origin, steps):
            # Clipped before anything is subtracted: unsigned and extreme steps would wrap.
            end = origin + steps
            last = end if xp.largest is None else min(end, xp.largest)
            inside = xp.clip(self.raw, origin, last)
            elapsed = inside - origin
            remaining = end - inside if last == end else steps - elapsed
        else:
            elapsed = xp.minimum(self._elapsed(), steps)
            remaining = steps - elapsed
        if self.part is None:
            return elapsed, remaining
        # Times 0 and not 0 outside the phase: a NaN step stays NaN.
        part = xp.where((self.raw >= origin) & (remaining > 0), self.part, self.part * 0.0)
        return (elapsed, part), (remaining, -part)

    def hold(self, level: Any) -> Any:
        """The level in the shape of the step; NaN where the step is NaN."""
        return self.xp.full(self.raw if self.part is None else (self.raw, self.part), level)

    def value(self) -> Any:
        """The step for a foreign function: at least 0, of an integer type where the step had one."""
        elapsed = self._elapsed()
        if self.part is not None:
            return self.xp.real((elapsed, self.part))
        return self.xp.integers(elapsed) if self.xp.integer else elapsed

    def _elapsed(self) -> Any:
        raw = self.xp.maximum(self.raw, 0)
        return raw if known(self.origin) and self.origin == 0 else self.xp.maximum(raw - self.origin, 0)
