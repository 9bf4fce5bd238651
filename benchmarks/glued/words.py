"""Texts as words: a vocabulary of what training says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

PAD, UNKNOWN = 0, 1


@dataclass(frozen=True)
class Words:
    """Word ↔ number; 0 fills up, 1 is any other word."""

    known: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Words":
        return cls(("", "?", *sorted({word for text in texts for word in text.split()})))

    def encode(self, texts: Sequence[str], length: int) -> Tensor:
        """int64 (B, length)."""
        number = {word: i for i, word in enumerate(self.known)}
        rows = [[number.get(word, UNKNOWN) for word in text.split()][:length] for text in texts]
        return torch.tensor([row + [PAD] * (length - len(row)) for row in rows])

    def decode(self, codes: Tensor) -> list[str]:
        """Up to the first PAD."""
        return [self._text(row) for row in codes.tolist()]

    def _text(self, row: list[int]) -> str:
        end = row.index(PAD) if PAD in row else len(row)
        return " ".join(self.known[i] for i in row[:end])
