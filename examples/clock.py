"""Plan a run in tokens: the counts of GPT-3 (Brown et al. 2020), with the ramp of the batch that Megatron gives it.

Run it: python examples/clock.py
"""

from __future__ import annotations

import funcsched as fs

CLOCK = fs.Clock(
    samples_per_update=fs.Clock.rampup(16, 16, 5_859_375, global_batch_size=1536),
    sequence_length=2048,
    run={"tokens": 300_000_000_000},
)
# The counts of the paper, turned into updates once.
SCHEDULE = fs.warmup_cosine(CLOCK.steps(tokens=375e6), CLOCK.steps(tokens=260e9), end=0.1)
# The same numbers as a curve over tokens: while batches are small, an update moves it less.
OVER_TOKENS = fs.warmup_cosine(375_000_000, 260_000_000_000, end=0.1)
PEAK = 0.6e-4


def main() -> None:
    print(SCHEDULE)
    print(f"the run is {CLOCK.total_steps} updates; at the full batch all the way it would be", end=" ")
    print(fs.Clock(samples_per_update=1536, sequence_length=2048).steps(tokens=300e9))
    print()
    print("  update         tokens   of the run  batch  rate          rate over tokens")
    marks = {
        "the first": 0,
        "half of the warmup": CLOCK.steps(tokens=375e6) // 2,
        "the peak": CLOCK.steps(tokens=375e6),
        "the full batch": CLOCK.steps(tokens=12e9),
        "half of the run": CLOCK.steps(fraction=0.5),
        "the end of the decay": CLOCK.steps(tokens=260e9),
        "the end": CLOCK.total_steps,
    }
    for name, step in marks.items():
        tokens, batch = CLOCK.tokens(step), CLOCK.samples(step + 1) - CLOCK.samples(step)
        rates = f"{PEAK * SCHEDULE(step):.6e}  {PEAK * OVER_TOKENS(tokens):.6e}"
        print(f"{step:8} {tokens:14} {CLOCK.fraction(step):10.2%} {batch:8}  {rates}  {name}")


if __name__ == "__main__":
    main()
