"""The curves that the training loops of JAX are tested with, beside their oracles."""

import funcsched as fs
from tests import oracle

CASES = {
    "warmup_linear": (fs.warmup_linear(4, 15), oracle.warmup_linear(4, 15)),
    "warmup_cosine": (fs.warmup_cosine(4, 15, end=0.1), oracle.warmup_cosine(4, 15, 0.0, 0.1)),
    "warmup_cosine_restarts": (
        fs.warmup_cosine_restarts(4, 15, cycles=3),
        oracle.warmup_cosine_restarts(4, 15, cycles=3),
    ),
    "join": (
        fs.join([fs.ramp(0.0, 1.0, steps=3), fs.constant(0.5), fs.ramp(0.5, 0.1, steps=4)], [3, 9]),
        oracle.join([oracle.ramp(0.0, 1.0, 3), oracle.constant(0.5), oracle.ramp(0.5, 0.1, 4)], [3, 9]),
    ),
}
UPDATES = 18  # past the end of all of them
PEAK = 0.5  # a power of two: the product with it is exact, so a rate is as accurate as its multiplier
TOLERANCE = 4  # ulp of float32
