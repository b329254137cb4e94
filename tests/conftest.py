"""The same examples in every run: a failure is met by whoever causes it."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")
