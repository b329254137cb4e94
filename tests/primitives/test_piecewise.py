"""`piecewise_constant` with arrays as levels."""

import numpy as np

import funcsched as fs


def test_levels_may_be_arrays() -> None:
    levels = [np.array([1.0, 2.0, 3.0]) * i for i in range(6)]
    schedule = fs.piecewise_constant([1, 2, 3, 4, 5], levels=levels)
    assert schedule(2).tolist() == schedule(np.int64(2)).tolist() == [2.0, 4.0, 6.0]
    assert schedule(np.array([1, 2, 3])).tolist() == [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]]
