"""Evaluation of a Loom: directions against baselines, likelihood bounds, mismatched pairs."""
