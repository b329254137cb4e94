"""Simple numbers within an interval: what a person probably wrote."""

from __future__ import annotations

from math import exp, floor, log, log10


def simple_numbers(value: float, spread: float) -> list[float]:
    """Numbers within an interval: 0 if possible, then those with the fewest digits, at last the middle itself."""
    spread += 1e-9 * abs(value) + 1e-300
    found = [0.0] if abs(value) <= spread else []
    if value and abs(value) < 1e300:
        exponent = floor(log10(max(abs(value), 1e-290)))
        for digits in range(1, 9):
            scale = exponent - digits + 1
            middle = round(value / 10.0**scale) if scale >= 0 else round(value * 10.0**-scale)
            for count in (middle, middle - 1, middle + 1):
                number = float(f"{count}e{scale}")
                if abs(number - value) <= spread and number not in found:
                    found.append(number)
            if len(found) >= 4:
                break
    final = float(f"{value:.10g}")
    return [*found[:5], final] if final not in found[:5] else found[:5]


def near(value: float) -> list[float]:
    """The value rounded to at most three digits, if that hardly changes it."""
    rounded = (float(f"{value:.{digits}g}") for digits in (1, 2, 3))
    return [number for number in rounded if number and abs(number - value) <= 1e-4 * abs(value)][:1]


def shape_numbers(value: float, spread: float) -> list[float]:
    """Candidates for a parameter of a shape. Where it is hardly determined, the usual values come first."""
    usual = [0.01, 0.1] if spread > 0.3 * abs(value) else []
    found = [*near(value), *usual, *simple_numbers(value, spread)[: 3 if usual else None]]
    numbers = [number for number in dict.fromkeys(found) if number > 0]
    return numbers if usual else sorted(numbers, key=lambda number: len(f"{number:.12g}"))


def inverse_roots(value: float, spread: float) -> list[float]:
    """Values ``d ** -0.5`` for integers d, the roundest ones first."""
    if value <= 0:
        return []
    low, high = (value + spread) ** -2, (max(value - spread, 1e-3 * value)) ** -2
    center = value**-2
    if high < 1:
        return []
    candidates = {round(center), *(k * unit for unit in (64, 32, 8) for k in (round(center / unit),))}
    chosen = sorted((d for d in candidates if max(low - 0.5, 1) <= d <= high + 0.5), key=lambda d: -(d & -d))
    return [d**-0.5 for d in chosen]


def simple_integers(value: float, spread: float) -> list[float]:
    """Integers within an interval: the roundest first, then those next to the middle."""
    low, high = max(value - spread, 0.0), value + spread
    round_ones: list[int] = []
    unit = 10 ** max(len(str(int(high))), 1)
    while unit >= 1 and len(round_ones) < 4:
        for part in (unit, unit // 2):
            if part:
                nearest = round(value / part) * part
                if low <= nearest <= high and nearest not in round_ones:
                    round_ones.append(nearest)
        unit //= 10
    middle = round(value)
    near = [middle + d for d in (0, 1, -1, 2, -2, 3, -3) if low <= middle + d <= high]
    return [float(n) for n in dict.fromkeys([*round_ones, *near])]


def relative_decays(value: float, spread: float, is_inverse: bool) -> dict[float, tuple[float, int]]:
    """Relative decays per step near a value, each with a simple rate and the number of steps in which it applies.

    The simplest come first, and at last the value itself. An exponential decay is ``-log(rate) / steps``; that of
    `inverse_time` is ``rate / steps``.
    """
    found: dict[float, tuple[float, int]] = {}
    sizes: list[tuple[int, float]] = []
    spread += 1e-15

    def add(rate: float, steps: int, size: int) -> None:
        decay = rate / steps if is_inverse else -log(rate) / steps
        if abs(decay - value) <= spread:
            found[decay] = rate, steps
            sizes.append((size, decay))

    for steps in (first * 10**power for power in range(8) for first in (1, 2, 5)):
        if is_inverse:
            low, high = (value - spread) * steps, (value + spread) * steps
        else:
            low, high = exp(-(value + spread) * steps), exp(-(value - spread) * steps)
        if 1e-30 < low < high < 1e30 and (high <= 1 or is_inverse):
            for rate in simple_numbers((low + high) / 2, (high - low) / 2)[:2]:
                add(rate, steps, len(f"{rate:.12g}") + len(str(steps)) - (steps == 1))
    for thousandths in range(1, 1000):
        rate = thousandths / 100 if is_inverse else thousandths / 1000
        steps = round(rate / value if is_inverse else -log(rate) / value)
        if 1 <= steps <= 1e9:
            add(rate, steps, len(f"{rate:.6g}") + len(str(steps).rstrip("0")) + 1)
    simplest = [decay for _, decay in sorted(sizes)[:8]]
    exact = value if is_inverse else exp(-value)
    return {**{decay: found[decay] for decay in simplest}, value: (exact, 1)}
