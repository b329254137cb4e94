"""nanoGPT, nanochat, modded-nanogpt, axolotl, open_clip, DINO, diffusers and LLaMA-Factory: the bridges compared with
the formulas of these projects in mpmath, with LLaMA-Factory's call of transformers, and with values computed by hand.

The bridges compute in float64. A value has two roundings for its levels, an error of at most 4 ulp (8 roundings) for
each ramp, three roundings for a product, and one for the product with the peak. `ROUNDINGS` allows for two ramps.
"""

from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

import funcsched as fs
from bridges import axolotl, dino, nanochat, nanogpt, open_clip
from bridges import modded_nanogpt as modded
from bridges.diffusers import get_piecewise_constant_schedule
from bridges.llama_factory import from_scheduler_type
from tests.errors import raises

ROUNDINGS = 22 * 2.0**-53
mpmath.mp.prec = 300
Exact = Callable[[int], Any]
RATES = st.sampled_from([0.0, 1e-3, 0.3, 1.0])
PEAKS = st.sampled_from([6e-4, 0.3, 1.0])
examples = settings(max_examples=60)


def assert_equal(schedule: fs.Schedule, peak_value: float, exact: Exact, steps: int, floor: float = 0.0) -> None:
    """Compare the first steps. The error is relative to the value, or to `floor` if that is larger."""
    for step in range(steps):
        expected = mpf(exact(step))
        assert abs(mpf(peak_value * schedule(step)) - expected) <= ROUNDINGS * max(expected, floor), step


def half_cosine(u: Any, cycles: float = 0.5) -> Any:
    """A cosine from 1 to 0 for fractions from 0 to 1."""
    return (1 + mpmath.cos(2 * mpmath.pi * mpf(cycles) * u)) / 2


def between(start: float, stop: float, u: Any) -> Any:
    return mpf(start) + (mpf(stop) - mpf(start)) * u


# nanoGPT


@examples
@given(peak=PEAKS, low=RATES, warmup=st.integers(0, 20), decay=st.integers(1, 40))
def test_nanogpt(peak: float, low: float, warmup: int, decay: int) -> None:
    def exact(step: int) -> Any:
        if step < warmup:
            return mpf(peak) * (step + 1) / (warmup + 1)
        return between(low, peak, half_cosine(min(mpf(step - warmup) / decay, mpf(1))))

    arguments: Any = {"learning_rate": peak, "warmup_iters": warmup, "min_lr": low, "lr_decay_iters": warmup + decay}
    assert_equal(*nanogpt.get_lr(**arguments), exact, warmup + decay + 9)
    assert nanogpt.get_lr(**arguments, decay_lr=False) == (fs.constant(), peak)


def test_nanogpt_warmup_as_long_as_the_decay() -> None:
    schedule, peak_value = nanogpt.get_lr(learning_rate=1.0, warmup_iters=3, lr_decay_iters=3, min_lr=0.25)
    assert peak_value == 1.0
    assert [schedule(step) for step in range(5)] == [0.25, 0.5, 0.75, 0.25, 0.25]
    with raises("get_lr", "warmup_iters", "at most `lr_decay_iters` (3)", 4):
        nanogpt.get_lr(warmup_iters=4, lr_decay_iters=3)


# nanochat


@examples
@given(total=st.integers(1, 60), warmup=st.integers(0, 30), ratio=st.integers(0, 20), final=RATES)
def test_nanochat_learning_rate(total: int, warmup: int, ratio: int, final: float) -> None:
    warmdown = round(ratio / 20 * total)

    def exact(step: int) -> Any:
        if step < warmup:
            return mpf(step + 1) / warmup
        if step <= total - warmdown or not warmdown:
            return mpf(1)
        return between(final, 1.0, max(mpf(total - step) / warmdown, mpf(0)))

    arguments: Any = {"num_iterations": total, "warmdown_ratio": ratio / 20, "final_lr_frac": final}
    assert_equal(nanochat.get_lr_multiplier(**arguments, warmup_steps=warmup), 1.0, exact, total + 9)
    if warmup <= total:
        by_ratio = nanochat.get_lr_multiplier(**arguments, warmup_ratio=warmup / total)
        assert by_ratio == nanochat.get_lr_multiplier(**arguments, warmup_steps=round(warmup / total * total))


