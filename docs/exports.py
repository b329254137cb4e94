"""Write the imports of the recipes and the list `__all__` in funcsched/__init__.py.

python -m docs.exports

They are written as literals, because type checkers do not support a computed `__all__`.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import funcsched
from funcsched.cli.names import MODULES

PATH = Path(funcsched.__file__)
LINE_LENGTH = 120


def recipes() -> dict[str, list[str]]:
    """The recipes of each module: the functions that it decorates with `@recipe`."""
    defined: dict[str, list[str]] = {}
    for name in sorted(MODULES["Recipes"]):
        module = import_module(f"funcsched.{name}")
        functions = ((key, value) for key, value in vars(module).items() if hasattr(value, "__wrapped__"))
        defined[module.__name__] = sorted(key for key, value in functions if value.__module__ == module.__name__)
    return defined


def exported(text: str) -> str:
    """The text of funcsched/__init__.py, with the imports and names of all recipes updated."""
    imports = re.findall(r"^from funcsched\.recipes\.\w+ import (?:\([^)]*\)|[^(\n]*)\n", text, re.MULTILINE)
    before, _, after = text.partition("".join(imports))
    head, opening, rest = after.partition("__all__ = [\n")
    listed, closing, tail = rest.partition("]\n")
    old = {name for statement in imports for name in re.findall(r"\w+", statement.partition("import")[2])}
    new = recipes()
    names = set(re.findall(r"\w+", listed)) - old | {name for names in new.values() for name in names}
    statements = "".join(_statement(module, names) for module, names in new.items())
    return before + statements + head + opening + "".join(f'    "{name}",\n' for name in sorted(names)) + closing + tail


def _statement(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}\n"
    if len(line) <= LINE_LENGTH + 1:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")\n"


def main() -> None:
    PATH.write_text(exported(PATH.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
