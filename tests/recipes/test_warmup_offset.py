"""`warmup_offset`: the warmup of every recipe runs ahead of its decay."""

import inspect

import pytest

import funcsched as fs
from funcsched.cli.names import SECTIONS

WARMUP = 10
BUILD = {
    "warmup_constant": lambda **offset: fs.warmup_constant(WARMUP, start=0.5, **offset),
    "warmup_linear": lambda **offset: fs.warmup_linear(WARMUP, 100, start=0.5, **offset),
    "warmup_cosine": lambda **offset: fs.warmup_cosine(WARMUP, 100, start=0.5, **offset),
    "warmup_polynomial": lambda **offset: fs.warmup_polynomial(WARMUP, 100, start=0.5, exponent=2, **offset),
    "warmup_half_cosine": lambda **offset: fs.warmup_half_cosine(WARMUP, 100, start=0.5, **offset),
    "warmup_cosine_linear": lambda **offset: fs.warmup_cosine_linear(WARMUP, 100, 20, start=0.5, **offset),
    "warmup_stable_decay": lambda **offset: fs.warmup_stable_decay(WARMUP, 20, 30, start=0.5, cycles=2, **offset),
    "tri_stage": lambda **offset: fs.tri_stage(WARMUP, 20, 30, start=0.5, **offset),
    "warmup_cosine_restarts": lambda **offset: fs.warmup_cosine_restarts(WARMUP, 100, start=0.5, cycles=3, **offset),
    "cosine_restarts": lambda **offset: fs.cosine_restarts(200, warmup_steps=WARMUP, start=0.5, **offset),
    "one_cycle": lambda **offset: fs.one_cycle(WARMUP, 100, decay_steps=40, start=0.5, shape=fs.linear, **offset),
    "warmup_inverse_sqrt": lambda **offset: fs.warmup_inverse_sqrt(WARMUP, start=0.5, **offset),
    "power_law": lambda **offset: fs.power_law(WARMUP, start=0.5, **offset),
    "warmup_exponential": lambda **offset: fs.warmup_exponential(WARMUP, 30, 0.5, start=0.5, **offset),
}


def test_every_recipe_with_the_argument_is_tested() -> None:
    assert BUILD.keys() == {
        n for n in SECTIONS["Recipes"] if "warmup_offset" in inspect.signature(getattr(fs, n)).parameters
    }
    assert {name for name in SECTIONS["Recipes"] if name.startswith("warmup")} <= BUILD.keys()


@pytest.mark.parametrize("name", BUILD)
def test_the_warmup_is_ahead_and_the_decay_is_not(name: str) -> None:
    without = BUILD[name]()
    for offset in (1, 4, WARMUP, 2**53):
        schedule = BUILD[name](warmup_offset=offset)
        for step in range(-1, WARMUP):
            expected = 0.5 + 0.5 * min(max(step, 0) + offset, WARMUP) / WARMUP
            assert schedule(step) == pytest.approx(expected, rel=1e-15)
        assert schedule(WARMUP - 1) == 1.0
        assert [schedule(step) for step in range(WARMUP, 130)] == [without(step) for step in range(WARMUP, 130)]
    assert BUILD[name](warmup_offset=0) == without
    assert "warmup_offset" not in repr(without)


def test_without_a_warmup_the_offset_changes_nothing() -> None:
    assert [fs.warmup_linear(0, 10, warmup_offset=3)(step) for step in (0, 5, 10)] == [1.0, 0.5, 0.0]
    assert [fs.warmup_linear(10, 10, warmup_offset=1)(step) for step in (0, 9, 10)] == [0.1, 1.0, 0.0]


def test_later_cycles_and_lower_peaks_begin_ahead_too() -> None:
    schedule = fs.cosine_restarts(20, times=3, level_factor=0.5, warmup_steps=4, start=0.1, warmup_offset=1)
    # The warmups reach the peaks 1, 0.5 and 0.25 a step before their end.
    expected = [0.1 + (peak - 0.1) * part for peak in (1, 0.5, 0.25) for part in (0.25, 0.5, 0.75, 1.0)]
    assert [schedule(20 * cycle + step) for cycle in range(3) for step in range(4)] == pytest.approx(
        expected, rel=1e-15
    )
    # Twice as long, a cycle is ahead by twice as many steps.
    longer = fs.cosine_restarts(20, times=2, period_factor=2, warmup_steps=4, warmup_offset=1)
    assert [longer(step) for step in (20, 22, 26)] == [0.25, 0.5, 1.0]
