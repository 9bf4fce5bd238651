"""Evaluation of a Restorer: posterior mean and samples, compared with untrained baselines."""
