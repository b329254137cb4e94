"""Schedules with their oracles for the tests of `to_optax`, of pytrees, of sweeps and of gradients."""

from collections.abc import Callable
from typing import Any

import jax

import funcsched as fs
from tests import oracle
from tests.stacks import curves

# Schedules, each with its oracle.
CASES = {
    "constant": (fs.constant(0.25), oracle.constant(0.25)),
    "warmup_constant": (fs.warmup_constant(4), oracle.warmup_constant(4)),
    "warmup_linear from start to end": (
        fs.warmup_linear(4, 15, start=0.1, end=0.05),
        oracle.warmup_linear(4, 15, 0.1, 0.05),
    ),
    **curves.CASES,
}
SOME = ["warmup_linear", "warmup_cosine_restarts", "join"]  # one linear, one curved and one composed schedule

COMPILE = {"eager": lambda function: function, "jit": jax.jit}


def halved_after_5(step: Any) -> float:
    if step < 5:
        return 1.0
    return 0.5


# Functions of (warmup, total, start, end) that return a schedule, each with one that returns its oracle.
FAMILIES: dict[str, tuple[Callable[..., fs.Schedule], Callable[..., oracle.Curve]]] = {
    "warmup_constant": (
        lambda w, t, a, b: fs.warmup_constant(w, start=a),
        lambda w, t, a, b: oracle.warmup_constant(w, a),
    ),
    "warmup_linear": (lambda w, t, a, b: fs.warmup_linear(w, t, start=a, end=b), oracle.warmup_linear),
    "warmup_cosine": (lambda w, t, a, b: fs.warmup_cosine(w, t, start=a, end=b), oracle.warmup_cosine),
    "warmup_cosine of 1.5 waves": (
        lambda w, t, a, b: fs.warmup_cosine(w, t, start=a, end=b, cycles=1.5),
        lambda w, t, a, b: oracle.warmup_cosine(w, t, a, b, 1.5),
    ),
    "warmup_cosine_restarts": (
        lambda w, t, a, b: fs.warmup_cosine_restarts(w, t, start=a, end=b, cycles=3),
        lambda w, t, a, b: oracle.warmup_cosine_restarts(w, t, a, b, 3),
    ),
    "ramp of a power": (
        lambda w, t, a, b: fs.ramp(a, b, steps=t, shape=fs.power(1.5)),
        lambda w, t, a, b: oracle.ramp(a, b, t, oracle.power(1.5)),
    ),
}
