"""The result of reading a schedule of absolute learning rates."""

from __future__ import annotations

from typing import NamedTuple, NoReturn

from funcsched.core.schedule import Schedule


class Rated(NamedTuple):
    """A schedule and its peak value: the learning rate at a step is ``peak_value * schedule(step)``.

    For optax, ``to_optax(*rated)`` is that function of the step. For torch, ``lambda_lr(optimizer, rated)`` replaces
    the `lr` of the optimizer by the peak, which must not be negative.

    Example:
        >>> import funcsched as fs
        >>> from bridges.rated import Rated
        >>> rated = Rated(fs.warmup_linear(10, 100), 0.5)
        >>> rated.peak_value * rated.schedule(55)
        0.25
    """

    schedule: Schedule
    peak_value: float

    # An optimizer that takes functions of a step would otherwise fail at its first update.
    def __call__(self, step: object) -> NoReturn:
        raise TypeError(
            "Rated: a schedule and its peak value are not a function of a step; for optax use to_optax(*rated), for "
            "torch lambda_lr(optimizer, rated), and for one rate rated.peak_value * rated.schedule(step)"
        )

    def _repr_html_(self) -> str | None:
        from funcsched.plotting.notebook import html  # imported only in notebooks

        return html(self)
