"""Run all benchmarks, print their tables and write RESULTS.md."""

from __future__ import annotations

from pathlib import Path

from benchmarks import calling, catalogue, compiled, compiling, importing, kernels
from benchmarks.report import document, section

SECTIONS = {
    "One call": calling,
    "Compiled code": compiled,
    "Compilation": compiling,
    "The catalogue": catalogue,
    "A training step": kernels,
    "Import": importing,
}


def main() -> None:
    tables = {}
    for title, module in SECTIONS.items():
        tables[title] = list(module.rows())
        print(section(title, tables[title]), flush=True)
    Path(__file__).with_name("RESULTS.md").write_text(document(tables), encoding="utf-8")


if __name__ == "__main__":
    main()