@settings(max_examples=20)
@given(total=st.sampled_from([1, 100, 401, 1000, 2003]), ratio=st.integers(0, 20), decay=PEAKS)
def test_nanochat_momentum_and_weight_decay(total: int, ratio: int, decay: float) -> None:
    start = total - round(ratio / 20 * total)

    def exact(step: int) -> Any:
        if step < 400:
            return between(0.85, 0.97, mpf(step) / 400)
        return mpf(0.97) if step <= start or start == total else between(0.97, 0.9, mpf(step - start) / (total - start))

    momentum, peak_value = nanochat.get_muon_momentum(num_iterations=total, warmdown_ratio=ratio / 20)
    for step in {0, 1, 200, 399, 400, start, start + 1, total - 1, total}:
        if step <= total:
            assert abs(mpf(peak_value * momentum(step)) - exact(step)) <= ROUNDINGS
    last = peak_value * momentum(max(total, 400))
    assert peak_value * momentum(total + 1000) == last
    weight_decay = nanochat.get_weight_decay(decay, num_iterations=total)
    assert_equal(*weight_decay, lambda step: decay * half_cosine(min(mpf(step) / total, mpf(1))), min(total + 3, 60))


# modded-nanogpt


@examples
@given(total=st.integers(1, 60), cooldown=st.integers(1, 20), final=RATES)
def test_modded_nanogpt_learning_rate(total: int, cooldown: int, final: float) -> None:
    def exact(step: int) -> Any:
        remaining = max(1 - mpf(step) / total, mpf(0))
        return between(final, 1.0, min(remaining / mpf(cooldown / 20), mpf(1)))

    assert_equal(
        modded.get_lr(num_iterations=total, cooldown_frac=cooldown / 20, final_lr=final), 1.0, exact, total + 5
    )


@examples
@given(total=st.integers(1, 60), warmup=st.integers(0, 30), cooldown=st.integers(0, 30), low=RATES)
def test_modded_nanogpt_momentum(total: int, warmup: int, cooldown: int, low: float) -> None:
    cooldown = min(cooldown, total)

    def exact(step: int) -> Any:
        if step < warmup:
            return between(low, 0.95, mpf(step) / warmup)
        if step <= total - cooldown or not cooldown:
            return mpf(0.95)
        return between(0.95, low, min(mpf(step - total + cooldown) / cooldown, mpf(1)))

    arguments: Any = {"muon_warmup_steps": warmup, "muon_cooldown_steps": cooldown, "momentum_min": low}
    assert_equal(*modded.get_muon_momentum(num_iterations=total, **arguments), exact, total + 9)
    with raises("get_muon_momentum", "muon_cooldown_steps", f"at most `num_iterations` ({total})", total + 1):
        modded.get_muon_momentum(num_iterations=total, muon_cooldown_steps=total + 1)


# axolotl


@examples
@given(warmup=st.integers(0, 20), decay=st.integers(1, 40), cycles=st.sampled_from([0.5, 1.0, 1.25]), low=RATES)
def test_axolotl_cosines(warmup: int, decay: int, cycles: float, low: float) -> None:
    def exact(step: int) -> Any:
        if step < warmup:
            return mpf(step) / warmup
        return between(low, 1.0, half_cosine(min(mpf(step - warmup) / decay, mpf(1)), cycles))

    def quadratic(step: int) -> Any:
        if step < warmup:
            return (mpf(step) / warmup) ** 2
        return half_cosine(min(mpf(step - warmup) / decay, mpf(1)), cycles)

    end = warmup + decay
    schedule = axolotl.get_cosine_schedule_with_quadratic_warmup(warmup, end, cycles)
    assert_equal(schedule, 1.0, quadratic, end + 9)
    schedule = axolotl.get_cosine_schedule_with_warmup_decay_constant(warmup, 2 * end, 0.5, low, cycles)
    assert_equal(schedule, 1.0, exact, 2 * end + 9)


