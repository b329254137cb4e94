"""What other libraries call each schedule, shape and combinator, with where their step differs.

For `funcsched show` and the catalogue of the documentation.
"""

from __future__ import annotations

SECTIONS: dict[str, dict[str, dict[str, str]]] = {
    "Recipes": {
        "warmup_constant": {
            "transformers": "constant_with_warmup",
            "optax": "warmup_constant_schedule",
            "Megatron": "constant",
            "DeepSpeed": "WarmupLR, warmup_type linear: the engine's update k uses k - 1",
            "Composer": "ConstantWithWarmupScheduler",
            "fairseq": "fixed: one step ahead",
        },
        "warmup_linear": {
            "transformers": "linear",
            "Megatron": "linear",
            "DeepSpeed": "WarmupDecayLR: the engine's update k uses k - 1",
            "torchtitan": "linear: one step ahead in the warmup, `(step + 1) / warmup_steps`",
            "Composer": "LinearWithWarmupScheduler",
            "big_vision": "linear",
        },
        "warmup_cosine": {
            "transformers": "cosine, cosine_with_min_lr: rises again past the end",
            "optax": "warmup_cosine_decay_schedule",
            "Megatron": "cosine",
            "Keras": "CosineDecay: decay_steps without the warmup",
            "MaxText": "cosine: the decay is over one step less",
            "timm": "CosineLRScheduler with warmup_prefix",
            "torchtitan": "cosine: one step ahead in the warmup",
            "DeepSpeed": "WarmupCosineLR: one step ahead in the decay",
            "Composer": "CosineAnnealingWithWarmupScheduler",
            "big_vision": "cosine",
        },
        "warmup_cosine_restarts": {"transformers": "cosine_with_restarts"},
        "warmup_polynomial": {
            "transformers": "polynomial",
            "fairseq": "polynomial_decay",
            "Composer": "PolynomialWithWarmupScheduler",
            "timm": "PolyLRScheduler with warmup_prefix",
            "big_vision": "polynomial",
        },
        "warmup_half_cosine": {"OLMo-core": "HalfCosWithWarmup: peak (1 + end) / 2"},
        "warmup_cosine_linear": {"OLMo-core": "CosWithWarmupAndLinearDecay"},
        "warmup_inverse_sqrt": {
            "transformers": "inverse_sqrt",
            "fairseq": "inverse_sqrt",
            "Megatron": "inverse-square-root, up to lr_decay_steps",
            "big_vision": "rsqrt",
            "T5X": "linear_warmup * rsqrt_normalized_decay",
            "ESPnet": "WarmupLR: one step ahead",
        },
        "noam": {"ESPnet": "NoamLR", "praxis": "Transformer"},
        "warmup_stable_decay": {
            "transformers": "warmup_stable_decay: the warmup starts at min_lr_ratio",
            "timm": "WSDLRScheduler",
            "Megatron": "WSD",
            "torchtitan": "decay_ratio: one step ahead in the warmup, and the decay begins one step later",
            "MaxText": "wsd: the decay is over one step less",
            "OLMo-core": "WSD, WSDS (cycles): on a boundary the end of the cycle before",
        },
        "warmup_exponential": {"optax": "warmup_exponential_decay_schedule"},
        "tri_stage": {"fairseq": "tri_stage", "ESPnet": "TristageLR"},
        "power_law": {"OLMo-core": "PowerLR", "levanter": "power"},
        "inverse_sqrt": {},
        "step_decay": {
            "torch": "StepLR",
            "timm": "StepLRScheduler",
            "Composer": "StepScheduler",
            "fairseq": "step, after a warmup",
            "T5X": "decay_every",
        },
        "multistep": {
            "torch": "MultiStepLR",
            "timm": "MultiStepLRScheduler: one step earlier",
            "Composer": "MultiStepScheduler",
        },
        "cosine_restarts": {
            "torch": "CosineAnnealingWarmRestarts",
            "optax": "sgdr_schedule",
            "Keras": "CosineDecayRestarts",
            "timm": "CosineLRScheduler with cycle_mul, cycle_decay",
            "fairseq": "cosine",
            "Composer": "CosineAnnealingWarmRestartsScheduler",
        },
        "one_cycle": {
            "torch": "OneCycleLR: the peak at `pct_start * total_steps - 1`, the end at `total_steps - 1`",
            "optax": "cosine_onecycle_schedule, linear_onecycle_schedule: the peak at `int(pct_start * N)`",
            "DeepSpeed": "OneCycle",
        },
        "cyclic": {"torch": "CyclicLR", "fairseq": "triangular"},
        "range_test": {"DeepSpeed": "LRRangeTest (linear)", "OLMo-core": "exponential"},
    },
    "Shapes": {
        "linear": {"everyone": "linear"},
        "cosine": {"everyone": "cosine"},
        "power": {"timm": "the decay_fn power of WSDLRScheduler, `1 - u ** decay_power`"},
        "sqrt": {
            "transformers": "decay_type 1-sqrt",
            "timm": "decay_fn 1-sqrt",
            "Megatron": "minus_sqrt",
            "torchtitan": "decay_type sqrt",
        },
        "exponential": {
            "fairseq": "the decay of tri_stage",
            "Megatron": "exponential, ratio 0.5",
            "timm": "decay_fn exp",
        },
        "log": {"DeepSpeed": "warmup_type log, over `warmup_num_steps - 1` steps"},
        "tanh": {"timm": "TanhLRScheduler, of which the ends are left as they are: at u = 1 it is at 0.0025"},
        "rex": {"axolotl": "RexLR", "pytorch-scheduler": "REX"},
        "sine": {"OLMo-core": "the decay of HalfCosWithWarmup"},
        "reverse": {
            "transformers": "polynomial",
            "optax": "polynomial_schedule",
            "torch": "PolynomialLR",
            "Keras": "PolynomialDecay",
            "fairseq": "polynomial_decay",
            "big_vision": "decay_type polynomial",
        },
        "compose": {
            "timm": "k_decay of CosineLRScheduler",
            "optax": "exponent of cosine_decay_schedule, as `reverse(compose(power(exponent), cosine))`",
        },
    },
    "Pieces": {
        "constant": {"transformers": "constant", "optax": "constant_schedule"},
        "ramp": {
            "optax": "linear_schedule, cosine_decay_schedule (not clamped below step 0)",
            "torch": "LinearLR; CosineAnnealingLR rises again past T_max",
            "Keras": "CosineDecay without a warmup",
            "T5X": "linear_warmup, linear_decay",
            "Composer": "LinearScheduler, CosineAnnealingScheduler",
        },
        "inverse_power": {"timm": "stable_fn power of WSDLRScheduler", "levanter": "power"},
        "inverse_time": {"Keras": "InverseTimeDecay", "DeepSpeed": "the tail of OneCycle"},
        "exponential_decay": {
            "torch": "ExponentialLR",
            "optax": "exponential_decay",
            "Keras": "ExponentialDecay",
            "Composer": "ExponentialScheduler",
        },
        "piecewise_constant": {
            "optax": "piecewise_constant_schedule (factors)",
            "torch": "ConstantLR",
            "Composer": "ConstantScheduler",
            "Keras": "PiecewiseConstantDecay (levels): one step later, `step <= boundary`",
            "big_vision": "stair",
            "Scenic": "piecewise_constant: one step later",
        },
        "table": {},
        "tabulate": {},
        "lift": {"torch": "LambdaLR"},
    },
    "Combinators": {
        "join": {"optax": "join_schedules", "torch": "SequentialLR"},
        "interpolate": {"optax": "piecewise_interpolate_schedule", "Scenic": "piecewise_linear"},
        "scale": {},
        "lerp": {"torch": "the momentum of OneCycleLR and CyclicLR"},
        "shift": {},
        "stretch": {"Composer": "scale_schedule_ratio"},
        "repeat": {"praxis": "CycleSchedule", "T5X": "cosine_decay, which jumps back to 1"},
        "product": {
            "torch": "ChainedScheduler",
            "T5X and Scenic": "factors",
            "big_vision": "cooldown",
            "Composer": "a list of schedulers",
        },
        "add": {},
        "minimum": {},
        "maximum": {"T5X": "min_learning_rate", "fairseq": "min_lr of step"},
        "then": {"OLMo-core": "OverrideDecay"},
    },
}


def elsewhere(name: str) -> dict[str, str]:
    """What each peer calls a public name; empty where none has it."""
    return next((names[name] for names in SECTIONS.values() if name in names), {})
