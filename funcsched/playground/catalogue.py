"""What the playground offers to choose from: an expression of every schedule, and the published recipes."""

from __future__ import annotations

from inspect import getdoc

from funcsched.plans.published import published
from funcsched.serialization.data import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Each schedule at a length of about 10,000 steps, so that any two of them can be compared.
EXPRESSIONS = {
    "Recipes": (
        "warmup_cosine(warmup_steps=1000, total_steps=10000, end=0.1)",
        "warmup_linear(warmup_steps=1000, total_steps=10000)",
        "warmup_stable_decay(warmup_steps=1000, stable_steps=7000, decay_steps=2000)",
        "warmup_constant(warmup_steps=1000)",
        "warmup_polynomial(warmup_steps=1000, total_steps=10000, exponent=2.0)",
        "warmup_half_cosine(warmup_steps=1000, total_steps=10000)",
        "warmup_cosine_linear(warmup_steps=1000, total_steps=10000, decay_steps=2000, cosine_end=0.3)",
        "tri_stage(warmup_steps=1000, stable_steps=4000, decay_steps=5000)",
        "warmup_cosine_restarts(warmup_steps=1000, total_steps=10000, cycles=3)",
        "cosine_restarts(period=2500, times=4, level_factor=0.7)",
        "one_cycle(warmup_steps=3000, total_steps=10000)",
        "cyclic(up_steps=1250, mode='triangular2')",
        "range_test(total_steps=10000)",
        "warmup_inverse_sqrt(warmup_steps=1000)",
        "inverse_sqrt(timescale=1000)",
        "1.0 * noam(d_model=512, warmup_steps=4000)",  # its values are learning rates
        "power_law(warmup_steps=1000)",
        "warmup_exponential(warmup_steps=1000, decay_steps=3000, rate=0.5)",
        "step_decay(period=3000, factor=0.3)",
        "multistep(boundaries=(5000, 7500))",
    ),
    "Primitives": (
        "constant(value=0.5)",
        "ramp(start=1.0, stop=0.1, steps=10000, shape=cosine)",
        "exponential_decay(rate=0.5, steps=3000)",
        "inverse_time(rate=1.0, steps=1000)",
        "inverse_power(timescale=1000, exponent=0.5)",
        "hypot_decay(timescale=1000, exponent=0.5)",
        "saturating_exponential(timescale=2000)",
        "piecewise_constant(boundaries=(3000, 6000, 9000), levels=(1.0, 0.3, 0.1, 0.03))",
        "table(values=(0.0, 0.25, 0.5, 0.75, 1.0, 0.8, 0.6, 0.4, 0.2, 0.1))",
    ),
    "Combinators": (
        "join(schedules=(ramp(start=0.0, stop=1.0, steps=1000), constant(),"
        " ramp(start=1.0, stop=0.0, steps=2000, shape=sqrt)), boundaries=(1000, 8000))",
        "then(schedule=warmup_constant(warmup_steps=1000), boundary=8000, stop=0.0, steps=2000)",
        "warm_into(schedule=inverse_sqrt(timescale=1000), steps=1000)",
        "interpolate(boundaries=(0, 1000, 6000, 10000), levels=(0.0, 1.0, 0.3, 0.0))",
        "repeat(schedule=ramp(start=1.0, stop=0.0, steps=2500, shape=cosine), period=2500, times=4)",
        "shift(schedule=warmup_cosine(warmup_steps=1000, total_steps=10000), steps=500)",
        "stretch(schedule=warmup_cosine(warmup_steps=500, total_steps=5000), factor=2.0)",
        "staircase(schedule=warmup_linear(warmup_steps=2, total_steps=20), steps=500)",
        "count_by(schedule=warmup_cosine(warmup_steps=64000, total_steps=640000), sizes=64)",
        "scale(schedule=warmup_cosine(warmup_steps=1000, total_steps=10000), factor=0.5)",
        "lerp(schedule=warmup_cosine(warmup_steps=1000, total_steps=10000), start=0.1, stop=1.0)",
        "product(warmup_constant(warmup_steps=1000), inverse_sqrt(timescale=3000))",
        "add(scale(schedule=warmup_linear(warmup_steps=1000, total_steps=10000), factor=0.9), constant(value=0.1))",
        "minimum(warmup_constant(warmup_steps=1000), ramp(start=1.5, stop=0.0, steps=10000))",
        "maximum(warmup_linear(warmup_steps=1000, total_steps=10000), constant(value=0.2))",
        "blend(first=warmup_linear(warmup_steps=1000, total_steps=10000), second=constant(value=0.5),"
        " weight=ramp(start=0.0, stop=1.0, steps=10000))",
    ),
}
PLOTTED_UNITS = ("updates", "tokens")  # of the published recipes that the playground can plot over steps


def catalogue() -> list[dict[str, Any]]:
    """The schedules by kind, each with its name, the first paragraph of its documentation, and an expression."""
    sections: list[dict[str, Any]] = [
        {"title": title, "entries": [_entry(expression) for expression in expressions]}
        for title, expressions in EXPRESSIONS.items()
    ]
    recipes = [
        {"name": name, "summary": plan.source, "expression": name}
        for name, plan in ((name, published(name)) for name in published())
        if plan.unit in PLOTTED_UNITS
    ]
    return [*sections, {"title": "Published recipes", "entries": recipes}]


def _entry(expression: str) -> dict[str, str]:
    name = expression.partition("(")[0].removeprefix("1.0 * ")
    summary = (getdoc(registry()[name]) or "").partition("\n\n")[0]
    return {"name": name, "summary": " ".join(summary.split()), "expression": expression}
