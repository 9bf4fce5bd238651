"""Metrics: pure functions on arrays and sequences."""
