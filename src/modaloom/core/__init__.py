"""Shared types, random numbers and errors. Depends on torch alone; no files, no state."""
