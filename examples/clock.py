"""Plan a training run in tokens: the schedule of GPT-3 (Brown et al. 2020), with Megatron's batch size ramp.

Run it: python examples/clock.py
"""

from __future__ import annotations

import funcsched as fs

CLOCK = fs.Clock(
    samples_per_update=fs.Clock.rampup(16, 16, 5_859_375, global_batch_size=1536),
    sequence_length=2048,
    run={"tokens": 300_000_000_000},
)
# The schedule of the paper, which counts tokens: it advances less per update while batches are small.
SCHEDULE = CLOCK.schedule(fs.warmup_cosine(375_000_000, 260_000_000_000, end=0.1), "tokens")
# The same landmarks on a curve over updates.
OVER_UPDATES = fs.warmup_cosine(CLOCK.steps(tokens=375e6), CLOCK.steps(tokens=260e9), end=0.1)
PEAK_VALUE = 0.6e-4


def main() -> None:
    print(OVER_UPDATES)
    constant_batch_size = fs.Clock(samples_per_update=1536, sequence_length=2048, run={"tokens": 300e9})
    print(f"{CLOCK.total_steps} updates in the run; {constant_batch_size.total_steps} without the batch size ramp")
    print()
    print("    step         tokens  of the run    batch  over updates    over tokens")
    landmarks = {
        "start": 0,
        "middle of the warmup": CLOCK.steps(tokens=375e6) // 2,
        "end of the warmup": CLOCK.steps(tokens=375e6),
        "end of the batch size ramp": CLOCK.steps(tokens=12e9),
        "middle of the run": CLOCK.steps(fraction=0.5),
        "end of the decay": CLOCK.steps(tokens=260e9),
        "end of the run": CLOCK.total_steps,
    }
    for name, step in landmarks.items():
        tokens, batch = CLOCK.tokens(step), CLOCK.samples(step + 1) - CLOCK.samples(step)
        rate_over_updates, rate = PEAK_VALUE * OVER_UPDATES(step), PEAK_VALUE * SCHEDULE(step)
        print(f"{step:8} {tokens:14} {CLOCK.fraction(step):11.2%} {batch:8}", end="  ")
        print(f"{rate_over_updates:12.6e}  {rate:13.6e}  {name}")


if __name__ == "__main__":
    main()
