"""The compositions of docs/moving/nemo.md compared with NeMo's formulas, transcribed from its source, at every step.

NeMo is too large to install. Both compute in float64, with at most 8 roundings of numbers up to 1.
"""

import math
import random
import re
from pathlib import Path
from typing import Any

import funcsched as fs

PAGE = Path(__file__).parents[2] / "docs" / "moving" / "nemo.md"
TOLERANCE = 16 * 2.0**-53


def nemo(name: str, step: int, W: int, T: int, r: float, **more: Any) -> float:
    """The learning rate of a scheduler with a peak of 1, as a function of the step."""
    H, C, p = more["H"], more["C"], more["p"]
    if name == "NoamAnnealing":
        s = max(1, step)
        multiplier: float = more["d"] ** -0.5 * min(s**-0.5, s * W**-1.5)
        return max(multiplier, r) if s > W else multiplier
    if name == "CosineAnnealing, constant_steps":
        decay = T - C - W
        if step <= W and W > 0:
            return step / W
        return r + 0.5 * (math.cos(math.pi * (step - W) / decay) + 1) * (1 - r) if step <= W + decay else r
    if step <= W and W > 0:
        return (step + 1) / (W + 1)
    if name in ("PolynomialHoldDecayAnnealing", "NoamHoldAnnealing") and step < W + H:
        return 1.0
    if step > T:
        return r
    u = (step - W) / (T - W)
    return {
        "CosineAnnealing": lambda: (1 - r) * 0.5 * (1 + math.cos(math.pi * u)) + r,
        "WarmupAnnealing": lambda: r + (1 - u) * (1 - r),
        "PolynomialDecayAnnealing": lambda: (1 - r) * (1 - u) ** p + r,
        "PolynomialHoldDecayAnnealing": lambda: (1 - r) * (1 - (step - W - H) / (T - W - H)) ** p + r,
        "WarmupPolicy": lambda: 1.0,
        "SquareAnnealing": lambda: max((1 - u) ** 2, r),
        "SquareRootAnnealing": lambda: max(((T - step) / T) ** 0.5, r),
        "InverseSquareRootAnnealing": lambda: 1 / ((step + 1) / (W + 1)) ** 0.5,
        "NoamHoldAnnealing": lambda: max(max(1, W**p) / max(1, (step - H) ** p), r),
    }[name]()


def compositions() -> dict[str, str]:
    rows = re.findall(r"^\| `(\w+)`(?:, `(\w+)=\w+`)?.* \| `(.*)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {f"{name}, {word}" if word == "constant_steps" else name: code for name, word, code in rows}


def test_every_step_of_every_row_with_random_arguments() -> None:
    draw, rows = random.Random(0), compositions()
    assert len(rows) == 11
    for name, code in rows.items():
        for _ in range(40):
            W, T = draw.choice([int("Noam" in name), draw.randint(1, 30)]), draw.randint(60, 120)
            numbers: dict[str, Any] = {"W": W, "T": T, "r": draw.choice([0.0, 0.1, draw.random()])}
            numbers |= {"H": draw.randint(1, 20), "C": draw.randint(1, 20), "d": draw.randint(1, 64)}
            numbers["p"] = draw.choice([0.5, 1.0, 2.0, draw.uniform(0.1, 3)])
            schedule = eval(code, dict(vars(fs)), numbers)
            errors = [
                (step, schedule(step), nemo(name, step, **numbers))
                for step in range(T + 9)
                if not abs(schedule(step) - nemo(name, step, **numbers)) <= TOLERANCE
            ]
            assert not errors, (name, numbers, errors[:3])
