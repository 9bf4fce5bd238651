"""Codes of held-out samples, and what the tokenizers make of them: each computed once."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from modaloom.core.types import Sample
from modaloom.loom.model import Model
from modaloom.modalities.base import Value


class Encoded:
    """Codes and reconstructions of samples, memoized by stream and key: keys must be distinct.

    Args:
        model: the tokenizers.
        key_of: (stream, sample) → its key; equal values of a stream may have one.
    """

    def __init__(
        self, model: Model, key_of: Callable[[str, Sample], str] = lambda stream, sample: sample.key
    ) -> None:
        self.model, self.key_of = model, key_of
        self._codes: dict[tuple[str, str], Tensor] = {}
        self._rebuilt: dict[tuple[str, str], Value] = {}

    def codes(self, stream: str, samples: Sequence[Sample]) -> Tensor:
        """int64 (n, L, Q): the codes of a stream of n samples, n ≥ 1."""
        keys = [(stream, self.key_of(stream, sample)) for sample in samples]
        if new := {key: one for key, one in zip(keys, samples) if key not in self._codes}:
            found = self.model.encode(stream, [sample.streams[stream] for sample in new.values()])
            self._codes |= zip(new, found, strict=True)
        return torch.stack([self._codes[key] for key in keys])

    def reconstructions(self, stream: str, samples: Sequence[Sample]) -> list[Value]:
        """The values of a stream of n samples, n ≥ 1, after encoding and decoding."""
        keys = [(stream, self.key_of(stream, sample)) for sample in samples]
        if new := {key: one for key, one in zip(keys, samples) if key not in self._rebuilt}:
            found = self.model.decode(stream, self.codes(stream, [*new.values()]))
            for (key, sample), value in zip(new.items(), found, strict=True):
                self._rebuilt[key] = self.model.trimmed(stream, value, sample.streams[stream])
        return [self._rebuilt[key] for key in keys]