def test_axolotl_cosines_without_a_decay() -> None:
    schedule = axolotl.get_cosine_schedule_with_quadratic_warmup(4, 4)
    assert [schedule(step) for step in range(7)] == [0.0, 0.0625, 0.25, 0.5625, 1.0, 0.0, 0.0]
    function = "get_cosine_schedule_with_quadratic_warmup"
    with raises(function, "num_warmup_steps", "at most `num_training_steps` (4)", 5):
        axolotl.get_cosine_schedule_with_quadratic_warmup(5, 4)
    function = "get_cosine_schedule_with_warmup_decay_constant"
    with raises(function, "num_warmup_steps", "at most `num_training_steps * constant_lr_ratio - 1` (49)", 50):
        axolotl.get_cosine_schedule_with_warmup_decay_constant(50, 100, 0.5, 0.1)


@examples
@given(peak=PEAKS, fraction=RATES, warmup=st.integers(0, 20), decay=st.integers(0, 40))
def test_axolotl_rex(peak: float, fraction: float, warmup: int, decay: int) -> None:
    low = fraction * peak

    def exact(step: int) -> Any:
        count = step + 1  # of axolotl at this update
        if count <= warmup:
            return mpf(peak) * count / warmup
        if count >= warmup + decay:
            return mpf(low)
        z = mpf(warmup + decay - count) / decay
        return between(low, peak, z / (1 - mpf(0.9) + mpf(0.9) * z))

    assert_equal(*axolotl.rex_lr(peak, low, warmup + decay, warmup), exact, warmup + decay + 9)


def test_axolotl_rex_errors() -> None:
    with raises("rex_lr", "min_lr", "at most `max_lr` (0.5)", 0.75):
        axolotl.rex_lr(0.5, 0.75, 10)
    with raises("rex_lr", "num_warmup_steps", "at most `total_steps` (10)", 11):
        axolotl.rex_lr(0.5, 0.0, 10, 11)


@examples
@given(period=st.integers(1, 20), warmup=st.integers(0, 25), anneal=st.integers(0, 20), low=RATES)
def test_axolotl_restarts(period: int, warmup: int, anneal: int, low: float) -> None:
    anneal = min(anneal, period)

    def exact(step: int) -> Any:
        count = step + 1  # of axolotl at this update
        position = count % period
        factor = mpf(1)
        if count >= period - anneal and position < warmup:
            factor = between(low, 1.0, mpf(position) / warmup)
        elif count >= period - anneal and position > period - anneal:
            factor = between(low, 1.0, mpf(period - position) / anneal)
        return factor * (1 - mpf(count) / 100)

    inner = fs.ramp(1.0, 0.0, steps=100)
    schedule = axolotl.jagged_lr_restart_scheduler(inner, period, warmup, anneal, low)
    assert_equal(schedule, 1.0, exact, 80)
    with raises(
        "jagged_lr_restart_scheduler", "jagged_restart_anneal_steps", f"at most `jagged_restart_steps` ({period})", 21
    ):
        axolotl.jagged_lr_restart_scheduler(inner, period, warmup, 21)


# open_clip


