"""Likely mistakes in a schedule for a run of a given length."""

from __future__ import annotations

from funcsched.analysis.findings import Finding, Findings, findings, invalid_multiplier
from funcsched.analysis.run import LEARNING_RATE, Run
from funcsched.analysis.sampling import Curve, sample_steps
from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import argument_error, concrete_positive_int, positive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_DENSE_STEPS = 20_000  # all steps below are sampled


def check(
    schedule: Schedule | Callable[[Any], Any], *, steps: int, peak_value: float = 1.0, quantity: str = LEARNING_RATE
) -> list[Finding]:
    """Report likely mistakes in a schedule for a run, which uses the steps from 0 to ``steps - 1``.

    ======================  ========  ==================================================================================
    kind                    severity  condition
    ======================  ========  ==================================================================================
    ``invalid``             warning   a multiplier is not finite (only in a user's function) or negative
    ``level_above_peak``    warning   a level of a recipe, such as `end`, is above 1; instead of the warmup and the peak
    ``rate_as_multiplier``  warning   with a peak value: a level was probably meant as a learning rate, because the peak
                                      value times it is below 1e-6, or times the largest multiplier, which is below
                                      0.01; without a peak value, info for a level below 0.001. A `start` of one step
                                      of the warmup is not reported.
    ``first_rate_zero``     info      the first update has learning rate 0; a warning for several updates
    ``zero_rate``           warning   all updates or later ones have learning rate 0, or the last ones do in float32
    ``warmup``              info      the learning rate increases from step 0; a warning above half of the run
    ``peak_never_reached``  warning   the largest multiplier of the schedule comes after the run
    ``peak_not_one``        info      the largest multiplier of the run differs from 1 by more than 0.1%
    ``jump``                warning   the multiplier increases by a factor of at least 1.5 from one step to the next
    ``drop``                info      the multiplier decreases by such a factor
    ``still``               info      the multiplier is constant for at least 10% of the run, not counting updates after
                                      the end of a decay
    ``horizon_short``       warning   a decay ends before the run, so that the last updates are at its final value; info
                                      for one update at 0, and for up to 1% of the run at another value
    ``horizon_long``        warning   the schedule ends after the run, at a multiplier that differs from the last one of
                                      the run by at least 1% of the peak
    ``end``                 info      the multiplier at the end of the run, relative to the peak
    ======================  ========  ==================================================================================

    A jump or drop is at least a millionth of the peak, and more than three times the changes before and after it in the
    same direction. An increase from step 0 to step 1 is not a jump. A decay that ends with a drop, such as that of
    `multistep`, is not reported as ``horizon_short``.

    Args:
        schedule: a schedule, or a function from a step to a multiplier.
        steps: number of updates of the run (int, 1 to 2**53). Required, because the length of a schedule is often not
            that of its run.
        peak_value: the value at multiplier 1 (float, above 0). If it is not 1, messages contain learning rates.
        quantity: what is scheduled (str). For another quantity than a learning rate, such as "KL weight", only
            ``invalid`` (not finite), ``jump``, ``drop``, ``still``, ``horizon_long`` and ``end`` are reported; if
            values are negative, jumps and drops are not reported.

    Returns:
        `Finding` values with a severity, kind, step and text: warnings first, each severity in the order of steps.
        The first 20,000 steps are all sampled. Later steps are sampled around phase boundaries and on a grid with a
        spacing of 0.1% of the step. If there may be more jumps or constant stretches, the messages say "at least".

    Raises:
        TypeError: `schedule` is neither a schedule nor a function, or `steps` or `peak_value` is not a number, or
            `quantity` is not a string.
        ValueError: `steps` or `peak_value` is out of range.

    Example:
        >>> import funcsched as fs
        >>> for finding in fs.check(fs.warmup_linear(12, 100), steps=120):
        ...     print(finding)
        warning: the horizon is shorter than the run: the last 20 updates, from step 100 on, have learning rate 0 and \
change nothing
        info: the first update has learning rate 0 and changes nothing
        info: the warmup takes 10% of the run: the learning rate increases until step 12
        info: the run ends at 0% of the peak: the multiplier is 0 at step 119
    """
    schedule = as_schedule("check", "schedule", schedule)
    steps = concrete_positive_int("check", "steps", steps)
    peak_value = positive("check", "peak_value", peak_value)
    curve = Curve(schedule, steps - 1)
    sampled = sample_steps([schedule], curve.last, dense=_DENSE_STEPS)
    if not isinstance(quantity, str):
        raise argument_error("check", "quantity", "a string", quantity, TypeError)
    invalid = list(invalid_multiplier(curve, sampled, quantity))
    found = invalid or list(findings(Run(curve, sampled, float(peak_value), quantity)))
    return Findings(sorted(found, key=lambda finding: (finding.severity == "info", finding.step)))
