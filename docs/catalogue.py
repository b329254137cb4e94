"""Write the catalogue: every schedule with its picture, formula, source and names elsewhere.

python -m docs.catalogue

The words come from the docstrings, the curves from the schedules; only what others call them is kept here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure

import funcsched as fs

FOLDER = Path(__file__).parent


class Entry(NamedTuple):
    """A public name, the expressions to draw, and what others call it, with where their step differs."""

    name: str
    drawn: tuple[str, ...]
    elsewhere: Mapping[str, str] = MappingProxyType({})


def _shape(expression: str, **elsewhere: str) -> Entry:
    name = expression.partition("(")[0]
    up, down = (f"ramp({ends}, steps=100, shape={expression})" for ends in ("0, 1", "1, 0"))
    return Entry(name, (up, down), elsewhere)


SHAPES = [
    _shape("linear", everyone="linear"),
    _shape("cosine", everyone="cosine"),
    _shape(
        "power(2)",
        timm="the decay_fn power of WSDLRScheduler, `1 - u ** decay_power`",
    ),
    _shape(
        "sqrt",
        transformers="decay_type 1-sqrt",
        timm="decay_fn 1-sqrt",
        Megatron="minus_sqrt",
        torchtitan="decay_type sqrt",
    ),
    _shape(
        "exponential(0.01)", fairseq="the decay of tri_stage", Megatron="exponential, ratio 0.5", timm="decay_fn exp"
    ),
    _shape("log", DeepSpeed="warmup_type log, over `warmup_num_steps - 1` steps"),
    _shape("tanh(-7, 3)", timm="TanhLRScheduler, of which the ends are left as they are: at u = 1 it is at 0.0025"),
    _shape("rex", axolotl="RexLR", pytorch_scheduler="REX"),
    _shape("sine", OLMo_core="the decay of HalfCosWithWarmup"),
    _shape(
        "reverse(power(2))",
        transformers="polynomial",
        optax="polynomial_schedule",
        torch="PolynomialLR",
        Keras="PolynomialDecay",
        fairseq="polynomial_decay",
        big_vision="decay_type polynomial",
    ),
    _shape(
        "compose(cosine, power(2))",
        timm="k_decay of CosineLRScheduler",
        optax="exponent of cosine_decay_schedule, as `reverse(compose(power(exponent), cosine))`",
    ),
]
PIECES = [
    Entry("constant", ("constant()",), {"transformers": "constant", "optax": "constant_schedule"}),
    Entry(
        "ramp",
        ("ramp(0.1, 1.0, steps=60)", "ramp(1.0, 0.1, steps=80, shape=cosine)"),
        {
            "optax": "linear_schedule, cosine_decay_schedule (not clamped below step 0)",
            "torch": "LinearLR; CosineAnnealingLR rises again past T_max",
            "Composer": "LinearScheduler, CosineAnnealingScheduler",
        },
    ),
    Entry(
        "inverse_power",
        ("inverse_power(20, 0.51)", "inverse_power(20, 2)"),
        {"timm": "stable_fn power of WSDLRScheduler", "levanter": "power"},
    ),
    Entry(
        "inverse_time", ("inverse_time(1.0, 20)",), {"Keras": "InverseTimeDecay", "DeepSpeed": "the tail of OneCycle"}
    ),
    Entry(
        "exponential_decay",
        ("exponential_decay(0.5, 20)", "exponential_decay(0.5, 20, staircase=True)"),
        {
            "torch": "ExponentialLR",
            "optax": "exponential_decay",
            "Keras": "ExponentialDecay",
            "Composer": "ExponentialScheduler",
        },
    ),
    Entry(
        "piecewise_constant",
        ("piecewise_constant([30, 60, 80], levels=[0.3, 1.0, 0.5, 0.1])",),
        {
            "optax": "piecewise_constant_schedule (factors)",
            "Keras": "PiecewiseConstantDecay (levels): one step later, `step <= boundary`",
            "big_vision": "stair",
            "Scenic": "piecewise_constant: one step later",
        },
    ),
    Entry("table", ("table([step % 25 / 24 for step in range(100)])",)),
    Entry("tabulate", ("tabulate(lambda step: 1.0 if step < 50 else 50 / step, 100)",)),
    Entry("lift", ("lift(lambda step: 0.5 ** (step // 20))",), {"torch": "LambdaLR"}),
]
COMBINATORS = [
    Entry(
        "join",
        ("join([ramp(0, 1, steps=20), constant(0.5), ramp(0.5, 0, steps=30, shape=cosine)], [20, 60])",),
        {"optax": "join_schedules", "torch": "SequentialLR"},
    ),
    Entry(
        "interpolate",
        ("interpolate([0, 20, 70, 100], [0.1, 1.0, 0.3, 0.0], shape=[linear, cosine, sqrt])",),
        {"optax": "piecewise_interpolate_schedule", "Scenic": "piecewise_linear"},
    ),
    Entry("scale", ("scale(warmup_linear(20, 100), 0.5)",)),
    Entry(
        "lerp",
        ("one_cycle(30, 100)", "lerp(one_cycle(30, 100), 0.95, 0.85)"),
        {"torch": "the momentum of OneCycleLR and CyclicLR"},
    ),
    Entry("shift", ("warmup_linear(20, 100)", "shift(warmup_linear(20, 100), 30)")),
    Entry(
        "stretch", ("warmup_cosine(10, 50)", "stretch(warmup_cosine(10, 50), 2)"), {"Composer": "scale_schedule_ratio"}
    ),
    Entry(
        "repeat",
        ("repeat(ramp(1.0, 0.0, steps=15, shape=cosine), 15, 3, 2, 0.7)",),
        {"praxis": "CycleSchedule"},
    ),
    Entry(
        "product",
        ("product(warmup_inverse_sqrt(20), join([constant(), ramp(1, 0, steps=30)], [70]))",),
        {
            "torch": "ChainedScheduler",
            "T5X and Scenic": "factors",
            "big_vision": "cooldown",
            "Composer": "a list of schedulers",
        },
    ),
    Entry("add", ("add(0.2, scale(warmup_linear(20, 100), 0.8))",)),
    Entry("minimum", ("minimum(warmup_linear(20, 100), 0.6)",)),
    Entry("maximum", ("maximum(warmup_cosine(20, 100), 0.2)",)),
    Entry(
        "then",
        ("warmup_inverse_sqrt(10)", "then(warmup_inverse_sqrt(10), 60, steps=30, shape=sqrt)"),
        {"OLMo-core": "OverrideDecay"},
    ),
]
RECIPES = [
    Entry(
        "warmup_constant",
        ("warmup_constant(20)",),
        {
            "transformers": "constant_with_warmup",
            "optax": "warmup_constant_schedule",
            "DeepSpeed": "WarmupLR, warmup_type linear",
        },
    ),
    Entry(
        "warmup_linear",
        ("warmup_linear(20, 100)",),
        {
            "transformers": "linear",
            "Megatron": "linear",
            "DeepSpeed": "WarmupDecayLR: the engine's update k uses k - 1",
            "torchtitan": "linear: one step ahead in the warmup, `(step + 1) / warmup_steps`",
            "Composer": "LinearWithWarmupScheduler",
        },
    ),
    Entry(
        "warmup_cosine",
        ("warmup_cosine(20, 100, end=0.1)",),
        {
            "transformers": "cosine, cosine_with_min_lr: rises again past the end",
            "optax": "warmup_cosine_decay_schedule",
            "Megatron": "cosine",
            "Keras": "CosineDecay: decay_steps without the warmup",
            "MaxText": "cosine: the decay is over one step less",
            "timm": "CosineLRScheduler with warmup_prefix",
            "torchtitan": "cosine: one step ahead in the warmup",
            "DeepSpeed": "WarmupCosineLR: one step ahead in the decay",
        },
    ),
    Entry(
        "warmup_cosine_restarts",
        ("warmup_cosine_restarts(20, 100, cycles=3)",),
        {"transformers": "cosine_with_restarts"},
    ),
    Entry(
        "warmup_polynomial",
        ("warmup_polynomial(20, 100, exponent=2, end=0.1)",),
        {"transformers": "polynomial", "fairseq": "polynomial_decay", "Composer": "PolynomialWithWarmupScheduler"},
    ),
    Entry(
        "warmup_half_cosine", ("warmup_half_cosine(20, 100)",), {"OLMo-core": "HalfCosWithWarmup: peak (1 + end) / 2"}
    ),
    Entry("warmup_cosine_linear", ("warmup_cosine_linear(20, 100, 30)",), {"OLMo-core": "CosWithWarmupAndLinearDecay"}),
    Entry(
        "warmup_inverse_sqrt",
        ("warmup_inverse_sqrt(20)",),
        {
            "transformers": "inverse_sqrt",
            "fairseq": "inverse_sqrt",
            "Megatron": "inverse-square-root, up to lr_decay_steps",
            "big_vision": "rsqrt",
            "T5X": "linear_warmup * rsqrt_normalized_decay",
            "ESPnet": "WarmupLR: one step ahead",
        },
    ),
    Entry("noam", ("noam(64, 20)",), {"ESPnet": "NoamLR", "praxis": "Transformer"}),
    Entry(
        "warmup_stable_decay",
        ("warmup_stable_decay(20, 50, 30, decay_shape=sqrt)", "warmup_stable_decay(10, 20, 25, cycles=2)"),
        {
            "transformers": "warmup_stable_decay: the warmup starts at min_lr_ratio",
            "timm": "WSDLRScheduler",
            "Megatron": "WSD",
            "torchtitan": "decay_ratio: one step ahead in the warmup, and the decay begins one step later",
            "MaxText": "wsd: the decay is over one step less",
            "OLMo-core": "WSD, WSDS (cycles): on a boundary the end of the cycle before",
        },
    ),
    Entry("warmup_exponential", ("warmup_exponential(20, 30, 0.5)",), {"optax": "warmup_exponential_decay_schedule"}),
    Entry("tri_stage", ("tri_stage(20, 40, 40)",), {"fairseq": "tri_stage", "ESPnet": "TristageLR"}),
    Entry("power_law", ("power_law(20)",), {"OLMo-core": "PowerLR", "levanter": "power"}),
    Entry("inverse_sqrt", ("inverse_sqrt(20)",)),
    Entry(
        "step_decay",
        ("step_decay(30, 0.5)",),
        {"torch": "StepLR", "timm": "StepLRScheduler", "Composer": "StepScheduler"},
    ),
    Entry(
        "multistep",
        ("multistep([30, 60, 80], 0.5)",),
        {"torch": "MultiStepLR", "timm": "MultiStepLRScheduler: one step earlier", "Composer": "MultiStepScheduler"},
    ),
    Entry(
        "cosine_restarts",
        ("cosine_restarts(15, times=3, period_factor=2, level_factor=0.7, end=0.05, warmup_steps=2)",),
        {
            "torch": "CosineAnnealingWarmRestarts",
            "optax": "sgdr_schedule",
            "Keras": "CosineDecayRestarts",
            "timm": "CosineLRScheduler with cycle_mul, cycle_decay",
            "fairseq": "cosine",
            "Composer": "CosineAnnealingWarmRestartsScheduler",
        },
    ),
    Entry(
        "one_cycle",
        ("one_cycle(30, 100)", "one_cycle(30, 100, decay_steps=30, shape=linear)"),
        {
            "torch": "OneCycleLR: the peak at `pct_start * total_steps - 1`, the end at `total_steps - 1`",
            "optax": "cosine_onecycle_schedule, linear_onecycle_schedule: the peak at `int(pct_start * N)`",
            "DeepSpeed": "OneCycle",
        },
    ),
    Entry(
        "cyclic",
        ("cyclic(15, start=0.1)", 'cyclic(15, start=0.1, mode="triangular2")'),
        {"torch": "CyclicLR", "fairseq": "triangular"},
    ),
    Entry(
        "range_test",
        ("range_test(100, start=1e-3)",),
        {"DeepSpeed": "LRRangeTest (linear)", "OLMo-core": "exponential"},
    ),
]
SECTIONS = {"Recipes": RECIPES, "Shapes": SHAPES, "Pieces": PIECES, "Combinators": COMBINATORS}
HEAD = """# Catalogue

