"""Schedules in units other than steps: samples, tokens, epochs, time."""
