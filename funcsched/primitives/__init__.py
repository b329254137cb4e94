"""Schedules that are not made from other schedules."""
