"""Hypothesis generates the same examples in every run, so that a failure appears with the change that causes it."""

import gc
import os

from hypothesis import settings

os.environ.setdefault("PYTHONFAULTHANDLER", "1")  # processes that tests start print a traceback when they crash
settings.register_profile("repeatable", derandomize=True, deadline=None)  # the first example is slow: it compiles
settings.load_profile("repeatable")


def pytest_collection_finish() -> None:
    """Exclude the modules and the tests from garbage collection: some libraries collect after every training run."""
    gc.collect()
    gc.freeze()
