"""`merge_weights`: exact weights, and the identity with a decay of the same updates."""

import random
from itertools import pairwise

import mpmath
import pytest

import funcsched as fs
from examples import merge_checkpoints
from tests import oracle

SHAPES = {
    "linear": (fs.linear, oracle.linear),
    "cosine": (fs.cosine, oracle.cosine),
    "sqrt": (fs.sqrt, oracle.sqrt),
    "sine": (fs.sine, oracle.sine),
}


@pytest.mark.parametrize("name", SHAPES)
def test_weights_are_the_differences_of_the_decay_and_a_merge_equals_it(name: str) -> None:
    shape, exact = SHAPES[name]
    for count in (1, 2, 7, 100):
        weights = fs.merge_weights(shape, count)
        with mpmath.workdps(40):
            rise = [exact(mpmath.mpf(i) / count) for i in range(count + 1)]
            expected = [float(after - before) for before, after in pairwise(rise)]
        assert weights == pytest.approx(expected, rel=1e-12, abs=0)
        assert sum(weights) == pytest.approx(1, rel=1e-15)
        # Weights of a model after each of `count - 1` intervals with constant rate, merged, and the same updates with
        # decayed rates.
        numbers = random.Random(count)
        updates = [numbers.uniform(-1, 1) for _ in range(count - 1)]
        checkpoints = [sum(updates[:i], 3.0) for i in range(count)]
        merged = sum(weight * checkpoint for weight, checkpoint in zip(weights, checkpoints, strict=True))
        decay = fs.ramp(1.0, 0.0, steps=count, shape=shape)
        decayed = 3.0 + sum(decay(i) * update for i, update in enumerate(updates, 1))
        assert merged == pytest.approx(decayed, rel=1e-14)


def test_merged_checkpoints_of_a_real_run_are_about_as_good_as_a_decay() -> None:
    losses = merge_checkpoints.compare()
    gain = losses["constant rate"] - losses["decayed rate"]
    assert gain > 0
    assert losses["constant rate"] - losses["merged checkpoints"] > gain / 2


def test_invalid_arguments_are_errors() -> None:
    with pytest.raises(ValueError, match=r"^merge_weights: `checkpoints` must be an integer from 1 to 100,000, got 0$"):
        fs.merge_weights(fs.linear, 0)
    with pytest.raises(TypeError, match=r"^merge_weights: `shape` must be "):
        fs.merge_weights("sqrt", 3)  # type: ignore[arg-type]
