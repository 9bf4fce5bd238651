"""BPE dropout: another segmentation of a word by leaving out merges at random."""

from collections.abc import Mapping
from itertools import pairwise

import torch

Ranks = Mapping[tuple[str, str], int]
"""Pair of tokens → when byte-pair encoding merges it; lower is earlier."""


def segment(word: str, ranks: Ranks, dropout: float, generator: torch.Generator) -> list[str]:
    """Byte-pair encoding of a word, each possible merge left out with a probability before every merge.

    Provilkov, Emelianenko & Voita 2020 (arXiv 1910.13267), algorithm 1. With `dropout` 0 it is the plain
    segmentation (the earliest merge first, from the left), with 1 it is single characters.
    """
    parts = [*word]
    while True:
        merges = [(ranks[pair], i) for i, pair in enumerate(pairwise(parts)) if pair in ranks]
        uniform = torch.rand(len(merges), generator=generator).tolist()
        kept = [merge for merge, u in zip(merges, uniform) if u >= dropout]
        if not kept:
            return parts
        _, i = min(kept)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
