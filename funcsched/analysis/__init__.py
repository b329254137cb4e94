"""Analysis of schedules: likely mistakes, differences between two curves, and checkpoints."""
