"""The compositions of docs/moving/ignite.md compared with ignite itself, at every event.

Both compute in float64, with at most 8 roundings of the larger value. ignite multiplies the values of a cycle in place.
"""

import random
import re
from pathlib import Path
from typing import Any

import torch

import funcsched as fs
from tests import peers

peers.require("ignite", "--no-deps pytorch-ignite==0.5.5")
ignite: Any = peers.import_quietly("ignite.handlers.param_scheduler")

PAGE = Path(__file__).parents[2] / "docs" / "moving" / "ignite.md"
TOLERANCE = 40 * 2.0**-53
EVENTS = 120


def rates(scheduler: Any, optimizer: Any) -> list[float]:
    values = []
    for _ in range(EVENTS):
        scheduler(None)
        values.append(optimizer.param_groups[0]["lr"])
    return values


def theirs(there: str, optimizer: Any, v: dict[str, Any]) -> Any:
    name = re.findall(r"`(\w+)`", there)[0]
    if name == "PiecewiseLinear":
        return ignite.PiecewiseLinear(optimizer, "lr", milestones_values=v["knots"])
    parts = [
        ignite.LinearCyclicalScheduler(optimizer, "lr", start, 0.1, 500, monotonic=True) for start in (v["first"], 0.6)
    ]
    if name == "ConcatScheduler":
        return ignite.ConcatScheduler(parts, [v["n"]])
    if name == "create_lr_scheduler_with_warmup":
        return ignite.create_lr_scheduler_with_warmup(parts[0], v["a"], v["n"], v["b"])
    words = eval(f"dict({''.join(re.findall('`, `(.*)`', there))})", {}, v)
    return getattr(ignite, name)(optimizer, "lr", v["a"], v["b"], v["n"], **words)


def rows() -> list[tuple[str, str]]:
    return re.findall(r"^\| (`.*) \| `(.*)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_event_of_every_row_with_random_arguments() -> None:
    draw = random.Random(0)
    assert len(rows()) == 10
    for there, code in rows():
        for _ in range(25):
            steps = sorted(draw.sample(range(100), draw.randint(1, 5)))
            v: dict[str, Any] = {"a": draw.random(), "b": draw.random(), "n": draw.randint(2, 40)}
            v |= {"w": draw.randint(1, 20), "k": draw.randint(1, 3), "m": draw.uniform(0.3, 1)}
            v |= {"knots": [(step, draw.random()) for step in steps]}
            v["first"] = v["b"] if "starts at `b`" in there else 0.9
            s, t = (fs.repeat(fs.ramp(start, 0.1, steps=500), 500) for start in (v["first"], 0.6))
            schedule = eval(code, dict(vars(fs)), {**v, "s": s, "t": t})
            optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.7)
            expected = rates(theirs(there, optimizer, v), optimizer)
            errors = [
                (step, schedule(step), rate)
                for step, rate in enumerate(expected)
                if not abs(schedule(step) - rate) <= TOLERANCE
            ]
            assert not errors, (there, v, errors[:3])


def test_the_warmup_of_a_torch_scheduler_that_starts_at_its_end() -> None:
    for n in (2, 3, 10):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        expected = rates(ignite.create_lr_scheduler_with_warmup(scheduler, 0.1, n), optimizer)
        s = 0.5 * fs.exponential_decay(0.9)
        schedule = fs.join([fs.ramp(0.1, 0.5, steps=n - 1), fs.shift(s, 1)], [n])
        # torch multiplies the last rate by the factor, with one rounding at each step.
        assert all(abs(schedule(step) - rate) <= 1e-15 * (step + 4) for step, rate in enumerate(expected))
