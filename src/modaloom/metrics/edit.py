"""Levenshtein distance (1966): insertions, deletions and substitutions cost 1."""

from collections.abc import Hashable, Sequence

from rapidfuzz.distance import Levenshtein


def edit_distance(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """The least number of single edits from `a` to `b`, strings or lists of words, equal items having equal
    hashes; bit-parallel (Hyyrö 2003), in O(len(a)·len(b) / 64) time."""
    return int(Levenshtein.distance(a, b))


def error_rate(generated: Sequence[Hashable], truth: Sequence[Hashable]) -> float:
    """Edit distance per item of the truth; may exceed 1. For an empty truth: 0 if `generated` is, else 1."""
    return edit_distance(generated, truth) / max(1, len(truth)) if truth else float(bool(generated))
