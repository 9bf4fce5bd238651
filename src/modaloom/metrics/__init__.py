"""Thin: what libraries have is called, what they lack is written. Pure functions on arrays and sequences."""
