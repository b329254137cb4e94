"""Questions about schedules: likely mistakes, differences between two, and whether a checkpoint fits."""
