"""Plans of training runs: several curves over one unit, and published recipes."""
