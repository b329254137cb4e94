"""Recorded operations as the source code of a function. `languages` defines how each language writes them."""

from __future__ import annotations

import textwrap

from funcsched.export.symbol import Symbol, Trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

ATOM = 9  # the precedence of names, calls and numbers
# The same in all languages. An operand of lower precedence gets parentheses, and so does a right one of the same.
_PRECEDENCE = {"where": 0, "==": 2, "<": 2, "<=": 2, ">": 2, ">=": 2, "|": 3, "&": 3, "+": 4, "-": 4}
_PRECEDENCE |= {"*": 5, "/": 5, "//": 5, "%": 5, "neg": 6, "pow": 7}
_TEMPLATES = {"neg": "-{}", "pow": "{} ** {}", "lookup": "{}[{}]"}  # the same in all languages
_MAX_INLINE = 28  # characters of an expression inside another one
_MAX_WIDTH = 96  # characters of a line in a table or comment


class Printer:
    """Writes a function in one language. Operations without a template are operators or calls."""

    templates: ClassVar[dict[str, str]]  # of operations, with their arguments and their kind
    call = "{}({})"  # of the name and the arguments of an operation
    kinds: ClassVar[dict[str, str]] = {"int": "int", "float": "float"}  # their names
    assignment = "{name} = {value}"
    table = "{name} = ({value})"
    infinity: str
    function: str  # of a name, a description, statements and a result
    comment = "    "  # before each line of the description
    test = "{name}({step}) == {value!r}"

    def print(self, trace: Trace, result: Any, name: str, description: list[str], values: dict[int, float]) -> str:
        """The source code of the function. `values` are those in the comment."""
        uses = _uses(result)
        self.expressions: dict[Symbol, tuple[str, int]] = {trace.step: ("step", ATOM)}  # with their precedence
        self.statements: list[str] = []
        self.variables = {"t": 0, "table": 0}  # how many there are
        for symbol in trace.symbols[1:]:
            if symbol.index in uses:
                text, precedence = self.expression(symbol)
                is_long = len(text) > _MAX_INLINE and symbol is not result
                if is_long or uses[symbol.index] > 1 or symbol.operation in ("table", "index"):
                    text, precedence = self.statement(symbol, text), ATOM
                self.expressions[symbol] = text, precedence
        tests = [self.test.format(name=name, step=step, value=value) for step, value in values.items()]
        wrapped = [line for text in description for line in ["", *textwrap.wrap(text, _MAX_WIDTH)]][1:]
        lines = [f"{self.comment}{line}".rstrip() for line in [*wrapped, "", "Test values:", *tests]]
        return self.function.format(
            name=name,
            description="\n".join(lines).removeprefix(self.comment),
            statements="".join(textwrap.indent(statement, "    ") + "\n" for statement in self.statements),
            result=self.result(result),
        )

    def result(self, value: Any) -> str:
        return self.operand(value, 0)

    def number(self, value: float) -> str:
        return self.infinity if value == float("inf") else repr(value)

    def statement(self, symbol: Symbol, expression: str) -> str:
        """Add the statement that computes a variable, and return its name."""
        base, template = ("table", self.table) if symbol.operation == "table" else ("t", self.assignment)
        self.variables[base] += 1
        name = f"{base}{self.variables[base]}"
        self.statements.append(template.format(kind=self.kinds.get(symbol.kind), name=name, value=expression))
        return name

    def expression(self, symbol: Symbol) -> tuple[str, int]:
        operation, arguments = symbol.operation, symbol.arguments
        if operation == "table":
            values = ", ".join(map(self.number, arguments[0]))
            if len(values) > _MAX_INLINE or len(arguments[0]) == 1:
                values = f"\n{textwrap.indent(textwrap.fill(values, _MAX_WIDTH), '    ')},\n"
            return values, ATOM
        template = self.templates.get(operation) or _TEMPLATES.get(operation)
        if template is None:
            operands = ", ".join(["{}"] * len(arguments))
            template = self.call.format(operation, operands) if operation.isidentifier() else f"{{}} {operation} {{}}"
        is_call = template[0].isalpha() and operation != "index"
        precedence = ATOM if is_call else _PRECEDENCE.get(operation, ATOM)
        texts = [
            # The arguments of a call need no parentheses, and the first operand only if its precedence is lower.
            self.operand(argument, 0 if is_call else precedence + (i > 0 or operation in ("pow", "neg")))
            for i, argument in enumerate(arguments)
        ]
        return template.format(*texts, kind=self.kinds.get(symbol.kind)), precedence

    def operand(self, argument: Any, precedence: int) -> str:
        text, own = self.expressions[argument] if isinstance(argument, Symbol) else (self.number(argument), ATOM)
        return text if own >= min(precedence, ATOM) else f"({text})"


def _uses(result: Any) -> dict[int, int]:
    """How often each symbol is used, directly or indirectly, in the result."""
    uses: dict[int, int] = {}
    pending = [result]
    while pending:
        symbol = pending.pop()
        if isinstance(symbol, Symbol):
            uses[symbol.index] = uses.get(symbol.index, 0) + 1
            if uses[symbol.index] == 1:
                pending.extend(symbol.arguments)
    return uses
