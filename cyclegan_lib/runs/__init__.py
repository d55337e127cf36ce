"""Runs of the notebooks through papermill: one by one (`run.run`), or a grid of them (`sweep.sweep`)."""
