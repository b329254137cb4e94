"""The schedules that all others are made of."""
