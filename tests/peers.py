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
    _require("keras", "keras==3.15.1")
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return _import_quietly("keras.optimizers.schedules")


@cache
def deepspeed() -> ModuleType:
    """`deepspeed.runtime.lr_schedules`."""
    _require("deepspeed", "deepspeed==0.19.8")
    return _import_quietly("deepspeed.runtime.lr_schedules")


@cache
def megatron() -> ModuleType:
    """`megatron.core.optimizer_param_scheduler`."""
    _require("megatron", "megatron-core==0.16.1")
    return _import_quietly("megatron.core.optimizer_param_scheduler")


@cache
def timm() -> ModuleType:
    """`timm.scheduler`."""
    _require("timm", "--no-deps timm==1.0.31")
    with _isolated("timm"):
        _placeholder("timm")
        return importlib.import_module("timm.scheduler")


@cache
def torchtitan() -> ModuleType:
    """`torchtitan.components.optimizer.lr_scheduler`."""
    _require("torchtitan", "--no-deps torchtitan==0.3.0")
    folder = "torchtitan.components.optimizer"
    with _isolated("torchtitan"):
        _placeholder("torchtitan.config", Configurable=type("Configurable", (), {"Config": type("Config", (), {})}))
        _placeholder("torchtitan.tools.logging", logger=logging.getLogger("torchtitan"))
        _placeholder(f"{folder}.optimizer", OptimizersContainer=list)
        return importlib.import_module(f"{folder}.lr_scheduler")


@cache
def composer() -> tuple[ModuleType, ModuleType]:
    """`composer.optim.scheduler` and `composer.core.time`."""
    _require("composer", "--no-deps mosaicml==0.32.1")
    with _isolated("composer"):
        utils = _placeholder("composer.utils")
        utils.StringEnum = importlib.import_module("composer.utils.string_enum").StringEnum
        core = _placeholder("composer.core", State=object)
        time = importlib.import_module("composer.core.time")
        core.Time, core.TimeUnit = time.Time, time.TimeUnit
        _placeholder("composer.optim")
        return importlib.import_module("composer.optim.scheduler"), time


def _require(package: str, requirement: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: pip install {requirement}", allow_module_level=True)


def _import_quietly(name: str) -> ModuleType:
    """Import a module and ignore the warnings of its imports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


@contextmanager
def _isolated(*packages: str) -> Iterator[None]:
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


def _placeholder(name: str, **attributes: Any) -> Any:
    """A module with only these attributes. Its submodules are imported from the installed package."""
    parent, _, leaf = name.rpartition(".")
    module = ModuleType(name)
    module.__dict__.update(attributes)
    if parent:
        package = sys.modules.get(parent) or _placeholder(parent)
        module.__path__ = [os.path.join(folder, leaf) for folder in package.__path__]
        setattr(package, leaf, module)
    else:
        spec = importlib.util.find_spec(name)
        module.__path__ = [] if spec is None else list(spec.submodule_search_locations or [])
    sys.modules[name] = module
    return module
