"""The names in other libraries that the catalogue gives, checked with the code of the libraries that can be installed.

Every entry has one or more pairs: our values and theirs at each step, as multiples of the peak. Both run over the whole
length of the schedule, and where the entry names a difference in how steps are counted, ours is shifted by it.
"""

import math
import re
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest
import torch
import transformers
from optax import schedules
from torch.optim import lr_scheduler

import funcsched as fs
from funcsched.cli.names import SECTIONS, other_names, uses_of
from tests import peers

composer, composer_time = peers.composer()
deepspeed, keras, megatron, timm = peers.deepspeed(), peers.keras(), peers.megatron(), peers.timm()
torchtitan = peers.torchtitan()

Pair = tuple[Callable[[int], float], list[float], float]  # ours, theirs, and the tolerance

FLOAT64, FLOAT32 = 1e-12, 2e-6


def of_torch(ours: Callable[[int], float], build: Callable[[Any], Any], steps: int, key: str = "lr") -> Pair:
    """Our values and those that a torch scheduler sets for a learning rate of 1."""
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler = build(optimizer)
        values = []
        for _ in range(steps):
            group = optimizer.param_groups[0]
            values.append(group["betas"][0] if key == "betas" else group[key])
            optimizer.step()
            scheduler.step()
    return ours, values, FLOAT64


def of_optax(ours: Callable[[int], float], theirs: Callable[[Any], Any], steps: int) -> Pair:
    return ours, jax.vmap(theirs)(np.arange(steps)).tolist(), FLOAT32


def of_keras(ours: Callable[[int], float], theirs: Callable[[Any], Any], steps: int) -> Pair:
    return ours, jax.vmap(theirs)(np.arange(steps, dtype=np.float32)).tolist(), FLOAT32


def of_timm(ours: Callable[[int], float], name: str, steps: int, **arguments: Any) -> Pair:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = getattr(timm, name)(optimizer, t_in_epochs=False, **arguments)
    values = []
    for step in range(steps):
        scheduler.step_update(step)
        values.append(optimizer.param_groups[0]["lr"])
    return ours, values, FLOAT64


def of_megatron(ours: Callable[[int], float], style: str, steps: int, warmup: int = 10, **arguments: Any) -> Pair:
    optimizer = SimpleNamespace(param_groups=[{}])
    rates = {"init_lr": 0.0, "max_lr": 1.0, "min_lr": 0.1, "lr_warmup_steps": warmup, "lr_decay_steps": 100}
    decay = {"start_wd": 0.0, "end_wd": 0.0, "wd_incr_steps": 1, "wd_incr_style": "constant"}
    scheduler = megatron.OptimizerParamScheduler(optimizer, **rates, **decay, lr_decay_style=style, **arguments)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        scheduler.step(increment=1)
    return ours, values, FLOAT64


def of_composer(ours: Callable[[int], float], *schedulers: Any, ratio: float = 1.0) -> Pair:
    """Composer multiplies the values of several schedulers."""
    states = [
        SimpleNamespace(
            timestamp=composer_time.Timestamp(batch=step),
            max_duration=composer_time.Time.from_timestring("100ba") * ratio,
            dataloader_len=composer_time.Time(10, "ba"),
        )
        for step in range(100)
    ]
    return ours, [math.prod(scheduler(state, ratio) for scheduler in schedulers) for state in states], FLOAT64


def of_deepspeed(ours: Callable[[int], float], kind: str, steps: int, **arguments: Any) -> Pair:
    return of_torch(ours, lambda optimizer: getattr(deepspeed, kind)(optimizer, **arguments), steps)


def of_torchtitan(ours: Callable[[int], float], **arguments: Any) -> Pair:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    config = torchtitan.LRSchedulersContainer.Config(warmup_steps=10, **arguments)
    (scheduler,) = config.build(optimizers=[optimizer], training_steps=100)
    return ours, [scheduler.lr_lambdas[0](step) for step in range(100)], FLOAT64


