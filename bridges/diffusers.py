"""The schedule of diffusers that transformers does not have: constants in a string, `step_rules`."""

from __future__ import annotations

import funcsched as fs
from bridges.arguments import checked, instance_of
from funcsched.core.validation import argument_error


@checked(step_rules=instance_of(str, "a string"))
def get_piecewise_constant_schedule(step_rules: str) -> fs.Schedule:
    """diffusers' get_piecewise_constant_schedule: multipliers that change at given steps.

    ``"1:10,0.1:20,0.005"`` is 1 below step 10, 0.1 below step 20, then 0.005.

    Args:
        step_rules: rules "multiplier:step", each valid below its step (int, 0 to 2**53), and the last multiplier, all
            separated by commas (str). As in diffusers, the steps count from the start of the run. The rules may
            be in any order. If several rules have the same step, the last one counts.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `step_rules` is not a string, or has another form.

    Example:
        >>> from bridges.diffusers import get_piecewise_constant_schedule
        >>> get_piecewise_constant_schedule("1:10,0.1:20,0.005")
        piecewise_constant(boundaries=(10, 20), levels=(1.0, 0.1, 0.005))

    Source: diffusers 0.42.1, src/diffusers/optimization.py.
    """
    *rules, last = step_rules.split(",")
    try:
        levels = {int(step): float(level) for level, step in (rule.split(":") for rule in rules)}
        boundaries = sorted(levels)
        return fs.piecewise_constant(boundaries, levels=[*(levels[step] for step in boundaries), float(last)])
    except ValueError:
        requirement = "rules 'multiplier:step' and a last multiplier, separated by commas, such as '1:10,0.1:20,0.005'"
        raise argument_error("get_piecewise_constant_schedule", "step_rules", requirement, step_rules) from None
