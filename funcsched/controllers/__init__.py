"""Controllers: multipliers that follow a metric."""