def of_transformers(ours: Callable[[int], float], name: str, steps: int = 100, **arguments: Any) -> Pair:
    def build(optimizer: Any) -> Any:
        return transformers.get_scheduler(
            name, optimizer, num_warmup_steps=10, num_training_steps=100, scheduler_specific_kwargs=arguments
        )

    return of_torch(ours, build, steps)


LIBRARIES = {
    of_torch: "torch",
    of_transformers: "transformers",
    of_optax: "optax",
    of_keras: "Keras",
    of_deepspeed: "DeepSpeed",
    of_megatron: "Megatron",
    of_timm: "timm",
    of_torchtitan: "torchtitan",
    of_composer: "Composer",
}


def one_later(schedule: fs.Schedule, first: float = 0.0) -> Callable[[int], float]:
    """`schedule` at ``step - 1``, and `first` at step 0."""
    return fs.join([fs.constant(first), schedule], [1])


def cycle(period: int) -> dict[str, float]:
    return {"init_value": 1.0, "peak_value": 1.0, "warmup_steps": 0, "decay_steps": period, "end_value": 0.0}


W, T = 10, 100
DECAY = fs.cosine_restarts(20, period_factor=2.0, end=0.1)


CLAIMS: list[tuple[str, str, Callable[[], Pair]]] = []


def claim(name: str, of_library: Callable[..., Pair], *arguments: Any, **keywords: Any) -> None:
    """The entry of the schedule or shape `name` for a library names this curve."""
    CLAIMS.append((name, LIBRARIES[of_library], partial(of_library, *arguments, **keywords)))


