"""A run folder as one self-contained page, and values as one picture. Reads run folders only."""

from modaloom.report.page import write_report
from modaloom.report.strip import strip

__all__ = ["strip", "write_report"]
