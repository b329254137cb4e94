"""Plot the learning rates of a warmup-cosine and of a warmup-stable-decay run: the picture of the README.

Run it: python examples/draw_schedules.py [--dark]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import funcsched as fs

PEAK, STEPS = 3e-4, 10_000
# Each schedule and its boundaries, by title.
SCHEDULES = {
    "warmup_cosine(1_000, 10_000, end=0.1)": (fs.warmup_cosine(1_000, STEPS, end=0.1), [1_000, 10_000]),
    "warmup_stable_decay(1_000, 7_000, 2_000)": (
        fs.warmup_stable_decay(1_000, 7_000, 2_000),
        [1_000, 8_000, 10_000],
    ),
}


def draw(path: Path, *, dark: bool) -> None:
    line, text, faint = ("#6cb6ff", "#d0d7de", "#57606a") if dark else ("#08519c", "#24292f", "#afb8c1")
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    figure.patch.set_alpha(0)
    panels = figure.subplots(1, 2, sharey=True)
    steps = np.arange(STEPS + 1_000)
    for axes, (title, (schedule, boundaries)) in zip(panels, SCHEDULES.items(), strict=True):
        for boundary in boundaries:
            axes.axvline(boundary, color=faint, linestyle=":", linewidth=1.2)
        axes.plot(steps, PEAK * schedule(steps), color=line, linewidth=2)
        axes.set_title(title, fontsize=9, family="monospace", color=text)
        axes.set_xticks([0, *boundaries], [f"{step:,}" for step in (0, *boundaries)])
        axes.set_yticks([0, 1e-4, 2e-4, 3e-4], ["0", "1e-4", "2e-4", "3e-4"])
        axes.set_xlim(-200, steps[-1])
        axes.set_facecolor("none")
        axes.tick_params(labelsize=8, colors=text)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["bottom", "left"]].set_color(faint)
    figure.supylabel("learning rate", fontsize=9, color=text)
    figure.supxlabel("step (updates already made)", fontsize=9, color=text)
    figure.savefig(path, dpi=200, format="png")


def main() -> None:
    parser = argparse.ArgumentParser(description="Plot the learning rates of two runs: the picture of the README.")
    parser.add_argument("figure", nargs="?", type=Path, help="the PNG file to write (default: beside this script)")
    parser.add_argument("--dark", action="store_true", help="use colours for a dark background")
    options = parser.parse_args()
    default = Path(__file__).with_name("schedules_dark.png" if options.dark else "schedules.png")
    path = options.figure or default
    draw(path, dark=options.dark)
    print(f"figure saved as {path}")


if __name__ == "__main__":
    main()