claim("warmup_constant", of_transformers, fs.warmup_constant(W), "constant_with_warmup")
claim("warmup_constant", of_optax, fs.warmup_constant(W), schedules.warmup_constant_schedule(0.0, 1.0, W), 20)
claim("warmup_constant", of_megatron, fs.warmup_constant(W), "constant", 90)
claim(
    "warmup_constant",
    of_deepspeed,
    one_later(fs.warmup_constant(W)),
    "WarmupLR",
    30,
    warmup_num_steps=W,
    warmup_type="linear",
)
claim("warmup_constant", of_composer, fs.warmup_constant(W), composer.ConstantWithWarmupScheduler("10ba"))
claim("warmup_linear", of_transformers, fs.warmup_linear(W, T), "linear")
claim("warmup_linear", of_megatron, fs.warmup_linear(W, T, end=0.1), "linear", 110)
claim(
    "warmup_linear",
    of_deepspeed,
    one_later(fs.warmup_linear(W, T)),
    "WarmupDecayLR",
    110,
    total_num_steps=T,
    warmup_max_lr=1.0,
    warmup_num_steps=W,
    warmup_type="linear",
)
claim("warmup_linear", of_torchtitan, fs.warmup_linear(W, T, end=0.1, warmup_offset=1), min_lr_factor=0.1)
claim("warmup_linear", of_composer, fs.warmup_linear(W, T), composer.LinearWithWarmupScheduler("10ba"))
claim("warmup_cosine", of_transformers, fs.warmup_cosine(W, T), "cosine")
claim("warmup_cosine", of_transformers, fs.warmup_cosine(W, T, end=0.1), "cosine_with_min_lr", min_lr_rate=0.1)
claim(
    "warmup_cosine",
    of_optax,
    fs.warmup_cosine(W, T, end=0.1),
    schedules.warmup_cosine_decay_schedule(0.0, 1.0, W, T, end_value=0.1),
    110,
)
claim("warmup_cosine", of_megatron, fs.warmup_cosine(W, T, end=0.1), "cosine", 110)
claim(
    "warmup_cosine",
    of_keras,
    fs.warmup_cosine(W, T, end=0.1),
    keras.CosineDecay(0.0, T - W, 0.1, warmup_target=1.0, warmup_steps=W),
    110,
)
claim(
    "warmup_cosine",
    of_timm,
    fs.warmup_cosine(W, T, end=0.1),
    "CosineLRScheduler",
    110,
    t_initial=T - W,
    lr_min=0.1,
    warmup_t=W,
    warmup_prefix=True,
)
claim("warmup_cosine", of_torchtitan, fs.warmup_cosine(W, T, warmup_offset=1), decay_type="cosine")
claim(
    "warmup_cosine",
    of_deepspeed,
    lambda step: fs.warmup_cosine(W, T, end=0.1)(max(step - 1, 0) if step <= W else step),
    "WarmupCosineLR",
    110,
    total_num_steps=T,
    warmup_num_steps=W,
    cos_min_ratio=0.1,
    warmup_type="linear",
)
claim(
    "warmup_cosine",
    of_composer,
    fs.warmup_cosine(W, T, end=0.1),
    composer.CosineAnnealingWithWarmupScheduler("10ba", alpha_f=0.1),
)
claim(
    "warmup_polynomial",
    of_transformers,
    fs.warmup_polynomial(W, T, end=0.1, exponent=2.0),
    "polynomial",
    lr_end=0.1,
    power=2.0,
)
claim(
    "warmup_polynomial",
    of_composer,
    fs.warmup_polynomial(W, T, end=0.1, exponent=2.0),
    composer.PolynomialWithWarmupScheduler("10ba", power=2.0, alpha_f=0.1),
)
claim(
    "warmup_polynomial",
    of_timm,
    fs.warmup_polynomial(W, T, end=0.1, exponent=2.0),
    "PolyLRScheduler",
    110,
    t_initial=T - W,
    power=2.0,
    lr_min=0.1,
    warmup_t=W,
    warmup_prefix=True,
)
claim(
    "warmup_stable_decay",
    of_transformers,
    fs.warmup_stable_decay(W, 70, 20, start=0.1, end=0.1, decay_shape=fs.cosine),
    "warmup_stable_decay",
    110,
    num_decay_steps=20,
    min_lr_ratio=0.1,
)
wsd = {"t_initial": 90, "decay_t": 20, "lr_min": 0.1, "warmup_t": W}
claim(
    "warmup_stable_decay",
    of_timm,
    fs.warmup_stable_decay(W, 70, 20, end=0.1, decay_shape=fs.sqrt),
    "WSDLRScheduler",
    110,
    **wsd,
)
for style, shape in (("linear", fs.linear), ("cosine", fs.cosine)):
    claim(
        "warmup_stable_decay",
        of_megatron,
        fs.warmup_stable_decay(W, 70, 20, end=0.1, decay_shape=shape),
        "WSD",
        110,
        wsd_decay_steps=20,
        lr_wsd_decay_style=style,
    )
