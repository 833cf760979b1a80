"""Measurements: each script prints a table and writes JSON into results/; see README.md."""
