"""Measurements: every figure as a ratio within one run, peers included. `python -m bench --help`."""