claim(
    "warmup_stable_decay",
    of_torchtitan,
    fs.warmup_stable_decay(W, 70, 20, end=0.1, warmup_offset=1),
    decay_ratio=0.2,
    min_lr_factor=0.1,
)
claim(
    "warmup_cosine_restarts",
    of_transformers,
    fs.warmup_cosine_restarts(W, T, cycles=3),
    "cosine_with_restarts",
    110,
    num_cycles=3,
)
claim(
    "cosine_restarts",
    of_torch,
    DECAY,
    lambda opt: lr_scheduler.CosineAnnealingWarmRestarts(opt, 20, 2, eta_min=0.1),
    150,
)
claim(
    "cosine_restarts",
    of_optax,
    fs.cosine_restarts(20, times=2, period_factor=2),
    schedules.sgdr_schedule([cycle(20), cycle(40)]),
    70,
)
claim("cosine_restarts", of_keras, DECAY, keras.CosineDecayRestarts(1.0, 20, alpha=0.1), 130)
claim(
    "cosine_restarts",
    of_keras,
    fs.cosine_restarts(20, period_factor=2.0, level_factor=0.5),
    keras.CosineDecayRestarts(1.0, 20, m_mul=0.5),
    130,
)
claim(
    "cosine_restarts",
    of_timm,
    fs.cosine_restarts(20, times=3, period_factor=2.0, level_factor=0.5, end=0.1),
    "CosineLRScheduler",
    150,
    t_initial=20,
    lr_min=0.1,
    cycle_mul=2.0,
    cycle_decay=0.5,
    cycle_limit=3,
)
claim(
    "cosine_restarts",
    of_composer,
    DECAY,
    composer.CosineAnnealingWarmRestartsScheduler("20ba", t_mult=2.0, alpha_f=0.1),
)
ends = {"start": 1 / 25, "end": 1 / 250000}
claim(
    "one_cycle",
    of_torch,
    fs.one_cycle(29, 99, **ends),
    lambda opt: lr_scheduler.OneCycleLR(opt, 1.0, total_steps=100),
    100,
)
claim("one_cycle", of_optax, fs.one_cycle(30, 100, **ends), schedules.cosine_onecycle_schedule(100, 1.0), 110)
claim(
    "one_cycle",
    of_optax,
    fs.one_cycle(30, 100, decay_steps=55, **ends, shape=fs.linear),
    schedules.linear_onecycle_schedule(100, 1.0),
    110,
)
claim(
    "one_cycle",
    of_deepspeed,
    fs.one_cycle(40, 80, start=0.1, end=0.1, shape=fs.linear),
    "OneCycle",
    110,
    cycle_min_lr=0.1,
    cycle_max_lr=1.0,
    cycle_first_step_size=40,
)
for mode, rate in (("triangular", 1.0), ("triangular2", 1.0), ("exp_range", 0.99)):
    claim(
        "cyclic",
        of_torch,
        fs.cyclic(10, 20, start=0.1, mode=mode, rate=rate),
        lambda opt, mode=mode, rate=rate: lr_scheduler.CyclicLR(
            opt, 0.1, 1.0, 10, 20, mode=mode, gamma=rate, cycle_momentum=False
        ),
        100,
    )
