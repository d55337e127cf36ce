"""Training checkpoints, as they come from outside: checked when they are read, described, made networks."""
