"""Datasets: from a folder of files to samples, values and memory-mapped arrays."""
