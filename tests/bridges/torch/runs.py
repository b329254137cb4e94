"""Optimizers, schedules with their oracles, and training loops for the tests of `bridges.torch`."""

import copy
from functools import partial
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR

import funcsched as fs
from tests import oracle
from tests.stacks import curves

Optimizer = torch.optim.Optimizer

CASES = {
    "constant": (fs.constant(0.25), oracle.constant(0.25)),
    "warmup_constant": (fs.warmup_constant(4, start=0.1), oracle.warmup_constant(4, 0.1)),
    "shift": (fs.shift(fs.warmup_linear(4, 15), 1), oracle.shift(oracle.warmup_linear(4, 15), 1)),
    **curves.CASES,
}
UPDATES = curves.UPDATES
BASE = curves.PEAK
max_ulps = partial(curves.max_ulps, bits=53)


def groups(*rates: Any) -> list[dict[str, Any]]:
    """Parameter groups of one parameter each, with a gradient."""
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in rates]
    for parameter in parameters:
        parameter.grad = torch.ones(1)
    return [{"params": [parameter], "lr": rate} for parameter, rate in zip(parameters, rates, strict=True)]


def sgd(*rates: Any) -> Optimizer:
    return torch.optim.SGD(groups(*(rates or (BASE,))), lr=1.0)


def rates(optimizer: Optimizer) -> list[float]:
    return [float(group["lr"]) for group in optimizer.param_groups]


def group_settings(optimizer: Optimizer) -> list[dict[str, Any]]:
    """A copy of the parameter groups without their parameters."""
    return [
        {key: copy.deepcopy(value) for key, value in group.items() if key != "params"}
        for group in optimizer.param_groups
    ]


def run(optimizer: Optimizer, scheduler: LambdaLR, updates: int = UPDATES) -> list[list[float]]:
    """The rates at every update of a loop that steps the scheduler after the optimizer."""
    used = []
    for _ in range(updates):
        used.append(rates(optimizer))
        optimizer.step()
        scheduler.step()
    return used
