"""Fault classifiers that work on the recordings of another device than they were trained for."""
