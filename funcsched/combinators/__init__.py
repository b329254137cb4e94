"""Schedules made of other schedules."""
