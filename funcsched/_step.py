"""A step as the pieces of a schedule see it: exact counts from their own beginning, never a wrap."""

from __future__ import annotations

from funcsched._exact import ONE, accurate, known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_FAR = 2147483000.0  # a float32 from which a few steps are left to the largest int32
COUNTED = 2**63 - 1  # the largest integer that an array compares itself with
_ENDLESS = 10**300  # no step, and still a float


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
                return self.raw < (begin if begin <= COUNTED or known(self.raw) else float(min(begin, _ENDLESS)))
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
        count = self._elapsed()
        if not self.xp.holds_last:
            count = self.xp.minimum(count, length - 1)
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
        # From 2**24 on the quotient has no part, and the rest may be several steps, to be added as integers.
        whole = xp.floor(value)
        part = (value - whole) + rest
        carry = xp.floor(part)
        part = part - carry
        full = part >= 1  # rounded up to the next step
        carry, part = xp.where(full, carry + 1.0, carry), xp.where(full, 0.0, part)
        carry = xp.where(whole < _FAR, carry, 0.0)
        whole, carry = (xp.whole(xp.where(x == x, x, 0.0)) for x in (xp.minimum(whole, _FAR), carry))
        return Step(xp.for_floats(), xp.maximum(whole + carry, 0), part)

    def cycle(self, period: Any, times: int | None) -> tuple[Any, Step]:
        """How many periods have passed, and the step counted from the last; after `times` of them, its end."""
        xp, count, part = self.xp, self._elapsed(), self.part
        cycle, count = xp.divmod(count, period)
        if times is None:
            return cycle, Step(xp, count, part)
        over = cycle >= times
        if xp.largest is not None and known(period):
            period = min(period, xp.largest)
        part = part if part is None else xp.where(over, 0.0 * part, part)
        return xp.where(over, times - 1, cycle), Step(xp, xp.where(over, period + 0 * count, count), part)

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
