"""Plot the multipliers of five schedules that the first versions of transformers had.

Run it: python examples/draw_schedules.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import funcsched as fs

# Each schedule and its boundaries, by title.
SCHEDULES = {
    "constant()": (fs.constant(), []),
    "warmup_constant(100)": (fs.warmup_constant(100), [100]),
    "warmup_linear(100, 1000)": (fs.warmup_linear(100, 1000), [100, 1000]),
    "warmup_cosine(100, 1000)": (fs.warmup_cosine(100, 1000), [100, 1000]),
    "warmup_cosine_restarts\n(100, 1000, cycles=3)": (
        fs.warmup_cosine_restarts(100, 1000, cycles=3),
        [100, 400, 700, 1000],
    ),
}
LEGEND = "Dotted: end of the warmup,\nrestarts, end of the schedule.\nThe last value is held indefinitely."


def draw(path: Path) -> None:
    figure = Figure(figsize=(8, 4), layout="constrained")
    panels = figure.subplots(2, 3, sharey=True).flat
    steps = np.arange(1151)
    for axes, (title, (schedule, boundaries)) in zip(panels, SCHEDULES.items(), strict=False):
        for boundary in boundaries:
            axes.axvline(boundary, color="0.6", linestyle=":", linewidth=1.2)
        axes.plot(steps, schedule(steps), color="#08519c", linewidth=2)
        axes.set_title(title, fontsize=9.5, family="monospace")
        axes.set_xticks([0, *boundaries] if boundaries else [0, 1000])
        axes.set_yticks([0, 0.5, 1])
        axes.tick_params(labelsize=8.5)
        axes.set_xlim(-30, steps[-1])
        axes.spines[["top", "right"]].set_visible(False)
    legend = panels[-1]
    legend.axis("off")
    legend.text(0.5, 0.5, LEGEND, transform=legend.transAxes, ha="center", va="center", fontsize=9.5, color="0.3")
    figure.supylabel("multiplier", fontsize=10)
    figure.supxlabel("step (updates already made)", fontsize=10)
    figure.savefig(path, dpi=200, format="png")


def main() -> None:
    parser = argparse.ArgumentParser(description="Plot five schedules that the first versions of transformers had.")
    default = Path(__file__).with_name("schedules.png")
    parser.add_argument("figure", nargs="?", type=Path, default=default, help="the PNG file to write")
    path = parser.parse_args().figure
    draw(path)
    print(f"figure saved as {path}")


if __name__ == "__main__":
    main()
