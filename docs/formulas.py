"""The formulas of docstrings as MathML, which browsers typeset without scripts or fonts.

A formula is a Python expression with four additions: a space between two factors multiplies them, `mod` is the
remainder, ` = ` is equality, and `b_i` and `b_(i + 1)` have an index.
"""

from __future__ import annotations

import ast
import re

FUNCTIONS = {"cos", "sin", "tanh", "log", "exp", "min", "max", "floor", "sqrt"}
OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "&minus;",
    ast.Mult: "&sdot;",
    ast.Mod: "mod",
    ast.Eq: "=",
    ast.Lt: "&lt;",
    ast.LtE: "&le;",
    ast.Gt: "&gt;",
    ast.GtE: "&ge;",
    ast.USub: "&minus;",
}
SPACE = '<mspace width="0.2em"/>'
COMPARISON, SUM, PRODUCT, POWER, ATOM = range(5)


def mathml(text: str) -> str | None:
    """One `math` element for each term of a formula, or None if the text is not a formula but code or prose.

    Lines break between the elements, so long formulas fit on a phone.
    """
    if re.match("--?[a-z]", text):  # a command-line option
        return None
    text = " ".join(text.split()).replace(" = ", " == ")
    text = re.sub(r"\bmod\b", "%", text)
    text = re.sub(r"\b([a-z])_(?:(\w)\b|\((.*?)\))", r"\1[\2\3]", text)
    text = re.sub(r"(?<=[\w)]) (?=[\w(])", " @ ", text)  # a product without its sign: `@` binds like `*`
    try:
        tree = ast.parse(text, mode="eval").body
        if not any(isinstance(node, OPERATION) or _name(node) in FUNCTIONS for node in ast.walk(tree)):
            return None
        return "".join(f'<math displaystyle="true">{term}</math>' for term in _terms(tree))
    except (SyntaxError, _NotAFormula):
        return None


class _NotAFormula(Exception):
    pass


OPERATION = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Pow, ast.Compare, ast.Subscript)


def _name(node: ast.AST) -> str | None:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None


def _terms(node: ast.expr) -> list[str]:
    """The terms of a sum or the sides of an equation, each with the sign before it."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return [*_terms(node.left), _sign(node.op) + _group(node.right, PRODUCT)]
    if isinstance(node, ast.Compare):
        sides = (_terms(side) for side in node.comparators)
        signed = ([_sign(op) + first, *rest] for op, (first, *rest) in zip(node.ops, sides, strict=True))
        return [*_terms(node.left), *(term for side in signed for term in side)]
    return [_element(node)]


def _sign(operator: ast.AST) -> str:
    return f'<mo form="infix">{OPERATORS[type(operator)]}</mo>'


def _precedence(node: ast.expr, flat: bool) -> int:
    if isinstance(node, ast.Compare):
        return COMPARISON
    if isinstance(node, ast.UnaryOp):
        return PRODUCT
    if not isinstance(node, ast.BinOp):
        return ATOM
    if isinstance(node.op, ast.Div | ast.FloorDiv):
        return PRODUCT if flat else POWER
    return {ast.Add: SUM, ast.Sub: SUM, ast.Pow: POWER}.get(type(node.op), PRODUCT)


def _group(node: ast.expr, least: int, flat: bool = False) -> str:
    """An operand, in parentheses if it binds less than `least`."""
    element = _element(node, flat)
    return element if _precedence(node, flat) >= least else f"<mrow><mo>(</mo>{element}<mo>)</mo></mrow>"


def _element(node: ast.expr, flat: bool = False) -> str:
    """An expression as MathML. In an exponent, it is flat: fractions are written with a slash."""
    match node:
        case ast.Name(id=name):
            return f"<mi>{'π' if name == 'pi' else name}</mi>"
        case ast.Constant(value=value) if value is ...:
            return "<mo>⋯</mo>"
        case ast.Constant(value=int() | float() as value):
            return f"<mn>{value}</mn>"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f'<mrow><mo form="prefix">&minus;</mo>{_group(operand, PRODUCT, flat)}</mrow>'
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return f"<msup>{_group(left, ATOM)}<mrow>{_element(right, True)}</mrow></msup>"
        case ast.BinOp(left=left, op=ast.Div(), right=right) if flat:
            return f"<mrow>{_group(left, PRODUCT, True)}<mo>/</mo>{_group(right, POWER, True)}</mrow>"
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return f"<mfrac>{_element(left)}{_element(right)}</mfrac>"
        case ast.BinOp(left=left, op=ast.FloorDiv(), right=right):
            return f"<mrow><mo>⌊</mo>{_element(ast.BinOp(left, ast.Div(), right), flat)}<mo>⌋</mo></mrow>"
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            return f"<mrow>{_group(left, PRODUCT, flat)}{SPACE}{_group(right, POWER, flat)}</mrow>"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            level = _precedence(node, flat)
            return f"<mrow>{_group(left, level, flat)}{_sign(op)}{_group(right, level + 1, flat)}</mrow>"
        case ast.Compare():
            return f"<mrow>{''.join(_terms(node))}</mrow>"
        case ast.Subscript(value=value, slice=index):
            return f"<msub>{_group(value, ATOM)}<mrow>{_element(index, True)}</mrow></msub>"
        case ast.Call(func=ast.Name(id="sqrt"), args=[argument], keywords=[]):
            return f"<msqrt>{_element(argument)}</msqrt>"
        case ast.Call(func=ast.Name(id="floor"), args=[argument], keywords=[]):
            return f"<mrow><mo>⌊</mo>{_element(argument, flat)}<mo>⌋</mo></mrow>"
        case ast.Call(func=function, args=arguments, keywords=[]):
            listed = "<mo>,</mo>".join(_element(argument, flat) for argument in arguments)
            return f"<mrow>{_element(function, flat)}<mo>&#x2061;</mo><mrow><mo>(</mo>{listed}<mo>)</mo></mrow></mrow>"
    raise _NotAFormula
