"""Walks over signals, one per file. Denoisers return the mean of clean data; walks yield states."""
