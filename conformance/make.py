"""Write the conformance vectors: exact values of every schedule at sampled steps, for implementations in any language.

python -m conformance.make

The values come from the reference implementation (tests/oracle.py), never from the schedules of this library.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import mpmath

import funcsched as fs
from funcsched.serialization.data import FORMAT
from tests import oracle
from tests.cases import CASES, LONG, Case

VERSION = 1
FOLDER = Path(__file__).parent / f"v{VERSION}"
DIGITS = 25
FAR = (2**24 + 1, 2**31 - 1, 2**31, 10**12)
LARGEST_STEP = 2**53  # every JSON parser represents integers up to here
GOLDEN_RATIO = 0.6180339887498949  # the fractional parts of its multiples are spread evenly between 0 and 1


def _restarts(period: int, factor: int, count: int) -> dict[int, float]:
    """The multiplier at the first step of each cycle of `cosine_restarts`, by step."""
    return {period * (factor**i - 1) // (factor - 1): 1.0 for i in range(count)}


def _polynomial(warmup: int, total: int, end: float, exponent: float) -> Case:
    shape = oracle.reverse(oracle.power(exponent))
    return Case(
        f"warmup_polynomial({warmup}, {total}, end={end!r}, exponent={exponent!r})",
        oracle.phases(0.0, (warmup, 1.0, oracle.linear), (total - warmup, end, shape)),
        {0: 0.0 if warmup else 1.0, warmup: 1.0, total: end},
    )


# Cases at which other implementations fail, in addition to those in tests/cases.py.
KNOWN_FAILURES = [
    # step * (1 / total) exceeds 1 at the end for these totals, so 1 minus it is negative and its square root is NaN.
    *(
        Case(f"warmup_linear(0, {total})", oracle.warmup_linear(0, total), {0: 1.0, total: 0.0})
        for total in (3, 30, 803, 1000, 120_000)
    ),
    *(_polynomial(warmup, total, end, 0.9) for warmup, total, end in [(0, 10, 0.0), (0, 1000, 0.0), (10, 90_000, 0.1)]),
    # 1 + cos loses all digits to cancellation in the last steps of a long horizon.
    *(
        Case(
            f"warmup_cosine({warmup}, {total}, end={end!r})",
            oracle.warmup_cosine(warmup, total, 0.0, end),
            {0: 0.0 if warmup else 1.0, warmup: 1.0, total: end},
        )
        for warmup, total, end in [(0, 10**5, 0.0), (1000, 10**7, 0.0), (1000, 10**7, 1e-6), (0, 10**6, 0.1)]
    ),
    Case(
        "warmup_cosine_restarts(1000, 10000000, cycles=3)",
        oracle.warmup_cosine_restarts(1000, 10**7, cycles=3),
        {0: 0.0, 1000: 1.0, 3_334_000: 1.0, 6_667_000: 1.0, 10**7: 0.0},
    ),
    # A decay that is not clamped at its end becomes negative.
    *(
        Case(
            f"warmup_stable_decay({warmup}, {stable}, {decay}, decay_shape={shape})",
            oracle.phases(
                0.0, (warmup, 1.0, oracle.linear), (stable, 1.0, oracle.linear), (decay, 0.0, getattr(oracle, shape))
            ),
            {0: 0.0, warmup: 1.0, warmup + stable: 1.0, warmup + stable + decay: 0.0},
        )
        for warmup, stable, decay in [(10, 0, 90), (1000, 8_999_000, 1_000_000)]
        for shape in ("linear", "sqrt")
    ),
    # floor(log(...)) is off by one at restarts.
    *(
        Case(
            f"cosine_restarts({period}, period_factor={factor}, end=0.1)",
            oracle.repeat(oracle.ramp(1, 0.1, period, oracle.cosine), period, None, factor),
            _restarts(period, factor, count),
            endless=True,
        )
        for period, factor, count in [(1, 3, 12), (2, 10, 9), (10, 2, 20)]
    ),
    Case(
        "cosine_restarts(10, times=3)",
        oracle.repeat(oracle.ramp(1, 0, 10, oracle.cosine), 10, 3),
        {0: 1.0, 10: 1.0, 20: 1.0, 30: 0.0},
    ),
    # Off-by-one errors at boundaries.
    Case(
        "one_cycle(1, 5)",
        oracle.phases(0.04, (1, 1.0, oracle.cosine), (4, 4e-6, oracle.cosine)),
        {0: 0.04, 1: 1.0, 5: 4e-6},
    ),
    Case("multistep([1, 2, 3], 0.5)", oracle.factors([1, 2, 3], [0.5] * 3), {0: 1.0, 1: 0.5, 2: 0.25, 3: 0.125}),
    Case(
        "step_decay(1000000, 0.5)",
        oracle.exponential_decay(0.5, 10**6, True),
        {0: 1.0, 10**6 - 1: 1.0, 10**6: 0.5, 3 * 10**6 - 1: 0.25, 3 * 10**6: 0.125},
        3 * 10**7,
        endless=True,
    ),
]
# For horizons of 2**50 and more, 25 digits do not distinguish neighbouring floats.
ALL = [case for case in [*CASES, *LONG, *KNOWN_FAILURES] if case.horizon < 2**50]


def by_name() -> dict[str, list[Case]]:
    """The cases of each schedule, by its name in `to_dict`."""
    groups: dict[str, list[Case]] = {}
    for case in ALL:
        groups.setdefault(next(iter(fs.to_dict(case.schedule)["schedule"])), []).append(case)
    return dict(sorted(groups.items()))


def integers(data: Any) -> Iterator[int]:
    """All integers in nested parameters; most are lengths or boundaries."""
    if type(data) is int:
        yield data
    elif isinstance(data, (dict, list)):
        for item in data.values() if isinstance(data, dict) else data:
            yield from integers(item)


def sampled_steps(case: Case) -> list[int]:
    """Steps below 0, around and between boundaries, just before the end, past the end, and far past it."""
    boundaries = sorted({step for step in case.boundary_values if step >= 0} | {case.horizon})
    steps = {-(2**31), -100, -1, 0, 1, 2, *FAR}
    lengths = set(integers(fs.to_dict(case.schedule)["schedule"]))
    for step in {*boundaries, *lengths, *(2 * length for length in lengths)}:
        steps |= {step - 1, step, step + 1}
    end = case.horizon
    steps |= {end - remaining for remaining in (2, 3, 10, 100, 1000) if 2 * remaining <= end}
    steps |= {2 * end + 1, 2 * end - 1 - min(lengths, default=0), 3 * end + 7, 1000 * end}
    per_phase = math.ceil(12 / max(len(boundaries) - 1, 1))
    for low, high in zip([0, *boundaries], boundaries, strict=False):
        steps |= {low + int((high - low) * (GOLDEN_RATIO * k % 1)) for k in range(1, per_phase + 1)}
    return sorted(step for step in steps if step <= LARGEST_STEP)


def boundary_value(case: Case, step: int) -> float | None:
    """The multiplier that every implementation must match with ==, or None where a tolerance applies."""
    if step < 0:
        return case.boundary_values.get(0)
    if step > case.horizon and not case.endless:
        return case.boundary_values.get(case.horizon)
    return case.boundary_values.get(step)


def rounded(exact: mpmath.mpf, bits: int) -> float:
    """The nearest float with `bits` bits (24 or 53), ties to even, subnormals included."""
    min_exponent = {24: -125, 53: -1021}[bits]  # of normal numbers, as returned by `frexp`
    _, exponent = mpmath.frexp(exact)
    if not exact or exponent < min_exponent - bits:
        return 0.0
    unit = Fraction(2) ** (max(exponent, min_exponent) - bits)
    negative, significand, power, _ = exact._mpf_
    magnitude = float(round(Fraction(int(significand)) * Fraction(2) ** power / unit) * unit)
    return -magnitude if negative else magnitude


def hexadecimal(value: float, digits: int) -> str:
    """`float.hex` with `digits` hexadecimal digits after the point: 13 for float64, 6 for float32."""
    if value == 0:
        return "0x0.0p+0"
    if value < 0:
        return "-" + hexadecimal(-value, digits)
    text, power = value.hex().split("p")
    return f"{text[: len('0x1.') + digits]}p{power}"


def value_entry(case: Case, step: int) -> dict[str, Any]:
    """One entry of "values": the exact value at `step`, rounded to 25 digits and to both float widths."""
    exact = case.exact(step)
    text = mpmath.nstr(exact, DIGITS)
    double, single = rounded(exact, 53), rounded(exact, 24)
    expected = boundary_value(case, step)
    if expected is not None and (double, single) != (expected, rounded(mpmath.mpf(expected), 24)):
        raise AssertionError(f"{case}: the boundary value at step {step} is {expected!r}, but the formula gives {text}")
    if float(text) != double:
        raise AssertionError(f"{case}: {DIGITS} digits do not identify the float64 at step {step}: {text}")
    return {
        "step": step,
        "value": text,
        "float64": hexadecimal(double, 13),
        "float32": hexadecimal(single, 6),
        **({} if expected is None else {"exact": True}),
    }


def _case_text(case: Case) -> str:
    head = {
        "expression": repr(case.schedule),
        "schedule": fs.to_dict(case.schedule)["schedule"],
        "ulps": case.ulps,
        "scale": case.scale,
        "held_from": None if case.endless else case.horizon,
    }
    values = ",\n".join("    " + json.dumps(value_entry(case, step), allow_nan=False) for step in sampled_steps(case))
    lines = "".join(f"   {json.dumps(key)}: {json.dumps(item, allow_nan=False)},\n" for key, item in head.items())
    return f'  {{\n{lines}   "values": [\n{values}\n   ]\n  }}'


def file(name: str, cases: list[Case]) -> str:
    """The text of the file of one schedule, with one value per line, so that diffs are readable."""
    head = f' "version": {VERSION},\n "format": {FORMAT},\n "name": {json.dumps(name)},\n'
    return f'{{\n{head} "cases": [\n' + ",\n".join(map(_case_text, cases)) + "\n ]\n}\n"


def index(files: dict[str, str]) -> str:
    """The text of the manifest: for each file, the numbers of cases and values and the SHA-256."""
    entries: list[dict[str, Any]] = []
    for name, text in files.items():
        cases = json.loads(text)["cases"]
        entries.append(
            {
                "name": name,
                "file": f"{name}.json",
                "cases": len(cases),
                "values": sum(len(case["values"]) for case in cases),
                "sha256": sha256(text.encode()).hexdigest(),
            }
        )
    totals = {key: sum(entry[key] for entry in entries) for key in ("cases", "values")}
    return json.dumps({"version": VERSION, "format": FORMAT, **totals, "files": entries}, indent=1) + "\n"


def main() -> None:
    texts = {name: file(name, cases) for name, cases in by_name().items()}
    files = {f"{name}.json": text for name, text in texts.items()} | {"index.json": index(texts)}
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.iterdir():
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (FOLDER / name).write_bytes(text.encode())
    manifest = json.loads(files["index.json"])
    size = sum(len(text) for text in files.values())
    print(f"{len(texts)} schedules, {manifest['cases']} cases, {manifest['values']} values, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
