"""The plots whose output is stored in `pictures`. After a change of the plots, store them again and inspect them:

python -m tests.plotting.stored
"""

from collections.abc import Callable
from pathlib import Path

import matplotlib

import funcsched as fs
from funcsched.plotting.figure import plot
from funcsched.plotting.notebook import svg
from funcsched.plotting.terminal import terminal

matplotlib.use("agg")
FOLDER = Path(__file__).parent / "pictures"
WSD = "warmup_stable_decay(10, 20, 25, cycles=2)"
FIVE = [
    fs.warmup_cosine(10, 100, end=0.1),
    fs.warmup_stable_decay(10, 50, 30, decay_shape=fs.sqrt),
    fs.step_decay(30),
    fs.warmup_inverse_sqrt(10),
    fs.cosine_restarts(15, times=3, period_factor=2, level_factor=0.7, end=0.05, warmup_steps=2),
]
LABELED = {"cosine": fs.warmup_cosine(100, 1000), "one cycle": fs.one_cycle(300, 1000)}


def terminal_plots() -> str:
    """One and several curves, in letters and in braille dots, on linear and logarithmic axes."""
    return "\n\n".join(
        [
            terminal(FIVE[0], 60),
            terminal(FIVE[4], 60, characters="ascii"),
            terminal(FIVE[:2], 60, peak_value=3e-4),
            terminal(LABELED, 60, log=True, color=True),
            terminal(FIVE[2], 40, 9, log=True),
        ]
    )


STORED: dict[str, Callable[[Path], object]] = {
    "one.png": lambda path: plot(fs.warmup_cosine(1000, 100_000, end=0.1), path=path),
    "several.png": lambda path: plot(FIVE, steps=120, peak_value=3e-4, path=path),
    "log.png": lambda path: plot(LABELED, log=True, path=path),
    "log.svg": lambda path: plot(LABELED, log=True, path=path),
    "small.svg": lambda path: path.write_text(svg(FIVE[4]), encoding="utf-8"),
    "terminal.txt": lambda path: path.write_text(terminal_plots(), encoding="utf-8"),
}


def parsed(text: str) -> fs.Schedule:
    schedule: fs.Schedule = eval(text, vars(fs))
    return schedule


if __name__ == "__main__":
    for name, write in STORED.items():
        write(FOLDER / name)