claim(
    "range_test",
    of_deepspeed,
    fs.range_test(100, start=0.1, end=1.0, shape=fs.linear),
    "LRRangeTest",
    101,
    lr_range_test_min_lr=0.1,
    lr_range_test_step_size=100,
    lr_range_test_step_rate=9.0,
)
claim("warmup_inverse_sqrt", of_transformers, fs.warmup_inverse_sqrt(W), "inverse_sqrt")
claim("warmup_inverse_sqrt", of_megatron, fs.warmup_inverse_sqrt(W), "inverse-square-root", 101)
claim(
    "warmup_exponential",
    of_optax,
    fs.warmup_exponential(W, 20, 0.5),
    schedules.warmup_exponential_decay_schedule(0.0, 1.0, W, 20, 0.5),
    100,
)
claim("step_decay", of_torch, fs.step_decay(30), lambda opt: lr_scheduler.StepLR(opt, 30), 100)
claim("step_decay", of_timm, fs.step_decay(30), "StepLRScheduler", 100, decay_t=30, decay_rate=0.1)
claim("step_decay", of_composer, fs.step_decay(30), composer.StepScheduler("30ba"))
claim("multistep", of_torch, fs.multistep([30, 80]), lambda opt: lr_scheduler.MultiStepLR(opt, [30, 80]), 100)
claim(
    "multistep",
    of_timm,
    fs.shift(fs.multistep([30, 80]), 1),
    "MultiStepLRScheduler",
    100,
    decay_t=[30, 80],
    decay_rate=0.1,
)
claim("multistep", of_composer, fs.multistep([30, 80]), composer.MultiStepScheduler(["30ba", "80ba"]))
claim("constant", of_transformers, fs.constant(), "constant")
claim("constant", of_optax, fs.constant(0.5), schedules.constant_schedule(0.5), 5)
fall = fs.ramp(1, 0.1, steps=T, shape=fs.cosine)
claim("ramp", of_optax, fs.ramp(0.2, 1, steps=T), schedules.linear_schedule(0.2, 1.0, T), 110)
claim("ramp", of_optax, fall, schedules.cosine_decay_schedule(1.0, T, alpha=0.1), 110)
claim("ramp", of_torch, fs.ramp(0.2, 0.7, steps=T), lambda opt: lr_scheduler.LinearLR(opt, 0.2, 0.7, T), 110)
claim("ramp", of_torch, fall, lambda opt: lr_scheduler.CosineAnnealingLR(opt, T, eta_min=0.1), 101)
claim("ramp", of_keras, fall, keras.CosineDecay(1.0, T, 0.1), 110)
claim("ramp", of_composer, fs.ramp(1, 0.1, steps=T), composer.LinearScheduler(1.0, 0.1))
claim("ramp", of_composer, fall, composer.CosineAnnealingScheduler(alpha_f=0.1))
claim("exponential_decay", of_torch, fs.exponential_decay(0.9), lambda opt: lr_scheduler.ExponentialLR(opt, 0.9), 90)
claim(
    "exponential_decay",
    of_optax,
    fs.exponential_decay(0.5, 20, end=0.1),
    schedules.exponential_decay(1.0, 20, 0.5, end_value=0.1),
    100,
)
claim("exponential_decay", of_keras, fs.exponential_decay(0.5, 20), keras.ExponentialDecay(1.0, 20, 0.5), 100)
claim(
    "exponential_decay",
    of_keras,
    fs.exponential_decay(0.5, 16, staircase=True),
    keras.ExponentialDecay(1.0, 16, 0.5, staircase=True),
    100,
)
claim("exponential_decay", of_composer, fs.exponential_decay(0.9, 20), composer.ExponentialScheduler(0.9, "20ba"))
power = {"t_initial": 1000, "decay_t": 1, "stable_fn": "power", "stable_timescale": 20, "stable_power": 0.7}
claim("inverse_power", of_timm, fs.inverse_power(20, 0.7), "WSDLRScheduler", 200, **power)
claim("inverse_time", of_keras, fs.inverse_time(0.5, 16), keras.InverseTimeDecay(1.0, 16, 0.5), 100)
claim(
    "inverse_time",
    of_deepspeed,
    fs.join([fs.ramp(0.1, 1, steps=W), fs.ramp(1, 0.1, steps=W), fs.scale(fs.inverse_time(2.0, 5), 0.1)], [W, 2 * W]),
    "OneCycle",
    90,
    cycle_min_lr=0.1,
    cycle_max_lr=1.0,
    cycle_first_step_size=W,
    decay_step_size=5,
    decay_lr_rate=2.0,
)
claim(
    "piecewise_constant",
    of_optax,
    fs.piecewise_constant([30, 80], factors=[0.5, 0.1]),
    schedules.piecewise_constant_schedule(1.0, {30: 0.5, 80: 0.1}),
    100,
)
claim(
    "piecewise_constant",
    of_torch,
    fs.piecewise_constant([30], levels=[0.25, 1.0]),
    lambda opt: lr_scheduler.ConstantLR(opt, 0.25, 30),
    50,
)
claim(
    "piecewise_constant",
    of_composer,
    fs.piecewise_constant([30], levels=[0.25, 1.0]),
    composer.ConstantScheduler(0.25, "30ba"),
)
claim(
    "piecewise_constant",
    of_keras,
    fs.piecewise_constant([31, 81], levels=[1.0, 0.5, 0.1]),
    keras.PiecewiseConstantDecay([30, 80], [1.0, 0.5, 0.1]),
    100,
)
claim(
    "join",
    of_optax,
    fs.join([fs.ramp(0, 1, steps=W), fall], [W]),
    schedules.join_schedules(
        [schedules.linear_schedule(0.0, 1.0, W), schedules.cosine_decay_schedule(1.0, T, 0.1)], [W]
    ),
    120,
)
claim(
    "join",
    of_torch,
    fs.join([fs.ramp(0.1, 1, steps=W), fs.step_decay(30)], [W]),
    lambda opt: lr_scheduler.SequentialLR(
        opt, [lr_scheduler.LinearLR(opt, 0.1, 1.0, W), lr_scheduler.StepLR(opt, 30)], [W]
    ),
    100,
)
for kind, shape in (("linear", fs.linear), ("cosine", fs.cosine)):
    claim(
        "interpolate",
        of_optax,
        fs.interpolate([0, 30, 80], [1.0, 0.5, 0.05], shape=shape),
        schedules.piecewise_interpolate_schedule(kind, 1.0, {30: 0.5, 80: 0.1}),
        100,
    )
