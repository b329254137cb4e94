"""The printers of Python, C, torch and JAX."""

from __future__ import annotations

from funcsched.export.printer import ATOM, Printer
from funcsched.export.symbol import Symbol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

_FUNCTION = '''\
import {module}


def {{name}}(step):
    """{{description}}
    """
    step = {step}
{{statements}}    return {{result}}
'''


class Python(Printer):
    templates: ClassVar[dict[str, str]] = {
        "where": "{1} if {0} else {2}",
        "maximum": "max({}, {})",
        "minimum": "min({}, {})",
        "cast": "{kind}({})",
        "index": "sum(boundary <= {1} for boundary in {0})",
    }
    call = "math.{}({})"
    infinity = "math.inf"
    function = _FUNCTION.format(module="math", step="max(step, 0)")


class C(Printer):
    templates: ClassVar[dict[str, str]] = {
        "where": "{} ? {} : {}",
        "|": "{} || {}",
        "maximum": "fmax({}, {})",
        "minimum": "fmin({}, {})",
        "pow": "pow({}, {})",
        "cast": "({kind}){}",
        "upper_half": "(double)(float){}",
        "index": "0",
    }
    kinds: ClassVar[dict[str, str]] = {"float": "double", "int": "int", "bool": "int"}
    assignment = "{kind} {name} = {value};"
    table = "static const double {name}[] = {{{value}}};"
    infinity = "INFINITY"
    comment = " * "
    test = "{name}({step}) = {value!r}"
    function = """\
#include <math.h>

/* {description}
 */
double {name}(double step)
{{
    step = fmin(fmax(step, 0.0), 0x1p62);
{statements}    return {result};
}}
"""

    def number(self, value: float) -> str:
        return super().number(float(value))

    def statement(self, symbol: Symbol, expression: str) -> str:
        name = super().statement(symbol, expression)
        if symbol.operation == "index":
            table, count = (self.operand(argument, ATOM) for argument in symbol.arguments)
            length = len(symbol.arguments[0].arguments[0])
            self.statements.append(f"while ({name} < {length} && {table}[{name}] <= {count}) {name}++;")
        return name


class Torch(Printer):
    templates: ClassVar[dict[str, str]] = {
        "maximum": "torch.clamp({}, min={})",
        "minimum": "torch.clamp({}, max={})",
        "cast": "{}.to({kind})",
        "view": "{}.view({kind})",
        "tensor": "torch.tensor({}, dtype=torch.float64, device=step.device)",
        "index": 'torch.searchsorted({}, {}, side="right")',
    }
    call = "torch.{}({})"
    kinds: ClassVar[dict[str, str]] = {"float": "torch.float64", "int": "torch.int64"}
    table = "{name} = torch.tensor([{value}], dtype=torch.float64, device=step.device)"
    infinity = 'float("inf")'
    function = _FUNCTION.format(module="torch", step="torch.as_tensor(step).to(torch.float64).clamp(min=0)")
    test = "{name}({step}) = {value:.7g}"

    def result(self, value: Any) -> str:
        if isinstance(value, Symbol):
            return f"{self.operand(value, ATOM)}.to(torch.float32)"
        return f"torch.full_like(step, {value!r}, dtype=torch.float32)"


class Jax(Printer):
    templates: ClassVar[dict[str, str]] = {
        "cast": '{}.astype("{kind}")',
        "view": '{}.view("{kind}")',
        "index": 'jnp.searchsorted({}, {}, side="right")',
        "expand": "{}[..., None]",
        "sum": 'jnp.sum({}, -1, dtype="int32")',
    }
    call = "jnp.{}({})"
    kinds: ClassVar[dict[str, str]] = {"float": "float32", "int": "int32"}
    table = '{name} = jnp.asarray([{value}], "{kind}")'
    infinity = 'float("inf")'
    function = _FUNCTION.format(module="jax.numpy as jnp", step='jnp.maximum(jnp.asarray(step, "int32"), 0)')
    test = "{name}({step}) = {value:.7g}"

    def result(self, value: Any) -> str:
        if isinstance(value, Symbol):
            return f'{self.operand(value, ATOM)}.astype("float32")'
        return f'jnp.full(step.shape, {value!r}, "float32")'
