"""What the frequencies of characters alone tell of texts."""

from collections import Counter
from collections.abc import Sequence
from math import log2

import torch
from torch import Tensor

END = ""
"""The end of a text, which is told like a character."""
NUM_CHARACTERS = 0x110000
"""Code points of Unicode, one of which is told after the sign for any other."""


def unigram_bits(train: Sequence[str], texts: Sequence[str]) -> Tensor:
    """−log₂ p of texts by their characters and their end, each by itself: float64 (n,), in bits.

    Frequencies are those of training texts, with one added to each, and one for any other character: a
    distribution over all texts.
    """
    counts = Counter(character for text in train for character in text)
    counts[END] += len(train)
    total = counts.total() + len(counts) + 1
    other = log2(total) + log2(NUM_CHARACTERS)
    bits = {character: log2(total / (count + 1)) for character, count in counts.items()}
    told = [sum(bits.get(one, other) for one in (*text, END)) for text in texts]
    return torch.tensor(told, dtype=torch.float64)
