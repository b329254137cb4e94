"""The schedules of other projects as they are installed, for the tests of the bridges to run beside ours.

Keras, DeepSpeed and Megatron are imported. The packages of the others import what no test here needs, and some of it
cannot be installed beside the CPU's torch, so of these only the modules with schedules are run: empty modules stand in
for the packages around them, and leave again, for other projects look into `sys.modules` to see what is installed.

A peer that is not installed skips the tests that ask for it.
"""

import importlib
import importlib.util
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

import pytest


@cache
def keras() -> ModuleType:
    """`keras.optimizers.schedules`, on JAX."""
    _need("keras", "keras==3.15.1")
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return _imported("keras.optimizers.schedules")


@cache
def deepspeed() -> ModuleType:
    """`deepspeed.runtime.lr_schedules`."""
    _need("deepspeed", "deepspeed==0.19.8")
    return _imported("deepspeed.runtime.lr_schedules")


@cache
def megatron() -> ModuleType:
    """`megatron.core.optimizer_param_scheduler`."""
    _need("megatron", "megatron-core==0.16.1")
    return _imported("megatron.core.optimizer_param_scheduler")


@cache
def timm() -> ModuleType:
    """`timm.scheduler`."""
    _need("timm", "--no-deps timm==1.0.31")
    with _alone("timm"):
        _stand_in("timm")
        return importlib.import_module("timm.scheduler")


@cache
def torchtitan() -> ModuleType:
    """`torchtitan.components.optimizer.lr_scheduler`."""
    _need("torchtitan", "--no-deps torchtitan==0.3.0")
    folder = "torchtitan.components.optimizer"
    with _alone("torchtitan"):
        _stand_in("torchtitan.config", Configurable=_empty("Configurable", Config=_empty("Config")))
        _stand_in("torchtitan.tools.logging", logger=logging.getLogger("torchtitan"))
        _stand_in(f"{folder}.optimizer", OptimizersContainer=list)
        return importlib.import_module(f"{folder}.lr_scheduler")


@cache
def composer() -> tuple[ModuleType, ModuleType]:
    """`composer.optim.scheduler` and `composer.core.time`."""
    _need("composer", "--no-deps mosaicml==0.32.1")
    with _alone("composer"):
        utils = _stand_in("composer.utils")
        utils.StringEnum = importlib.import_module("composer.utils.string_enum").StringEnum
        core = _stand_in("composer.core", State=object)
        time = importlib.import_module("composer.core.time")
        core.Time, core.TimeUnit = time.Time, time.TimeUnit
        _stand_in("composer.optim")
        return importlib.import_module("composer.optim.scheduler"), time


@cache
def fairseq() -> dict[str, ModuleType]:
    """The modules of `fairseq.optim.lr_scheduler` by their names."""
    _need("fairseq", "--no-deps fairseq==0.12.2")
    folder = "fairseq.optim.lr_scheduler"
    names = (
        "fixed_schedule",
        "inverse_square_root_schedule",
        "cosine_lr_scheduler",
        "polynomial_decay_schedule",
        "tri_stage_lr_scheduler",
        "triangular_lr_scheduler",
        "step_lr_scheduler",
    )
    with _alone("fairseq", "omegaconf"):
        _stand_in("omegaconf", II=str, DictConfig=dict)
        _stand_in("fairseq.dataclass", FairseqDataclass=_empty("FairseqDataclass"))
        _stand_in("fairseq.dataclass.utils", gen_parser_from_dataclass=None)
        _stand_in("fairseq.optim", FairseqOptimizer=_empty("FairseqOptimizer"))
        package = _stand_in(folder, register_lr_scheduler=lambda *_, **__: lambda scheduler: scheduler)
        base = importlib.import_module(f"{folder}.fairseq_lr_scheduler")
        package.FairseqLRScheduler = base.FairseqLRScheduler
        package.LegacyFairseqLRScheduler = base.LegacyFairseqLRScheduler
        return {name: importlib.import_module(f"{folder}.{name}") for name in names}


def _need(package: str, requirement: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: pip install {requirement}", allow_module_level=True)


def _imported(name: str) -> ModuleType:
    """A module, without the warnings of what it imports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


@contextmanager
def _alone(*packages: str) -> Iterator[None]:
    """Room for stand-ins of packages: before it nothing of them is loaded, after it only what was before."""
    before = _under(packages)
    for name in before:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in _under(packages):
            del sys.modules[name]
        sys.modules.update(before)


def _under(packages: tuple[str, ...]) -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.split(".")[0] in packages}


def _stand_in(name: str, **attributes: Any) -> Any:
    """A module with these attributes alone, whose submodules are found where the package really has them."""
    parent, _, leaf = name.rpartition(".")
    module = ModuleType(name)
    module.__dict__.update(attributes)
    if parent:
        package = sys.modules.get(parent) or _stand_in(parent)
        module.__path__ = [os.path.join(folder, leaf) for folder in package.__path__]
        setattr(package, leaf, module)
    else:
        spec = importlib.util.find_spec(name)
        module.__path__ = [] if spec is None else list(spec.submodule_search_locations or [])
    sys.modules[name] = module
    return module


def _empty(name: str, **members: Any) -> type:
    return type(name, (), members)
