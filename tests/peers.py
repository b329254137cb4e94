"""Import the schedules of other libraries, with which the tests compare the bridges.

Keras, DeepSpeed and Megatron are imported as usual. timm, torchtitan and Composer import modules that no test needs,
some of which cannot be installed beside the CPU version of torch. Of these three, only the modules with schedules are
imported, and placeholder modules replace their packages. The placeholders are removed from `sys.modules` afterwards,
because other libraries look there to see what is installed.

If a library is not installed, the tests that need it are skipped.
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
    require("keras", "keras==3.15.1")
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return import_quietly("keras.optimizers.schedules")


@cache
def deepspeed() -> ModuleType:
    """`deepspeed.runtime.lr_schedules`."""
    require("deepspeed", "deepspeed==0.19.8")
    return import_quietly("deepspeed.runtime.lr_schedules")


@cache
def megatron() -> ModuleType:
    """`megatron.core.optimizer_param_scheduler`."""
    require("megatron", "megatron-core==0.16.1")
    return import_quietly("megatron.core.optimizer_param_scheduler")


@cache
def timm() -> ModuleType:
    """`timm.scheduler`."""
    require("timm", "--no-deps timm==1.0.31")
    with isolated("timm"):
        placeholder("timm")
        return importlib.import_module("timm.scheduler")


@cache
def torchtitan() -> ModuleType:
    """`torchtitan.components.optimizer.lr_scheduler`."""
    require("torchtitan", "--no-deps torchtitan==0.3.0")
    folder = "torchtitan.components.optimizer"
    with isolated("torchtitan"):
        placeholder("torchtitan.config", Configurable=type("Configurable", (), {"Config": type("Config", (), {})}))
        placeholder("torchtitan.tools.logging", logger=logging.getLogger("torchtitan"))
        placeholder(f"{folder}.optimizer", OptimizersContainer=list)
        return importlib.import_module(f"{folder}.lr_scheduler")


@cache
def composer() -> tuple[ModuleType, ModuleType]:
    """`composer.optim.scheduler` and `composer.core.time`."""
    require("composer", "--no-deps mosaicml==0.32.1")
    with isolated("composer"):
        utils = placeholder("composer.utils")
        utils.StringEnum = importlib.import_module("composer.utils.string_enum").StringEnum
        core = placeholder("composer.core", State=object)
        time = importlib.import_module("composer.core.time")
        core.Time, core.TimeUnit = time.Time, time.TimeUnit
        placeholder("composer.optim")
        return importlib.import_module("composer.optim.scheduler"), time


def require(package: str, requirement: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: pip install {requirement}", allow_module_level=True)


def import_quietly(name: str) -> ModuleType:
    """Import a module and ignore the warnings of its imports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


@contextmanager
def isolated(*packages: str) -> Iterator[None]:
    """Unload these packages, and restore their modules at the end."""
    before = _loaded(packages)
    for name in before:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in _loaded(packages):
            del sys.modules[name]
        sys.modules.update(before)


def _loaded(packages: tuple[str, ...]) -> dict[str, ModuleType]:
    """The loaded modules of these packages."""
    return {name: module for name, module in sys.modules.items() if name.split(".")[0] in packages}


def placeholder(name: str, **attributes: Any) -> Any:
    """A module with only these attributes. Its submodules are imported from the installed package."""
    parent, _, leaf = name.rpartition(".")
    module = ModuleType(name)
    module.__dict__.update(attributes)
    if parent:
        package = sys.modules.get(parent) or placeholder(parent)
        module.__path__ = [os.path.join(folder, leaf) for folder in package.__path__]
        setattr(package, leaf, module)
    else:
        spec = importlib.util.find_spec(name)
        module.__path__ = [] if spec is None else list(spec.submodule_search_locations or [])
    sys.modules[name] = module
    return module
