"""Codec of strings of any length; they are encoded by a trained tokenizer and have no packed format."""

import re
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.modalities.codec import Codec, DataSpec, Value

NUM_BUCKETS = 1024
"""Number of hash buckets of a text's features."""


@dataclass(frozen=True)
class StringCodec(Codec):
    """Codec of str values."""

    augmentations: Collection[str] = ("dropout",)
    """`dropout`: another segmentation of the same text, by the tokenizer."""

    continuous: ClassVar[bool] = False
    whole: ClassVar[bool] = True

    def features(self, values: Sequence[Value], spec: DataSpec) -> Tensor:
        """Returns hashed counts of words and character trigrams, L2-normalized."""
        return torch.stack([_counts(str(value)) for value in values])

    def identity_keys(self, values: Sequence[Value], spec: DataSpec) -> list[bytes]:
        """Returns the texts as UTF-8."""
        return [str(value).encode("utf-8", "surrogatepass") for value in values]


def _counts(text: str) -> Tensor:
    """Returns L2-normalized hashed counts, float32 (NUM_BUCKETS,)."""
    padded = f" {text} "
    parts = re.findall(r"\w+|[^\w\s]", text) + [padded[i : i + 3] for i in range(len(padded) - 2)]
    buckets = [zlib.crc32(part.encode("utf-8", "replace")) % NUM_BUCKETS for part in parts]
    counts = np.bincount(buckets, minlength=NUM_BUCKETS)
    return F.normalize(torch.from_numpy(counts).float(), dim=0)
