"""Values that are strings of any length: a tokenizer learns their codes, and nothing here packs them."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.modalities.codec import Codec, DataSpec, Value

NUM_BUCKETS = 1024
"""Columns of a text's counts."""


@dataclass(frozen=True)
class StringCodec(Codec):
    """Values are str."""

    continuous: ClassVar[bool] = False
    restorable: ClassVar[bool] = False
    whole: ClassVar[bool] = True

    def features(self, values: Sequence[Value], spec: DataSpec) -> Tensor:
        """Words and characters by threes, counted by hash, of length 1."""
        return torch.stack([_counts(str(value)) for value in values])

    def identity_keys(self, values: Sequence[Value], spec: DataSpec) -> list[bytes]:
        """The texts to the letter."""
        return [str(value).encode("utf-8", "surrogatepass") for value in values]


def _counts(text: str) -> Tensor:
    """float32 (NUM_BUCKETS,)."""
    padded = f" {text} "
    parts = re.findall(r"\w+|[^\w\s]", text) + [padded[i : i + 3] for i in range(len(padded) - 2)]
    buckets = [zlib.crc32(part.encode("utf-8", "replace")) % NUM_BUCKETS for part in parts]
    counts = np.bincount(buckets, minlength=NUM_BUCKETS)
    return F.normalize(torch.from_numpy(counts).float(), dim=0)
