"""The learning rate of Megatron-Bridge, from its SchedulerConfig: `bridges.megatron` with other argument names."""

from __future__ import annotations

from bridges.arguments import BY_TYPE, checked, option, required
from bridges.megatron import STYLES, WSD_SHAPES, optimizer_param_scheduler
from bridges.rated import Rated
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error

_NAMES = [
    f"{name}_{unit}" for name in ("train", "lr_warmup", "lr_decay", "lr_wsd_decay") for unit in ("iters", "samples")
]


@checked(
    *_NAMES,
    common=BY_TYPE,
    lr=rules.positive,
    lr_decay_style=option(STYLES),
    lr_wsd_decay_style=option(list(WSD_SHAPES)),
    lr_warmup_fraction=rules.unit_interval,
    global_batch_size=rules.concrete_positive_int,
)
def scheduler_config(
    *,
    lr: float,
    min_lr: float = 0.0,
    lr_decay_style: str = "linear",
    lr_wsd_decay_style: str = "exponential",
    lr_warmup_init: float = 0.0,
    lr_warmup_fraction: float | None = None,
    global_batch_size: int = 1,
    **lengths: int | None,
) -> Rated:
    """Megatron-Bridge's SchedulerConfig, with the entries of OptimizerConfig and TrainingConfig that it needs.

    The formulas are those of `bridges.megatron.optimizer_param_scheduler`. Its lengths in samples are
    `lr_*_samples`, or `lr_*_iters` times `global_batch_size`.

    ms-swift's Megatron trainer uses the same `lr_*_iters`. verl's Megatron engine and NeMo Automodel use the arguments
    of `optimizer_param_scheduler` (`lr_warmup_steps`, `lr_decay_steps`), where a step is an update: use that function
    with its default `global_batch_size`.

    Args:
        lr: learning rate at the end of the warmup (float, above 0).
        min_lr: learning rate after the decay (float, 0 to `lr`).
        lr_decay_style: "constant", "linear", "cosine", "inverse-square-root" or "WSD".
        lr_wsd_decay_style: "linear", "cosine", "exponential" or "minus_sqrt".
        lr_warmup_init: learning rate at step 0 (float, 0 to `lr`).
        lr_warmup_fraction: length of the warmup as a fraction of the decay (float, 0 to 1), instead of a number.
        global_batch_size: number of samples per update (int, 1 to 2**53).
        lengths: numbers of updates (`*_iters`) or samples (`*_samples`), all in the same unit (ints, 0 to 2**53, or
            None). `train_iters` or `train_samples`, the length of the run, is required. `lr_warmup_*` is the length of
            the warmup, by default 0. `lr_decay_*` is the length of warmup and decay together, by default the length of
            the run. `lr_wsd_decay_*` is the length of the "WSD" decay. Its default is `lr_decay_iters`; in samples, it
            is required.

    Returns:
        A schedule that counts updates, and its peak value, `lr`. As in Megatron-Bridge, a warmup that is not shorter
        than the decay is cut to one sample less than the decay.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: Megatron-Bridge does not round the product of `lr_warmup_fraction` and the decay; here it is rounded to
    samples.

    Example:
        >>> from bridges.megatron_bridge import scheduler_config
        >>> schedule, peak_value = scheduler_config(
        ...     lr=0.5, min_lr=0.25, train_iters=100, global_batch_size=8, lr_warmup_iters=20)
        >>> [peak_value * schedule(step) for step in (0, 10, 20, 60, 100)]
        [0.0, 0.25, 0.5, 0.375, 0.25]

    Source: NVIDIA-NeMo/Megatron-Bridge, commit 003e863, src/megatron/bridge/training/config.py.
    """
    function = "scheduler_config"
    for name, rate in (("min_lr", min_lr), ("lr_warmup_init", lr_warmup_init)):
        if rate > lr:
            raise argument_error(function, name, f"at most `lr` ({lr!r})", rate)
    unit = "iters" if lengths.get("train_samples") is None else "samples"
    scale, samples = (global_batch_size if unit == "iters" else 1), {}
    for name, value in lengths.items():
        if value is None or (value == 0 and not name.endswith(unit)):  # 0 is the default of `lr_warmup_*`
            continue
        if not name.endswith(unit):
            raise argument_error(function, name, f"in {unit}, as the length of the run", value)
        samples[name.removesuffix(f"_{unit}")] = scale * rules.concrete_nonnegative_int(function, name, value)
    for name in ("train", "lr_decay"):
        if not samples.setdefault(name, samples.get("train", 0)):
            rules.concrete_positive_int(function, f"{name}_{unit}", lengths.get(f"{name}_{unit}"))
    decay, warmup = samples["lr_decay"], samples.get("lr_warmup", 0)
    if lr_warmup_fraction is not None:
        if warmup:
            requirement = f"omitted if `lr_warmup_{unit}` is given"
            raise argument_error(function, "lr_warmup_fraction", requirement, lr_warmup_fraction)
        warmup = round(lr_warmup_fraction * decay)
    wsd_decay = samples.get("lr_wsd_decay", decay if unit == "iters" else None)
    if lr_decay_style == "WSD":
        required(function, "lr_wsd_decay_samples", wsd_decay, "if `lr_decay_style` is 'WSD'")
    return optimizer_param_scheduler(
        init_lr=lr_warmup_init,
        max_lr=lr,
        min_lr=min_lr,
        lr_warmup_steps=min(warmup, decay - 1),
        lr_decay_steps=decay,
        lr_decay_style=lr_decay_style,
        wsd_decay_steps=wsd_decay,
        lr_wsd_decay_style=lr_wsd_decay_style,
        global_batch_size=global_batch_size,
    )
