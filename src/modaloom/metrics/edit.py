"""Levenshtein distance (1966): insertions, deletions and substitutions cost 1."""

from collections.abc import Sequence
from typing import Any


def edit_distance(a: Sequence[Any], b: Sequence[Any]) -> int:
    """The least number of single edits from `a` to `b`, strings or lists of words; O(len(a)·len(b)) time."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def error_rate(generated: Sequence[Any], truth: Sequence[Any]) -> float:
    """Edit distance per item of the truth; may exceed 1. For an empty truth: 0 if `generated` is, else 1."""
    return edit_distance(generated, truth) / max(1, len(truth)) if truth else float(bool(generated))
