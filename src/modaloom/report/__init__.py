"""The self-contained HTML report of a run folder, and contact sheets of values. Reads run folders only."""

from modaloom.report.page import write_report
from modaloom.report.strip import strip

__all__ = ["strip", "write_report"]
