"""Every public schedule, with ordinary and awkward parameters, and what exact mathematics says of each.

A new schedule joins the whole suite by a line here: its expression, its oracle, and its boundaries with the value
declared there.
"""

from dataclasses import dataclass, field
from functools import cache

from mpmath import mpf

import funcsched as fs
from tests import oracle


@dataclass(frozen=True)
class Case:
    text: str
    exact: oracle.Curve = field(compare=False)
    ends: dict[int, float] = field(compare=False)  # at each boundary and past the end, the declared multiplier

    over: int | None = field(default=None, compare=False)  # from here on constant; by default the last of the ends

    @property
    def horizon(self) -> int:
        return max(self.ends) if self.over is None else self.over

    @property
    def schedule(self) -> fs.Schedule:
        return eval(self.text, vars(fs))

    def __str__(self) -> str:
        return self.text.replace(" ", "")


def _warmup_decay(name: str, warmup: int, total: int, *, start: float = 0.0, end: float = 0.0, **cycles: float) -> Case:
    given = {"start": start, "end": end, **cycles}
    text = ", ".join([str(warmup), str(total), *(f"{key}={value!r}" for key, value in given.items())])
    ends = {0: start if warmup else 1.0 if total else end, -1: start if warmup else 1.0 if total else end}
    ends |= {warmup: 1.0} if warmup < total else {}
    if not cycles or name != "warmup_cosine" or cycles["cycles"] == 0.5:
        ends |= {total: end, total + 1: end, 2 * total + 7: end}
    return Case(f"{name}({text})", getattr(oracle, name)(warmup, total, start, end, **cycles), ends, total)


def _ramp(start: float, stop: float, steps: int, shape: str = "linear", curve=oracle.linear) -> Case:
    text = f"ramp({start!r}, {stop!r}, steps={steps}, shape={shape})"
    ends = {-1: start, 0: start, steps: stop, steps + 1: stop} if steps else {-1: stop, 0: stop, 1: stop}
    return Case(text, oracle.ramp(start, stop, steps, curve), ends)


HORIZONS = [
    (0, 1),
    (1, 1),
    (1, 2),
    (0, 10),
    (10, 10),
    (3, 7),
    (10, 100),
    (1000, 100_000),
    (777, 1_234_567),
    (0, 2**24),
    (2**24 - 3, 2**24 + 5),
    (123_457, 33_333_333),
    (12_345_678, 10**9),
    (10, 999_999_937),
]
LEVELS = [(0.0, 0.0), (0.1, 0.1), (0.0, 1e-3), (0.3, 0.7), (1.0, 0.0), (0.5, 2.0), (1e-30, 1e-8)]

