"""`published`: the recipes of known models, stored as plain data."""

from __future__ import annotations

import json
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from funcsched.core.validation import argument_error, short_repr
from funcsched.plans.plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import overload

_FOLDER = Path(__file__).parent / "recipes"  # one file for each recipe, in the form of `Plan.from_dict`

if TYPE_CHECKING:

    @overload
    def published() -> list[str]: ...
    @overload
    def published(name: str) -> Plan: ...


def published(name: str | None = None) -> list[str] | Plan:
    """The plan of a published training run, or the names of all published plans.

    Args:
        name: the name of a recipe (str), such as "deepseek-v3".

    Returns:
        A `Plan` in the unit in which the source gives it. Its `source` is the paper or the configuration file. Its
        `notes` list what was not published, and what the plan assumes there. Without a name, the names of all recipes.

    Raises:
        TypeError, ValueError: `name` is not a string, or not the name of a recipe.

    Example:
        >>> import funcsched as fs
        >>> plan = fs.published("gpt-3")
        >>> plan.run, plan.source
        ({'tokens': 300000000000}, 'Brown et al. 2020, arXiv:2005.14165, appendix B')
        >>> [plan.at(tokens)["lr"] for tokens in (375e6, 260e9, 300e9)]
        [6e-05, 6e-06, 6e-06]
    """
    names = sorted(path.stem for path in _FOLDER.glob("*.json"))
    if name is None:
        return names
    if not isinstance(name, str):
        raise argument_error("published", "name", "the name of a recipe", name, TypeError)
    if name not in names:
        hint = near_names(name, names) or "fs.published() lists all names"
        raise ValueError(f"published: unknown recipe {short_repr(name)}; {hint}")
    return _read(name)


def near_names(text: str, names: list[str]) -> str:
    """A question with up to three names that begin with a text, or the most similar one; empty if there is none."""
    plain = text.lower().replace("-", "").replace(" ", "")
    near = [name for name in names if len(plain) > 2 and name.replace("-", "").startswith(plain)]
    # The names are short, so that difflib's default cutoff of 0.6 finds unrelated ones.
    near = near[:3] or get_close_matches(text.lower()[:100], names, n=1, cutoff=0.7)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


@cache
def _read(name: str) -> Plan:
    return Plan.from_dict(json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8")))
