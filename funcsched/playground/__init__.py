"""An interactive page for schedules, run by the command `funcsched explore` and on the website."""

from funcsched.playground.server import serve

__all__ = ["serve"]
