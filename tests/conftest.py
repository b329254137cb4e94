"""The same examples in every run: a failure is met by whoever causes it."""

import os

from hypothesis import settings

os.environ.setdefault("PYTHONFAULTHANDLER", "1")  # a process that a test starts reports where it crashed
settings.register_profile("repeatable", derandomize=True, deadline=None)  # the first example compiles
settings.load_profile("repeatable")