CASES = [
    Case("constant()", oracle.constant(1.0), {0: 1.0, 10: 1.0}),
    Case("constant(0.3)", oracle.constant(0.3), {-1: 0.3, 0: 0.3, 10: 0.3}),
    *(
        Case(f"warmup_constant({w}, start={s!r})", oracle.warmup_constant(w, s), {0: s if w else 1.0, w: 1.0})
        for w, s in [(0, 0.0), (1, 0.0), (7, 0.1), (1000, 0.0), (2**24 + 1, 0.3), (10**9, 0.0), (10, 1.0), (10, 2.0)]
    ),
    *(_warmup_decay("warmup_linear", w, t) for w, t in HORIZONS),
    *(_warmup_decay("warmup_cosine", w, t) for w, t in HORIZONS),
    *(
        _warmup_decay("warmup_linear", w, t, start=s, end=e)
        for w, t, levels in [(10, 100, LEVELS), (999, 10**9, LEVELS[1:5])]
        for s, e in levels
    ),
    *(
        _warmup_decay("warmup_cosine", w, t, start=s, end=e)
        for w, t, levels in [(10, 100, LEVELS), (999, 10**9, LEVELS[1:5])]
        for s, e in levels
    ),
    *(
        _warmup_decay("warmup_cosine", w, t, end=e, cycles=c)
        for w, t, e in [(10, 100, 0.1), (5, 1_234_567, 0.0), (0, 10**9, 0.0)]
        for c in (0.25, 0.75, 1.0, 1.5, 3.5)
    ),
    *(_warmup_decay("warmup_cosine", 3, 1000, cycles=c) for c in (0.4, 0.7, 1 / 3, 0.7071, 1.2345, 123.456)),
    *(
        _warmup_decay("warmup_cosine_restarts", w, t, end=e, cycles=c)
        for w, t, e in [(0, 1, 0.0), (10, 10, 0.1), (10, 100, 0.1), (5, 1_234_567, 0.0), (0, 10**9, 0.0)]
        for c in (1, 2, 3, 7)
    ),
    *(_ramp(a, b, n) for a, b in LEVELS for n in (7, 10**9)),
    _ramp(0.0, 1.0, 1),
    _ramp(0.1, 0.0, 1000),
    *(_ramp(a, b, 999, "cosine", oracle.cosine) for a, b in LEVELS),
    *(
        _ramp(a, b, n, f"power({p!r})", oracle.power(p))
        for a, b, n in [(0.0, 1.0, 1000), (1.0, 0.0, 1000), (1.0, 0.0, 10**9), (0.0, 0.1, 10**9), (1.0, 0.1, 1)]
        for p in (0.5, 0.9, 1.5, 2.0, 7.3)
    ),
    _ramp(0.5, 0.25, 0),
    Case(
        "join([ramp(0, 1, steps=5), constant(1), ramp(1, 0, steps=7, shape=cosine)], [5, 20])",
        oracle.join([oracle.ramp(0, 1, 5), oracle.constant(1), oracle.ramp(1, 0, 7, oracle.cosine)], [5, 20]),
        {0: 0.0, 5: 1.0, 20: 1.0, 27: 0.0},
    ),
    Case(
        "join([constant(i / 8) for i in range(9)], [10 * i + 1 for i in range(8)])",
        oracle.join([oracle.constant(i / 8) for i in range(9)], [10 * i + 1 for i in range(8)]),
        {0: 0.0} | {10 * i + 1: (i + 1) / 8 for i in range(8)},
    ),
    Case(
        "join([ramp(i / 8, 1, steps=9, shape=[linear, cosine][i % 2]) for i in range(9)],"
        " [10 * i + 1 for i in range(8)])",
        oracle.join(
            [oracle.ramp(i / 8, 1, 9, [oracle.linear, oracle.cosine][i % 2]) for i in range(9)],
            [10 * i + 1 for i in range(8)],
        ),
        {0: 0.0, 81: 1.0} | {10 * i + 1: (i + 1) / 8 for i in range(8)},
    ),
    Case(
        "join([warmup_cosine(i, 100 + i) for i in range(1, 7)], [10**8 * i for i in range(1, 6)])",
        oracle.join([oracle.warmup_cosine(i, 100 + i) for i in range(1, 7)], [10**8 * i for i in range(1, 6)]),
        {0: 0.0, 1: 1.0} | {10**8 * i: 0.0 for i in range(1, 6)} | {10**8 * 5 + 6: 1.0},
        10**8 * 5 + 106,
    ),
    Case("join([constant(0.5), warmup_linear(2, 9)], [0])", oracle.warmup_linear(2, 9), {-1: 0.0, 0: 0.0, 2: 1.0}, 9),
    Case(
        "scale(warmup_cosine(10, 100, end=0.1), 0.3)",
        oracle.scale(oracle.warmup_cosine(10, 100, 0.0, 0.1), 0.3),
        {0: 0.0, 10: 0.3},
        100,
    ),
    Case("shift(warmup_linear(10, 100), 1)", oracle.shift(oracle.warmup_linear(10, 100), 1), {9: 1.0, 99: 0.0}),
    Case("shift(warmup_linear(10, 100), 10)", oracle.shift(oracle.warmup_linear(10, 100), 10), {-7: 1.0, 0: 1.0}, 90),
    Case(
        "shift(join([warmup_cosine(10, 100), warmup_linear(1, 10**9)], [100]), 50)",
        oracle.shift(oracle.join([oracle.warmup_cosine(10, 100), oracle.warmup_linear(1, 10**9)], [100]), 50),
        {50: 0.0, 51: 1.0, 10**9 + 50: 0.0},
    ),
]

# Horizons past 32 bits: token counts. Not for JAX without x64.
LONG = [
    _warmup_decay("warmup_linear", 2**31 + 1, 2**33),
    _warmup_decay("warmup_cosine", 10**10, 10**12 + 7, end=0.1),
    _warmup_decay("warmup_cosine", 0, 2**40, cycles=1.5),
    _warmup_decay("warmup_cosine_restarts", 10, 3 * 10**12, cycles=5),
    _ramp(1.0, 0.0, 2**45 + 1, "power(2.0)", oracle.power(2.0)),
]


@cache
def steps(case: Case) -> tuple[int, ...]:
    """Below 0, every boundary with its neighbours, the last ten steps, steps between, past the end, past 2**24."""
    chosen = {-(2**31) + 1, -100, -1, 0, 1, 2, 3, 2**24 - 1, 2**24, 2**24 + 1, 2**31 - 1}
    marks = sorted({mark for mark in case.ends if mark >= 0} | {case.horizon})
    for mark in marks:
        chosen |= {mark + offset for offset in range(-10, 11)}
    # Between the boundaries: the multiples of an irrational number fall everywhere.
    for low, high in zip([0, *marks], marks, strict=False):
        chosen |= {low + int((high - low) * (0.6180339887498949 * k % 1)) for k in range(1, 25)}
    limit = 2**31 if max(marks) < 2**31 else 2**62
    return tuple(sorted(step for step in chosen if step < limit))


@cache
def exact(case: Case, step: int | float) -> mpf:
    return case.exact(step)