claim(
    "stretch",
    of_composer,
    fs.stretch(fs.piecewise_constant([30, 60], factors=[0.5, 0.5]), 0.5),
    composer.MultiStepScheduler(["30ba", "60ba"], 0.5),
    ratio=0.5,
)
claim(
    "product",
    of_torch,
    fs.product(fs.step_decay(30), fs.exponential_decay(0.9)),
    lambda opt: lr_scheduler.ChainedScheduler(
        [lr_scheduler.StepLR(opt, 30), lr_scheduler.ExponentialLR(opt, 0.9)], opt
    ),
    100,
)
claim(
    "product",
    of_composer,
    fs.product(fs.warmup_constant(W), fs.step_decay(30)),
    composer.ConstantWithWarmupScheduler("10ba"),
    composer.StepScheduler("30ba"),
)
momentum = fs.lerp(fs.one_cycle(29, 99, start=0.0, end=0.0), 0.95, 0.85)
triangle = fs.lerp(fs.cyclic(10, 20), 0.95, 0.85)
claim("lerp", of_torch, momentum, lambda opt: lr_scheduler.OneCycleLR(opt, 1.0, total_steps=100), 100, "betas")
claim(
    "lerp",
    of_torch,
    triangle,
    lambda opt: lr_scheduler.CyclicLR(opt, 0.1, 1.0, 10, 20, base_momentum=0.85, max_momentum=0.95),
    90,
    "betas",
)
claim(
    "tabulate",
    of_torch,
    fs.tabulate(lambda step: math.prod(1 - 0.01 * i for i in range(1, step + 1)), 30),
    lambda opt: lr_scheduler.MultiplicativeLR(opt, lambda i: 1 - 0.01 * i),
    30,
)
claim("lift", of_torch, fs.lift(lambda s: 0.9**s), lambda opt: lr_scheduler.LambdaLR(opt, lambda s: 0.9**s), 30)
down = fs.ramp(1, 0, steps=T, shape=fs.reverse(fs.power(2.0)))
claim(
    "reverse",
    of_transformers,
    fs.join([fs.ramp(0, 1, steps=W), fs.ramp(1, 0.1, steps=T - W, shape=fs.reverse(fs.power(2.0)))], [W]),
    "polynomial",
    lr_end=0.1,
    power=2.0,
)
claim("reverse", of_optax, down, schedules.polynomial_schedule(1.0, 0.0, 2, T), 110)
claim("reverse", of_torch, down, lambda opt: lr_scheduler.PolynomialLR(opt, T, 2.0), 110)
claim("reverse", of_keras, down, keras.PolynomialDecay(1.0, T, 0.0, 2.0), 110)
k_decay = fs.ramp(1, 0, steps=T, shape=fs.compose(fs.cosine, fs.power(1.5)))
claim("compose", of_timm, k_decay, "CosineLRScheduler", 110, t_initial=T, k_decay=1.5)
exponent = fs.reverse(fs.compose(fs.power(1.5), fs.cosine))
claim(
    "compose",
    of_optax,
    fs.ramp(1, 0, steps=T, shape=exponent),
    schedules.cosine_decay_schedule(1.0, T, exponent=1.5),
    110,
)
for name, shape, arguments in (
    ("sqrt", fs.sqrt, {"decay_fn": "1-sqrt"}),
    ("power", fs.power(0.7), {"decay_fn": "power", "decay_power": 0.7}),
    ("exponential", fs.exponential(0.2), {"decay_fn": "exp", "decay_ratio": 0.2}),
):
    claim(
        name, of_timm, fs.ramp(1, 0, steps=T, shape=shape), "WSDLRScheduler", 110, t_initial=T, decay_t=T, **arguments
    )