@examples
@given(
    peak=PEAKS,
    low=RATES,
    power=st.sampled_from([0.5, 1.0, 2.5]),
    lengths=st.tuples(*[st.integers(0, 20)] * 3).filter(any),
)
def test_open_clip(peak: float, low: float, power: float, lengths: tuple[int, int, int]) -> None:
    warmup, _, decay = lengths
    total = sum(lengths)

    def warmed(after: Exact) -> Exact:
        return lambda step: mpf(peak) * (step + 1) / warmup if step < warmup else after(step)

    def cooldown(step: int) -> Any:
        if step >= total:
            return mpf(low)
        remaining = min(mpf(total - step) / decay, mpf(1)) if decay else mpf(1)
        return between(low, peak, remaining ** mpf(power))

    def cosine(step: int) -> Any:
        return peak * half_cosine(min(mpf(step - warmup) / (total - warmup), mpf(1))) if step < total else mpf(0)

    assert_equal(*open_clip.const_lr(peak, warmup, total), warmed(lambda step: mpf(peak)), total + 5)
    rated = open_clip.const_lr_cooldown(peak, warmup, total, decay, power, low)
    assert_equal(*rated, warmed(cooldown), total + 5)
    assert_equal(*open_clip.cosine_lr(peak, warmup, total), warmed(cosine), total + 5)


def test_open_clip_errors() -> None:
    with raises("cosine_lr", "warmup_length", "at most `steps` (9)", 10):
        open_clip.cosine_lr(0.1, 10, 9)
    with raises("const_lr_cooldown", "cooldown_steps", "at most `steps` (9)", 10):
        open_clip.const_lr_cooldown(0.1, 0, 9, 10)
    with raises("const_lr_cooldown", "warmup_length", "at most `steps - cooldown_steps` (6)", 7):
        open_clip.const_lr_cooldown(0.1, 7, 9, 3)


# DINOv2 and DINOv3


@examples
@given(
    base=PEAKS,
    final=RATES,
    start=RATES,
    lengths=st.tuples(st.integers(0, 5), st.integers(0, 12), st.integers(0, 30)),
    extra=st.sampled_from([0.0, 0.0, 0.01, 0.2, 1.5]),
)
def test_dino_cosine(base: float, final: float, start: float, lengths: tuple[int, int, int], extra: float) -> None:
    freeze, warmup, n = lengths
    cosine = [half_cosine(mpf(i) / n) for i in range(n)]
    if extra and n > 1:
        longer = int((1 + extra) * n)
        cosine = [half_cosine(mpf(i) / (longer - 1)) for i in range(n)]
        cosine = [(value - cosine[-1]) / (1 - cosine[-1]) for value in cosine]
    values = [
        *[mpf(0)] * freeze,
        *(between(start, base, mpf(k) / max(warmup - 1, 1)) for k in range(warmup)),
        *(between(final, base, value) for value in cosine),
        *[mpf(final)] * 5,
    ]
    arguments = (sum(lengths), warmup, start, freeze, extra)
    assert_equal(*dino.cosine_scheduler(base, final, *arguments), values.__getitem__, len(values))


@examples
@given(start=RATES, peak=PEAKS, end=RATES, lengths=st.tuples(*[st.integers(0, 20)] * 3))
def test_dino_linear_warmup(start: float, peak: float, end: float, lengths: tuple[int, int, int]) -> None:
    warmup, cosine, rest = lengths
    values = [
        *(between(start, peak, mpf(i) / warmup) for i in range(warmup)),
        *(between(end, peak, half_cosine(mpf(i) / max(cosine - 1, 1))) for i in range(cosine)),
        *[mpf(end)] * (rest + 5),
    ]
    rated = dino.linear_warmup_cosine_decay(start, peak, end, warmup, sum(lengths), cosine)
    assert_equal(*rated, values.__getitem__, len(values))
    if not rest:
        assert dino.linear_warmup_cosine_decay(start, peak, end, warmup, sum(lengths)) == rated


def test_dino_errors() -> None:
    with raises("cosine_scheduler", "freeze_iters + warmup_iters", "at most `total_iters` (10)", 11):
        dino.cosine_scheduler(1.0, 0.0, 10, warmup_iters=8, freeze_iters=3)
    with raises("linear_warmup_cosine_decay", "warmup_iterations", "at most `total_iterations` (10)", 11):
        dino.linear_warmup_cosine_decay(0.0, 1.0, 0.0, 11, 10)
    requirement = "at most `total_iterations - warmup_iterations` (7)"
    with raises("linear_warmup_cosine_decay", "cosine_iterations", requirement, 8):
        dino.linear_warmup_cosine_decay(0.0, 1.0, 0.0, 3, 10, 8)


