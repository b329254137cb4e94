"""Identify random logs of every schedule: ``python -m tests.evidence.identify_all [RUNS] [KIND ...]``.

Each run has random parameters, 20 to 500 points, 4 to 9 digits and 10% of its points missing. For each kind it prints
how often the curve was identified, how often with certainty, and the slowest run. The exit status is 1 if a result that
was reported as certain is wrong.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random

import funcsched as fs
from funcsched.core.schedule import Schedule
from funcsched.evidence.identify import Identified, identify
from funcsched.evidence.logs import read_log

Draw = Callable[[Random, int], Schedule]


def number(random: Random, low: float, high: float) -> float:
    """A random number with one to three digits, as people write them."""
    return float(f"{random.uniform(low, high):.{random.randint(1, 3)}g}")


def steps_of(random: Random, low: float, high: float) -> int:
    """A random number of steps, rounded in three of four cases."""
    steps = random.uniform(low, high)
    digits = max(len(str(int(steps))) - random.choice([1, 2, 3, 9]), 0)
    return max(round(steps / 10**digits) * 10**digits, 2)


def end(random: Random) -> dict[str, float]:
    return random.choice([{}, {"end": 0.1}, {"end": number(random, 0.001, 0.3)}])


def warmup(random: Random, total: int) -> int:
    return steps_of(random, 0.03 * total, 0.25 * total)


def offset(random: Random) -> dict[str, int]:
    return random.choice([{}, {}, {"warmup_offset": 1}])


KINDS: dict[str, Draw] = {
    "constant": lambda r, n: fs.constant(1.0),
    "warmup_constant": lambda r, n: fs.warmup_constant(warmup(r, n), **offset(r)),
    "warmup_linear": lambda r, n: fs.warmup_linear(warmup(r, n), n, **end(r), **offset(r)),
    "warmup_linear without warmup": lambda r, n: fs.warmup_linear(0, n, **end(r)),
    "warmup_cosine": lambda r, n: fs.warmup_cosine(warmup(r, n), n, **end(r), **offset(r)),
    "warmup_cosine with start": lambda r, n: fs.warmup_cosine(warmup(r, n), n, start=number(r, 0.01, 0.5), **end(r)),
    "warmup_cosine with cycles": lambda r, n: fs.warmup_cosine(warmup(r, n), n, cycles=r.choice([1.0, 1.5, 2.0, 3.0])),
    "warmup_half_cosine": lambda r, n: fs.warmup_half_cosine(warmup(r, n), n, **end(r)),
    "warmup_polynomial": lambda r, n: fs.warmup_polynomial(
        warmup(r, n), n, exponent=r.choice([0.5, 2.0, 3.0, number(r, 0.6, 4)]), **end(r)
    ),
    "warmup_stable_decay": lambda r, n: fs.warmup_stable_decay(
        w := warmup(r, n), s := steps_of(r, 0.2 * n, 0.5 * n), max(n - w - s, 2), **end(r)
    ),
    "warmup_stable_decay with shape": lambda r, n: fs.warmup_stable_decay(
        w := warmup(r, n),
        s := steps_of(r, 0.2 * n, 0.5 * n),
        max(n - w - s, 2),
        decay_shape=r.choice([fs.cosine, fs.sqrt, fs.sine]),
        **end(r),
    ),
    "tri_stage": lambda r, n: fs.tri_stage(
        w := warmup(r, n), s := steps_of(r, 0.2 * n, 0.5 * n), max(n - w - s, 2), **end(r)
    ),
    "warmup_inverse_sqrt": lambda r, n: fs.warmup_inverse_sqrt(warmup(r, n)),
    "warmup_inverse_sqrt with timescale": lambda r, n: fs.warmup_inverse_sqrt(
        warmup(r, n), timescale=steps_of(r, 0.05 * n, n)
    ),
    "inverse_sqrt": lambda r, n: fs.inverse_sqrt(steps_of(r, 0.05 * n, n)),
    "noam": lambda r, n: fs.noam(r.choice([256, 512, 768, 1024]), warmup(r, n)),
    "power_law": lambda r, n: fs.power_law(warmup(r, n), exponent=r.choice([0.51, 0.8, number(r, 0.3, 1.5)])),
    "warmup_exponential": lambda r, n: fs.warmup_exponential(
        warmup(r, n), steps_of(r, 0.2 * n, n), number(r, 0.05, 0.9)
    ),
    "exponential_decay": lambda r, n: fs.exponential_decay(number(r, 0.05, 0.9), steps_of(r, 0.2 * n, n)),
    "warmup_exponential in stairs": lambda r, n: fs.warmup_exponential(
        warmup(r, n), steps_of(r, 0.15 * n, 0.4 * n), number(r, 0.1, 0.9), staircase=True, **offset(r)
    ),
    "inverse_power": lambda r, n: fs.inverse_power(steps_of(r, 0.1 * n, n), r.choice([0.51, 0.8, number(r, 0.3, 1.5)])),
    "inverse_time": lambda r, n: fs.inverse_time(number(r, 0.1, 3), steps_of(r, 0.1 * n, n)),
    "hypot_decay": lambda r, n: fs.hypot_decay(steps_of(r, 0.1 * n, 0.6 * n), r.choice([0.25, 0.5, 1.0])),
    "saturating_exponential": lambda r, n: fs.saturating_exponential(steps_of(r, 0.1 * n, 0.6 * n)),
    "step_decay": lambda r, n: fs.step_decay(steps_of(r, 0.12 * n, 0.4 * n), r.choice([0.1, 0.5, number(r, 0.1, 0.9)])),
    "multistep": lambda r, n: fs.multistep([steps_of(r, 0.3 * n, 0.4 * n), steps_of(r, 0.6 * n, 0.8 * n)]),
    "piecewise_constant": lambda r, n: fs.piecewise_constant(
        [steps_of(r, 0.3 * n, 0.4 * n), steps_of(r, 0.6 * n, 0.8 * n)],
        levels=[1.0, number(r, 0.3, 0.7), number(r, 0.01, 0.2)],
    ),
    "one_cycle": lambda r, n: fs.one_cycle(steps_of(r, 0.2 * n, 0.4 * n), n),
    "one_cycle in three phases": lambda r, n: fs.one_cycle(w := steps_of(r, 0.2 * n, 0.4 * n), n, decay_steps=w),
    "warmup_cosine_linear": lambda r, n: fs.warmup_cosine_linear(warmup(r, n), n, steps_of(r, 0.1 * n, 0.4 * n)),
    "warmup_cosine_restarts": lambda r, n: fs.warmup_cosine_restarts(warmup(r, n), n, cycles=r.choice([2, 3, 4])),
    "cosine_restarts": lambda r, n: fs.cosine_restarts(steps_of(r, 0.12 * n, 0.4 * n), **end(r)),
    "cosine_restarts that change": lambda r, n: fs.cosine_restarts(
        steps_of(r, 0.1 * n, 0.2 * n), period_factor=r.choice([1.0, 2.0]), level_factor=r.choice([0.5, 0.8])
    ),
    "cosine_restarts with warmup": lambda r, n: fs.cosine_restarts(
        p := steps_of(r, 0.15 * n, 0.4 * n), warmup_steps=steps_of(r, 0.2 * p, 0.5 * p), **end(r)
    ),
    "cosine_restarts with times": lambda r, n: fs.cosine_restarts(
        steps_of(r, 0.05 * n, 0.12 * n), times=3, period_factor=r.choice([1.0, 2.0]), level_factor=r.choice([0.5, 0.8])
    ),
    "cyclic": lambda r, n: fs.cyclic(steps_of(r, 0.1 * n, 0.25 * n), start=number(r, 0.05, 0.5)),
    "cyclic triangular2": lambda r, n: fs.cyclic(steps_of(r, 0.1 * n, 0.2 * n), start=0.1, mode="triangular2"),
    "range_test": lambda r, n: fs.range_test(n, start=r.choice([1e-3, 1e-4, number(r, 1e-4, 1e-2)])),
}


def random_log(kind: str, random: Random) -> tuple[Schedule, float, list[int], list[float], int]:
    """A schedule, its peak, the steps and rates of its log, and the number of digits."""
    count = random.randint(20, 500)
    total = steps_of(random, 10 ** random.uniform(3, 5.3) + count, 10 ** random.uniform(3, 5.3) + 2 * count)
    schedule = KINDS[kind](random, total)
    peak = 1.0 if kind == "noam" else float(f"{number(random, 1, 9.9)}e{random.randint(-5, -1)}")
    digits = random.randint(4, 9)
    last = round(total * random.choice([1.0, 1.0, 1.1]))
    steps = sorted({last * i // (count - 1) for i in range(count)})
    steps = [step for step in steps if random.random() >= 0.1]
    return schedule, peak, steps, [float(f"{peak * schedule(step):.{digits}g}") for step in steps], digits


def is_right(result: Identified, schedule: Schedule, peak: float, last: int, digits: int) -> bool:
    """Whether the curves agree at steps up to the last one of the log, within two units of the last digit.

    A curve with jumps between the points of the log agrees only at the points.
    """
    tolerance = 2 * 10.0 ** (1 - digits)
    for i in range(1001):
        step = last * i // 1000
        found, expected = result.peak_value * result.schedule(step - result.counted_from), peak * schedule(step)
        if abs(found - expected) > tolerance * max(abs(expected), 0.02 * peak * schedule_peak(schedule, last)):
            return _has_ranges_of_jumps(result)
    return True


def schedule_peak(schedule: Schedule, last: int) -> float:
    return max(schedule(last * i // 20) for i in range(21))


def _has_ranges_of_jumps(result: Identified) -> bool:
    """Whether the curve jumps at steps that lie between two points of the log, as the result says."""
    factories = "step_decay", "multistep", "piecewise_constant", "cosine_restarts", "warmup_exponential"
    starts = "period", "boundaries", "decay_steps"
    return result.schedule.factory in factories and any(name.startswith(starts) for name, _, _ in result.ranges)


def check_huge_file(megabytes: int = 50) -> None:
    """Read a file of this size and print how much memory it took."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        with path.open("w") as file:
            file.write("step,text,lr\n")
            for step in range(megabytes * 2000):
                file.write(f"{step},{'x' * 480},{0.1 / (1 + step):.6g}\n")
        tracemalloc.start()
        steps, _ = read_log(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        size = path.stat().st_size
    print(f"a file of {size / 1e6:.0f} MB: {len(steps)} points, {peak / 1e6:.1f} MB of memory")
    assert peak < 10e6


def main(arguments: list[str]) -> int:
    runs = int(arguments[0]) if arguments else 30
    kinds = arguments[1:] or list(KINDS)
    total_right = total_certain = wrong = 0
    for kind in kinds:
        right = certain = errors = exact = 0
        slowest = 0.0
        for seed in range(runs):
            schedule, peak, steps, rates, digits = random_log(kind, Random(f"{kind} {seed}"))
            start = time.process_time()
            result = identify(steps, rates)
            slowest = max(slowest, time.process_time() - start)
            is_ok = result is not None and is_right(result, schedule, peak, steps[-1], digits)
            right += is_ok
            if result is not None and result.certain:
                certain += is_ok
                errors += not is_ok
            exact += result is not None and result.schedule == schedule and result.peak_value == peak
            if not is_ok:
                print(f"  seed {seed}, {digits} digits, {len(steps)} points: {peak} * {schedule}")
                print("    got", result and (result.expression, result.certain, result.explained))
        print(
            f"{kind:<36} {right}/{runs} right, {exact} exact, {certain} certain, {errors} wrong, {slowest:.2f} s",
            flush=True,
        )
        total_right, total_certain, wrong = total_right + right, total_certain + certain, wrong + errors
    check_huge_file()
    count = runs * len(kinds)
    print(
        f"{total_right}/{count} right ({total_right / count:.1%}), {total_certain} certain, {wrong} wrong and certain"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
