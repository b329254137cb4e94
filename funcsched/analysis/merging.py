"""`merge_weights`: averaging weights that make a merge of checkpoints equal a decay."""

from __future__ import annotations

from itertools import pairwise

from funcsched.core.validation import number_rule
from funcsched.primitives.ramp import ramp
from funcsched.shapes.shape import Shape, as_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_checkpoints = number_rule("an integer from 1 to 100,000", 1, 100_000, int)


def merge_weights(shape: Shape | Callable[[Any], Any], checkpoints: int) -> tuple[float, ...]:
    """The weights of an average of checkpoints that is equivalent to a decay of the learning rate.

    ``weights[i] = f(i / checkpoints) - f((i + 1) / checkpoints)``, where ``f(u) = 1 - shape(u)`` is the decay

    The checkpoints are those of a run with a constant learning rate, at equal distances. Their average equals the
    parameters after a run from the first checkpoint whose updates before checkpoint i are multiplied by
    ``f(i / checkpoints)``. This is exact for the same updates. A run with a real decay has different gradients.

    Args:
        shape: the shape of the decay, such as `linear` or `sqrt`, or a function of the fraction, as in `ramp`.
        checkpoints: number of checkpoints (int, 1 to 100,000), the first of them at the start of the decay.

    Returns:
        A tuple of floats, in the order of the checkpoints. Their sum is 1 up to rounding. `linear` gives equal weights.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> fs.merge_weights(fs.linear, 4)
        (0.25, 0.25, 0.25, 0.25)
        >>> fs.merge_weights(fs.sqrt, 4)[0]  # a decay that is steep at the beginning
        0.5

    Source: WSM, arXiv:2507.17634.
    """
    name = "merge_weights"
    count = _checkpoints(name, "checkpoints", checkpoints)
    curve = as_shape(name, "shape", shape)
    rise = [ramp(0.0, 1.0, steps=count, shape=curve)(i) for i in range(count + 1)]
    fall = [ramp(1.0, 0.0, steps=count, shape=curve)(i) for i in range(count + 1)]
    # The difference of the smaller numbers loses fewer digits.
    differences = zip(pairwise(rise), pairwise(fall), strict=True)
    return tuple(up[1] - up[0] if up[1] <= down[0] else down[0] - down[1] for up, down in differences)