# diffusers


@examples
@given(
    rules=st.lists(st.tuples(st.sampled_from(["1", "0.1", " 2.5e-1"]), st.integers(0, 12)), max_size=5),
    last=st.sampled_from(["0", "0.005"]),
)
def test_diffusers_step_rules(rules: list[tuple[str, int]], last: str) -> None:
    schedule = get_piecewise_constant_schedule(",".join([*(f"{level}:{step}" for level, step in rules), last]))
    for step in range(15):
        ends = [end for _, end in rules if end > step]
        level = [level for level, end in rules if end == min(ends)][-1] if ends else last
        assert schedule(step) == float(level)


@pytest.mark.parametrize("text", ["", "1:10", "1:10,", "10", "1:1.5,0", "1:2:3,0", "x:1,0", "1:-1,0", "nan:1,0", "1;2"])
def test_diffusers_malformed_step_rules(text: str) -> None:
    if text == "10":
        assert get_piecewise_constant_schedule(text)(0) == 10.0
        return
    requirement = "rules 'multiplier:step' and a last multiplier, separated by commas, such as '1:10,0.1:20,0.005'"
    with raises("get_piecewise_constant_schedule", "step_rules", requirement, text, ValueError):
        get_piecewise_constant_schedule(text)


def test_diffusers_step_rules_must_be_a_string() -> None:
    with raises("get_piecewise_constant_schedule", "step_rules", "a string", 3, TypeError):
        get_piecewise_constant_schedule(3)  # type: ignore[arg-type]


# LLaMA-Factory


@examples
@given(
    warmup=st.integers(0, 20),
    rest=st.integers(1, 40),
    given_steps=st.dictionaries(st.sampled_from(["num_stable_steps", "num_decay_steps"]), st.integers(1, 20)),
)
def test_llama_factory_stable_and_decay(warmup: int, rest: int, given_steps: dict[str, int]) -> None:
    arguments: Any = {"num_warmup_steps": warmup, "num_training_steps": warmup + rest}
    kind = "warmup_stable_decay"
    schedule = from_scheduler_type(kind, **arguments, min_lr_ratio=0.1, **given_steps)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    # What LLaMA-Factory puts into the arguments of transformers.
    steps = {"num_stable_steps": rest // 3, "num_decay_steps": rest - rest // 3, **given_steps}
    original = transformers.get_wsd_schedule(optimizer, warmup, min_lr_ratio=0.1, **steps).lr_lambdas[0]
    for step in range(warmup + rest + 9):
        assert abs(schedule(step) - original(step)) <= ROUNDINGS
    assert from_scheduler_type("linear", **arguments)(warmup) == 1.0


def test_llama_factory_errors() -> None:
    with raises("from_scheduler_type", "num_warmup_steps", "at most `num_training_steps` (4)", 5):
        from_scheduler_type("warmup_stable_decay", num_warmup_steps=5, num_training_steps=4)
    with pytest.raises(ValueError, match=r"^from_scheduler_type: `lr_scheduler_type` must be one of .*, got 'wsd'$"):
        from_scheduler_type("wsd", num_warmup_steps=1, num_training_steps=4)
    with raises("from_scheduler_type", "num_training_steps", "an integer from 0 to 2**53", 4.5):
        from_scheduler_type("warmup_stable_decay", num_warmup_steps=1, num_training_steps=4.5)  # type: ignore[arg-type]
    with raises("from_scheduler_type", "num_warmup_steps", "given for 'warmup_stable_decay'", None):
        from_scheduler_type("warmup_stable_decay", num_training_steps=4)
