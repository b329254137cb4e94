"""Hints about arguments that other libraries name differently."""

from __future__ import annotations

from funcsched.core.validation import suggestion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Own arguments, each with names of other libraries for the same number.
_SAME = {
    "end": ("alpha", "min_lr_ratio", "min_lr_rate", "min_lr_factor", "final_lr_ratio", "end_factor"),
    "start": ("start_factor", "warmup_start_factor", "init_factor"),
    "warmup_steps": ("num_warmup_steps", "warmup_iters", "warmup_num_steps", "lr_warmup_iters"),
    "total_steps": ("num_training_steps", "T_max", "max_steps", "train_steps", "total_iters"),
    "decay_shape": ("decay_type", "decay_style", "decay_function"),
    "boundaries": ("milestones",),
    "period": ("step_size", "T_0"),
    "period_factor": ("T_mult",),
    "factor": ("gamma",),
    "rate": ("gamma", "decay_rate"),
}
# Learning rates in other libraries, which are multiples of the peak here.
_RATES = {
    "end": ("end_value", "end_lr", "lr_end", "eta_min", "min_lr", "final_lr", "min_value"),
    "start": ("init_value", "init_lr", "start_value", "start_lr", "warmup_init_lr"),
}
PEAKS = ("peak_value", "peak_lr", "max_lr", "base_lr", "lr", "learning_rate")
_FRACTIONS = {
    "warmup_steps": ("warmup_ratio", "warmup_fraction", "warmup_pct", "pct_start"),
    "decay_steps": ("decay_ratio", "decay_fraction", "decay_pct", "cooldown_fraction"),
}
_TOTALS = ("total_steps", *_SAME["total_steps"])
# Functions of the bridges that users look for in the package itself.
_BRIDGES = {
    "bridges.torch": ("lambda_lr", "to_lr_lambda", "from_lr_scheduler"),
    "bridges.optax": ("to_optax", "from_optax"),
}


def elsewhere(name: str) -> str:
    """What a name is that is no schedule: a function of a bridge, or an argument; else an empty string."""
    for module, functions in _BRIDGES.items():
        if name in functions:
            return f"it is in {module}"
    for table in (_SAME, _RATES, _FRACTIONS):
        if owns := [own for own, others in table.items() if name in others]:
            return f"as an argument, it is {' or '.join(owns)} here"
    return ""


def argument_hint(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """What to write instead of an argument that a schedule does not have; `otherwise` if nothing is similar."""
    names = list(known)
    lengths = [own for own in names if own.endswith("_steps")]
    if name in _TOTALS and "total_steps" not in names and len(lengths) > 1:
        return f"the total is {' + '.join(lengths)}"
    if name == "decay_steps" and "total_steps" in names:
        return "did you mean 'total_steps'? It includes the warmup"
    if name in PEAKS:
        return "the values are multiples of the peak, which is the `lr` of a torch optimizer or an argument of to_optax"
    for own in names:
        if name in _SAME.get(own, ()):
            return f"did you mean {own!r}?"
        if name in _RATES.get(own, ()):
            return f"did you mean {own!r}? It is a multiple of the peak: {own} = {name} / peak"
        if name in _FRACTIONS.get(own, ()):
            return f"did you mean {own!r}? It is a number of steps: {own} = round({name} * total_steps)"
    return suggestion(name, names, otherwise)
