"""Levenshtein distance (1966): insertions, deletions and substitutions cost 1."""

from collections.abc import Sequence
from typing import Any


def edit_distance(a: Sequence[Any], b: Sequence[Any]) -> int:
    """The fewest single edits that turn `a` into `b`; strings or lists of words. O(len(a)·len(b)) time."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def error_rate(generated: Sequence[Any], truth: Sequence[Any]) -> float:
    """Edits per item of the truth (1 for an empty truth and any answer); may exceed 1."""
    return edit_distance(generated, truth) / max(1, len(truth)) if truth else float(bool(generated))
