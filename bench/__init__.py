"""Measures, always against something real in the same run, and prints ratios. `make bench`."""
