"""The benchmark: pairs of devices, methods, seeds, one table."""
