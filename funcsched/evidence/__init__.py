"""Schedules from logs: reading the logs of trainers, and identifying the schedule of a run."""
