"""The schedules of modded-nanogpt's train_gpt.py: learning rate and momentum of the speedrun."""

from __future__ import annotations

import funcsched as fs
from bridges.arguments import BY_TYPE, checked
from bridges.rated import Rated
from funcsched.core import validation as rules

_RULES = BY_TYPE | {"num_iterations": rules.concrete_positive_int}
_FRACTION = rules.number_rule("a number from 1e-9 to 1", 1e-9, 1)


@checked(common=_RULES, cooldown_frac=_FRACTION, final_lr=rules.unit_interval)
def get_lr(*, num_iterations: int, cooldown_frac: float = 0.4, final_lr: float = 0.1) -> fs.Schedule:
    """modded-nanogpt's get_lr, with one learning rate: a stable phase, then a linear decay.

    ``final_lr + (1 - final_lr) * w`` with ``w = (1 - step / num_iterations) / cooldown_frac``, at most 1

    Args:
        num_iterations: number of updates of the run (int, 1 to 2**53).
        cooldown_frac: fraction of the run for the decay, which may begin between two steps (float, 1e-9 to 1).
        final_lr: multiplier from step `num_iterations` on, one step after the last update (float, 0 to 1). It is a
            constant in train_gpt.py: 0.1 in the records of 2025, and 0 in track 3.

    Returns:
        A schedule. As in modded-nanogpt, its values multiply the learning rate of each parameter group.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: from step `num_iterations` on, modded-nanogpt raises AssertionError; here the last value is held.

    Example:
        >>> from bridges.modded_nanogpt import get_lr
        >>> schedule = get_lr(num_iterations=100, cooldown_frac=0.5, final_lr=0.5)
        >>> [schedule(step) for step in (0, 50, 75, 100, 101)]
        [1.0, 1.0, 0.75, 0.5, 0.5]

    Source: KellerJordan/modded-nanogpt, train_gpt.py of the records of 2025, and records/track_3_optimization. In 2026,
    the rate grows with the batch size in stages, which is a `funcsched.blend`.
    """
    return fs.lerp(fs.ramp(1.0 / cooldown_frac, 0.0, steps=num_iterations), final_lr, 1.0)


@checked(common=_RULES, momentum_max=rules.positive)
def get_muon_momentum(
    *,
    num_iterations: int,
    muon_warmup_steps: int = 300,
    muon_cooldown_steps: int = 50,
    momentum_min: float = 0.85,
    momentum_max: float = 0.95,
) -> Rated:
    """modded-nanogpt's get_muon_momentum: a linear warmup, a stable phase, and a linear cooldown.

    From `momentum_min` to `momentum_max` over `muon_warmup_steps` steps, and back over the last `muon_cooldown_steps`
    steps up to step `num_iterations`

    Args:
        num_iterations: number of updates of the run, including the extension (int, 1 to 2**53).
        muon_warmup_steps: length of the warmup (int, 0 to 2**53). As in modded-nanogpt, it may overlap the
            cooldown, and the momentum jumps at its end.
        muon_cooldown_steps: length of the cooldown (int, 0 to `num_iterations`). 0 means no cooldown.
        momentum_min: momentum at both ends (float, at least 0).
        momentum_max: momentum in the stable phase (float, above 0).

    Returns:
        A schedule and its peak value, `momentum_max`: ``peak_value * schedule(step)`` is the momentum.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: after step `num_iterations`, which modded-nanogpt does not reach, its momentum falls below `momentum_min`;
    here it is held.

    Example:
        >>> from bridges.modded_nanogpt import get_muon_momentum
        >>> schedule, peak_value = get_muon_momentum(num_iterations=1000, momentum_min=0.5, momentum_max=1.0)
        >>> [peak_value * schedule(step) for step in (0, 150, 300, 950, 975, 1000)]
        [0.5, 0.75, 1.0, 1.0, 0.75, 0.5]

    Source: KellerJordan/modded-nanogpt, commit 0016a3c, train_gpt.py.
    """
    function, cooldown, low = "get_muon_momentum", muon_cooldown_steps, momentum_min / momentum_max
    rules.require_at_most(function, "muon_cooldown_steps", cooldown, "num_iterations", num_iterations)
    fall = fs.warmup_stable_decay(0, num_iterations - cooldown, cooldown, end=low if cooldown else 1.0)
    rise = fs.ramp(low, 1.0, steps=muon_warmup_steps)
    return Rated(fs.join([rise, fs.shift(fall, muon_warmup_steps)], [muon_warmup_steps]), momentum_max)