claim(
    "sqrt",
    of_transformers,
    fs.warmup_stable_decay(W, 0, T - W, decay_shape=fs.sqrt),
    "warmup_stable_decay",
    num_decay_steps=T - W,
    decay_type="1-sqrt",
)
claim(
    "sqrt", of_torchtitan, fs.warmup_stable_decay(W, 0, T - W, decay_shape=fs.sqrt, warmup_offset=1), decay_type="sqrt"
)
for name, shape, style in (("sqrt", fs.sqrt, "minus_sqrt"), ("exponential", fs.exponential(0.5), "exponential")):
    claim(
        name,
        of_megatron,
        fs.ramp(1, 0.1, steps=T, shape=shape),
        "WSD",
        110,
        0,
        wsd_decay_steps=T,
        lr_wsd_decay_style=style,
    )
claim("log", of_deepspeed, one_later(fs.ramp(0, 1, steps=W - 1, shape=fs.log)), "WarmupLR", 30, warmup_num_steps=W)
unscaled = fs.lerp(fs.ramp(1, 0, steps=T, shape=fs.tanh(-7, 3)), (1 - math.tanh(3)) / 2, (1 - math.tanh(-7)) / 2)
claim("tanh", of_timm, unscaled, "TanhLRScheduler", 100, t_initial=T, lb=-7.0, ub=3.0)


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """DeepSpeed logs a warning whenever the learning rate is read before the first step."""
    level = deepspeed.logger.level
    deepspeed.logger.setLevel("ERROR")
    yield
    deepspeed.logger.setLevel(level)


# Classes and functions that are no schedules.
NO_SCHEDULES = {"LRScheduler", "get_scheduler", "get_adafactor_schedule"}


@pytest.mark.parametrize(
    ("module", "pattern", "library"),
    [
        (lr_scheduler, r"[A-Z]\w+(LR|Restarts|Scheduler)", "torch"),
        (transformers.optimization, r"get_\w*schedule\w*", "transformers"),
        (schedules, r"\w+_(schedule|decay|schedules)", "optax"),
        (keras, r"\w+(Decay|Restarts)", "Keras"),
    ],
)
def test_every_schedule_of_a_library_has_an_entry(module: Any, pattern: str, library: str) -> None:
    names = {name for name in dir(module) if re.fullmatch(pattern, name)} - NO_SCHEDULES
    assert len(names) >= 5
    missing = {name for name in names if library not in {other for _, other, _ in uses_of(name)}}
    assert not missing


def test_every_entry_of_an_installed_library_is_claimed() -> None:
    names = [name for names in SECTIONS.values() for name in names]
    found = {(name, library) for name in names for library in other_names(name) if library in LIBRARIES.values()}
    assert found == {(name, library) for name, library, _ in CLAIMS}


@pytest.mark.parametrize(("name", "library", "pair"), CLAIMS, ids=[f"{name} {library}" for name, library, _ in CLAIMS])
def test_the_curve_is_that_of_the_other_library(name: str, library: str, pair: Callable[[], Pair]) -> None:
    ours, theirs, tolerance = pair()
    wrong = [(step, ours(step), value) for step, value in enumerate(theirs) if not abs(ours(step) - value) <= tolerance]
    assert not wrong, wrong[:5]
