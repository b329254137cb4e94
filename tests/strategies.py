"""Hypothesis strategies for random schedules."""

from hypothesis import strategies as st

import funcsched as fs
from tests.cases import CASES, LONG

# Nothing smaller, because XLA flushes subnormal float32 to 0.
FRACTIONS = st.just(0.0) | st.floats(1e-20, 1)
LEVELS = st.just(0.0) | st.floats(1e-20, 10) | st.sampled_from([1.0, 0.1, 1e-8])
SIGNED_LEVELS = LEVELS | LEVELS.map(lambda level: 0.0 - level)
LENGTHS = st.integers(0, 60)
SHAPES = st.recursive(
    st.sampled_from([fs.linear, fs.cosine, fs.sqrt, fs.log, fs.rex, fs.sine, fs.power(0.5), fs.power(3.3)])
    | st.sampled_from([fs.mirror_cosine, fs.rational(0.9), fs.truncated_cosine(0.3), fs.truncated_cosine(0.8)])
    | st.builds(fs.exponential, st.floats(1e-6, 1e6))
    | st.builds(fs.tanh, st.floats(-9, -0.1), st.floats(0.1, 9)),
    lambda inner: st.builds(fs.reverse, inner),
    max_leaves=2,
)
MODES = st.sampled_from(["triangular", "triangular2"])


@st.composite
def ramps(draw: st.DrawFn, levels: st.SearchStrategy[float] = LEVELS) -> fs.Schedule:
    return fs.ramp(draw(levels), draw(levels), steps=draw(LENGTHS), shape=draw(SHAPES))


@st.composite
def recipes(draw: st.DrawFn) -> fs.Schedule:
    total = draw(LENGTHS)
    warmup = draw(st.integers(0, total))
    start, end = draw(FRACTIONS), draw(FRACTIONS)
    return draw(
        st.sampled_from(
            [
                fs.warmup_constant(warmup, start=start),
                fs.warmup_linear(warmup, total, start=start, end=end),
                fs.warmup_cosine(warmup, total, start=start, end=end, cycles=draw(st.floats(0.01, 20))),
                fs.warmup_cosine_restarts(warmup, total, start=start, end=end, cycles=draw(st.integers(1, 9))),
                fs.warmup_polynomial(warmup, total, start=start, end=end, exponent=draw(st.floats(0.1, 5))),
                fs.warmup_half_cosine(warmup, total, start=start, end=end),
                fs.warmup_cosine_linear(warmup, total, total // 3, start=start, end=end),
                fs.warmup_inverse_sqrt(warmup, timescale=draw(st.integers(1, 1000)), start=start),
                fs.power_law(warmup, timescale=draw(st.integers(1, 1000)), start=start),
                fs.warmup_stable_decay(warmup, draw(LENGTHS), total, start=start, end=end, decay_shape=draw(SHAPES)),
                fs.warmup_exponential(warmup, total + 1, draw(st.floats(0.5, 1)), start=start, end=end),
                fs.tri_stage(warmup, total, draw(LENGTHS), start=start),
                fs.one_cycle(warmup, total, start=start, end=end, shape=draw(SHAPES)),
                fs.cosine_restarts(total + 1, period_factor=draw(st.sampled_from([1, 2, 1.5])), end=end),
                fs.cyclic(total + 1, warmup + 1, start=start, mode=draw(MODES)),
                fs.step_decay(total + 1, draw(st.floats(0.5, 1))),
                fs.range_test(total, start=draw(st.floats(1e-6, 1))),
            ]
        )
    )


@st.composite
def tables(draw: st.DrawFn) -> fs.Schedule:
    boundaries = sorted(draw(st.lists(st.integers(0, 120), min_size=1, max_size=8, unique=True)))
    count = len(boundaries)
    levels = draw(st.lists(LEVELS, min_size=count + 1, max_size=count + 1))
    if draw(st.booleans()):
        return fs.piecewise_constant(boundaries, levels=levels)
    return fs.interpolate(boundaries, levels[1:], shape=draw(SHAPES))


schedules = st.recursive(
    ramps() | recipes() | tables() | st.builds(fs.constant, LEVELS),
    lambda inner: (
        st.builds(fs.stretch, inner, st.sampled_from([0.1, 0.5, 1.5, 3]))
        | st.builds(fs.repeat, inner, st.integers(1, 60), st.integers(1, 5), st.sampled_from([1, 2]))
        | st.builds(fs.maximum, inner, inner)
        | st.builds(fs.minimum, inner, inner)
        | st.builds(fs.then, inner, LENGTHS, FRACTIONS, steps=LENGTHS)
        | st.builds(fs.scale, inner, st.just(0.0) | st.floats(0.1, 3))
        | st.builds(fs.shift, inner, LENGTHS)
        | st.lists(inner, min_size=1, max_size=6).flatmap(
            lambda pieces: st.builds(
                fs.join,
                st.just(pieces),
                st.lists(st.integers(0, 200), min_size=len(pieces) - 1, max_size=len(pieces) - 1, unique=True).map(
                    sorted
                ),
            )
        )
    ),
    max_leaves=4,
)
nestings = st.recursive(
    schedules | st.sampled_from([case.schedule for case in [*CASES, *LONG]]),
    lambda inner: (
        st.builds(fs.product, inner, inner, st.floats(0, 10))
        | st.builds(fs.add, inner, inner)
        | st.builds(fs.lerp, inner, st.floats(-1e38, 1e38), st.floats(-1e38, 1e38))
        | st.builds(fs.scale, inner, st.floats(-1e38, 1e38))
        | st.builds(fs.join, st.tuples(inner, inner), st.tuples(st.integers(0, 2**53)))
        | st.builds(fs.repeat, inner, st.integers(1, 2**53), st.integers(1, 10**6) | st.none())
    ),
    max_leaves=5,
)