Every schedule, shape and combinator: its picture, its formula, its source, and what others call it. Written by
`python -m docs.catalogue` from the docstrings and the schedules themselves.

Steps count the updates already made, from 0. Where a peer's step differs, its name says so: its curve is this one with
that shift, and the function of `bridges.<peer>` under the peer's own name and arguments gives it exactly.

"""


def page() -> str:
    """The whole page."""
    contents = "".join(
        f"- {title}: " + ", ".join(f"[{entry.name}](#{entry.name})" for entry in entries) + "\n"
        for title, entries in SECTIONS.items()
    )
    sections = (f"\n## {title}\n" + "".join(map(text, entries)) for title, entries in SECTIONS.items())
    return HEAD + contents + "".join(sections)


def text(entry: Entry) -> str:
    """The part of the page about one name."""
    drawn = "<br>".join(f"`{expression}`" for expression in entry.drawn)
    rows = "".join(f"| {peer.replace('_', '-')} | {name} |\n" for peer, name in entry.elsewhere.items())
    elsewhere = f"\n| peer | name there |\n| --- | --- |\n{rows}" if rows else ""
    picture = f"![{entry.name}](pictures/{entry.name}.svg)"
    return f"\n### {entry.name}\n\n{picture}\n\n{drawn}\n\n{words(entry.name)}\n{elsewhere}"


def words(name: str) -> str:
    """Summary, formula and source, out of the docstring."""
    thing = getattr(fs, name)
    doc = inspect.getdoc(thing if inspect.isfunction(thing) else type(thing)) or ""
    doc = re.sub(r"``(.*?)``", r"`\1`", doc, flags=re.DOTALL)
    body, _, _ = doc.partition("\n\nArgs:")
    _, _, source = doc.partition("\nSource: ")
    return body + (f"\n\nSource: {source.strip()}" if source else "")


def draw(entry: Entry, path: Path) -> None:
    """The curves of one name over the first 120 steps."""
    figure = Figure(figsize=(4.2, 1.9), layout="constrained")
    axes = figure.subplots()
    steps = np.arange(0.0, 120.25, 0.25)
    for expression, color, style in zip(entry.drawn, ["#08519c", "#d95f0e"], ["-", "--"], strict=False):
        schedule = eval(expression, vars(fs))
        # A jump is upright where the curve is drawn more often than steps are made.
        whole = "table" in expression or "tabulate" in expression or "lift" in expression
        at = np.floor(steps) if whole else steps
        axes.plot(steps, [schedule(step) for step in at], color=color, linestyle=style, linewidth=1.8)
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, 120)
    axes.tick_params(labelsize=8)
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_xlabel("step", fontsize=8)
    axes.set_ylabel("multiplier", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="svg", metadata={"Date": None})


def main() -> None:
    matplotlib.rcParams["svg.hashsalt"] = "funcsched"
    (FOLDER / "catalogue.md").write_text(page(), encoding="utf-8")
    for entries in SECTIONS.values():
        for entry in entries:
            draw(entry, FOLDER / "pictures" / f"{entry.name}.svg")
    print(f"{sum(map(len, SECTIONS.values()))} entries")


if __name__ == "__main__":
    main()
