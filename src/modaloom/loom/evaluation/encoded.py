"""Codes of held-out samples, and what the tokenizers make of them: each computed once."""

from collections.abc import Sequence

import torch
from torch import Tensor

from modaloom.core.types import Sample
from modaloom.loom.model import Model
from modaloom.modalities.base import Value


class Encoded:
    """Codes and reconstructions of samples, memoized by stream and key: keys must be distinct.

    Args:
        model: the tokenizers.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._codes: dict[tuple[str, str], Tensor] = {}
        self._rebuilt: dict[tuple[str, str], Value] = {}

    def codes(self, stream: str, samples: Sequence[Sample]) -> Tensor:
        """int64 (n, L, Q): the codes of a stream of n samples, n ≥ 1."""
        if new := [sample for sample in samples if (stream, sample.key) not in self._codes]:
            found = self.model.encode(stream, [sample.streams[stream] for sample in new])
            self._codes |= {(stream, sample.key): codes for sample, codes in zip(new, found, strict=True)}
        return torch.stack([self._codes[stream, sample.key] for sample in samples])

    def reconstructions(self, stream: str, samples: Sequence[Sample]) -> list[Value]:
        """The values of a stream of n samples, n ≥ 1, after encoding and decoding."""
        if new := [sample for sample in samples if (stream, sample.key) not in self._rebuilt]:
            found, trimmed = self.model.decode(stream, self.codes(stream, new)), self.model.trimmed
            for sample, value in zip(new, found, strict=True):
                self._rebuilt[stream, sample.key] = trimmed(stream, value, sample.streams[stream])
        return [self._rebuilt[stream, sample.key] for sample in samples]
