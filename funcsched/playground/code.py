"""Code to copy: a schedule with its peak learning rate for PyTorch, JAX, YAML and the command line."""

from __future__ import annotations

import ast
import shlex

from funcsched.serialization.data import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from funcsched.core.schedule import Schedule


def code(schedule: Schedule, peak: float, run: int) -> dict[str, str]:
    """The code for a schedule of updates, by tab.

    Args:
        schedule: the schedule.
        peak: the peak learning rate.
        run: number of updates of the run, for `funcsched check`.
    """
    return {**_python(f"schedule = {_qualified(schedule)}", repr(peak)), **_text(repr(schedule), peak, run)}


def code_of_recipe(name: str, schedule: Schedule, peak: float, tokens_per_step: int | None, run: int) -> dict[str, str]:
    """The code for the learning rate of a published recipe.

    Args:
        name: the name of the recipe.
        schedule: its learning rate as a schedule of updates, for YAML and the command line.
        peak: its peak learning rate.
        tokens_per_step: for a recipe that counts tokens.
        run: number of updates of the run, for `funcsched check`.
    """
    plan = f"fs.published({name!r})"
    if tokens_per_step is not None:
        plan += f".in_updates(fs.Clock(samples_per_update={tokens_per_step}, sequence_length=1))"
    python = _python(f'plan = {plan}\nschedule, peak_value = plan.curves["lr"]', "peak_value")
    text = _text(repr(schedule), peak, run)
    if tokens_per_step is None:
        return {**python, **text, "command": f"funcsched show {name}\nfuncsched plot {name}\nfuncsched check {name}\n"}
    # By its name, the recipe would be plotted and checked in tokens.
    return {**python, **text, "command": f"funcsched show {name}\n{text['command']}"}


def _python(definition: str, peak: str) -> dict[str, str]:
    return {
        "pytorch": (
            "import torch\n\nimport funcsched as fs\nfrom bridges.torch import lambda_lr\n\n"
            f"{definition}\n"
            f"optimizer = torch.optim.AdamW(model.parameters(), lr={peak})\n"
            "scheduler = lambda_lr(optimizer, schedule)\n"
            "# After every optimizer.step(): scheduler.step()\n"
        ),
        "jax": (
            "import optax\n\nimport funcsched as fs\nfrom bridges.optax import to_optax\n\n"
            f"{definition}\n"
            f"optimizer = optax.adamw(learning_rate=to_optax(schedule, peak_value={peak}))\n"
        ),
    }


def _text(expression: str, peak: float, run: int) -> dict[str, str]:
    yaml_peak = repr(peak)
    if "." not in yaml_peak:  # YAML 1.1 reads 3e-05 as text
        yaml_peak = yaml_peak.replace("e", ".0e")
    read = 'fs.parse(config["optimizer"]["schedule"])'
    quoted = shlex.quote(expression)
    return {
        "yaml": f"optimizer:\n  learning_rate: {yaml_peak}\n  schedule: {expression}  # {read}\n",
        "command": (
            f"funcsched plot {quoted} --peak-value {peak!r}\n"
            f"funcsched check {quoted} --steps {run} --peak-value {peak!r}\n"
        ),
    }


def _qualified(schedule: Schedule) -> str:
    """The expression with the prefix `fs.` before every public name."""
    tree = ast.parse(repr(schedule), mode="eval")
    return ast.unparse(_Prefix().visit(tree))


class _Prefix(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in registry():
            return node
        return ast.Attribute(ast.Name("fs", ast.Load()), node.id, ast.Load())
