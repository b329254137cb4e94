"""Hypothesis generates the same examples in every run, so that a failure appears with the change that causes it."""

import os

from hypothesis import settings

os.environ.setdefault("PYTHONFAULTHANDLER", "1")  # processes that tests start print a traceback when they crash
settings.register_profile("repeatable", derandomize=True, deadline=None)  # the first example is slow: it compiles
settings.load_profile("repeatable")
