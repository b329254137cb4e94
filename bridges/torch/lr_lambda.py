"""`to_lr_lambda`: a schedule as the `lr_lambda` of torch's `LambdaLR`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from funcsched.core.schedule import Schedule, as_schedule


def to_lr_lambda(schedule: Schedule | Callable[[int], float]) -> Callable[[int], float]:
    """A schedule as the `lr_lambda` of `torch.optim.lr_scheduler.LambdaLR`.

    Args:
        schedule: a schedule or a function of a step.

    Returns:
        A function from the step (the number of updates already made) to the multiplier. Call `scheduler.step()` in the
        batch loop, after `optimizer.step()`. The function can be pickled. It has no state that `LambdaLR` could save to
        a checkpoint or overwrite from one.

    Raises:
        TypeError: `schedule` is neither a schedule nor a function.

    Example:
        >>> import funcsched as fs
        >>> from bridges.torch import to_lr_lambda
        >>> multiplier = to_lr_lambda(fs.warmup_linear(10, 100))
        >>> multiplier(0), multiplier(10), multiplier(100)
        (0.0, 1.0, 0.0)
    """
    # LambdaLR saves the __dict__ of every callable that is not a plain function, and overwrites it on loading. That of
    # a partial is empty.
    return partial(Schedule.__call__, as_schedule("to_lr_lambda", "schedule", schedule))
