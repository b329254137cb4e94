"""Formulas as MathML: known elements, and every formula of the catalogue."""

import re

import pytest

from docs.formulas import mathml
from funcsched.cli.names import SECTIONS, documentation

# These have no operator in their formula: a name, or a call of functions.
WITHOUT_OPERATORS = {"linear", "compose"}


def terms(formula: str) -> list[str]:
    elements = re.findall('<math displaystyle="true">(.*?)</math>', mathml(formula) or "")
    assert "".join(f'<math displaystyle="true">{element}</math>' for element in elements) == mathml(formula)
    return elements


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("(a - b) / 2", "<mfrac><mrow><mi>a</mi>{-}<mi>b</mi></mrow><mn>2</mn></mfrac>"),
        ("pi * a", "<mrow><mi>π</mi>{*}<mi>a</mi></mrow>"),
        ("sqrt(a)", "<msqrt><mi>a</mi></msqrt>"),
        ("a // b", "<mrow><mo>⌊</mo><mfrac><mi>a</mi><mi>b</mi></mfrac><mo>⌋</mo></mrow>"),
        ("a ** (b / c)", "<msup><mi>a</mi><mrow><mrow><mi>b</mi><mo>/</mo><mi>c</mi></mrow></mrow></msup>"),
        (
            "a * (b + c)",
            "<mrow><mi>a</mi>{*}<mrow><mo>(</mo><mrow><mi>b</mi>{+}<mi>c</mi></mrow><mo>)</mo></mrow></mrow>",
        ),
        ("b[i]", "<msub><mi>b</mi><mrow><mi>i</mi></mrow></msub>"),
        ("b_i", "<msub><mi>b</mi><mrow><mi>i</mi></mrow></msub>"),
        ("b_(i + 1)", "<msub><mi>b</mi><mrow><mrow><mi>i</mi>{+}<mn>1</mn></mrow></mrow></msub>"),
        (
            "min(a, ...)",
            "<mrow><mi>min</mi><mo>&#x2061;</mo><mrow><mo>(</mo><mi>a</mi><mo>,</mo><mo>⋯</mo><mo>)</mo></mrow></mrow>",
        ),
    ],
)
def test_a_formula_is_typeset(formula: str, expected: str) -> None:
    for sign, entity in {"{-}": "&minus;", "{*}": "&sdot;", "{+}": "+"}.items():
        expected = expected.replace(sign, f'<mo form="infix">{entity}</mo>')
    assert terms(formula) == [expected]


def test_a_sum_and_an_equation_break_between_their_terms() -> None:
    minus, equal = '<mo form="infix">&minus;</mo>', '<mo form="infix">=</mo>'
    assert terms("y = a - b") == ["<mi>y</mi>", f"{equal}<mi>a</mi>", f"{minus}<mi>b</mi>"]
    difference = f"<mrow><mo>(</mo><mrow><mi>b</mi>{minus}<mi>c</mi></mrow><mo>)</mo></mrow>"
    assert terms("a - (b - c)") == ["<mi>a</mi>", minus + difference]


def test_factors_with_a_space_between_them_are_multiplied() -> None:
    space = '<mspace width="0.2em"/>'
    assert terms("1 - d u")[1].endswith(f"<mrow><mi>d</mi>{space}<mi>u</mi></mrow>")
    assert terms("(1 - d) u / 2")[0].startswith("<mfrac><mrow><mrow><mo>(</mo>")


@pytest.mark.parametrize(
    "text",
    [
        "u",
        "warmup_cosine(20, 100)",
        "warmup_cosine(warmup_steps, total_steps, start=start, end=1 / 2)",
        "join([a, b], [10])",
        "step -> multiplier",
        "the end of a run",
        "--lr-warmup-fraction",
        "-ffast-math",
        "end=0.1",
        "torch.optim.SGD",
        "'a' + 'b'",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert mathml(text) is None


@pytest.mark.parametrize("name", [name for names in SECTIONS.values() for name in names])
def test_every_formula_of_the_catalogue_is_typeset(name: str) -> None:
    texts = re.findall("``(.*?)``", documentation(name).partition("\nArgs:")[0], re.DOTALL)
    assert any(map(mathml, texts)) is (name not in WITHOUT_OPERATORS)
