"""Deeply nested schedules and shapes take linear time. With exponential time, these tests would not end."""

import funcsched as fs


def test_nested_repetitions_take_linear_time() -> None:
    schedule = fs.constant(0.5)
    for _ in range(40):
        schedule = fs.repeat(schedule, 1, 2, 2.0)
    assert schedule(0) == schedule(10**6) == 0.5


def test_nested_compositions_and_reversed_shapes_take_linear_time() -> None:
    shape = fs.sqrt
    for _ in range(40):
        shape = fs.compose(fs.sqrt, fs.reverse(shape))
    assert 0.0 < fs.ramp(0.0, 1.0, steps=10, shape=shape)(5) < 1.0
