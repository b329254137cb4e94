"""Helpers for tests that use JAX."""

import re
from collections import Counter
from typing import Any

import jax
import jax.numpy as jnp

_OPCODE = re.compile(r"^\s+(?:ROOT )?%?[\w.-]+ = (?:\(.*?\)|\S+) ([a-z-]+)\(", re.MULTILINE)


def to_arrays(schedule: Any) -> Any:
    """The same schedule with arrays as parameters, which `filter_jit` and `nnx.jit` trace."""
    return jax.tree.map(jnp.asarray, schedule)


def count_opcodes(hlo: str) -> Counter[str]:
    """How often each opcode occurs in the text of a compiled program."""
    return Counter(_OPCODE.findall(hlo))
