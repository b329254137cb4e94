"""Schedules made from other schedules."""
