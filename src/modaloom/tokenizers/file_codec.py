"""Files of any length as codes and back, in the memory of a piece."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.core.windows import windows
from modaloom.modalities.base import DataSpec
from modaloom.modalities.signal_codec import Pieces

CELLS = 1024
"""Codes along the first axis that are computed at once, beside their context."""


@dataclass(frozen=True)
class FileCodes:
    """What a file is as codes."""

    codes: Tensor
    """int64 (n, *rest, Q), n as the file needs."""
    length: int
    """Number of samples that they are of."""


@dataclass(frozen=True)
class FileCodec:
    """Encoder and decoder of values of a length of their own, of which codes depend on what is near alone.

    Blocks of `CELLS` codes begin at fixed places: neither codes nor values depend on the pieces of a file.
    """

    pieces: Pieces
    spec: DataSpec
    encode_batch: Callable[[Tensor], Tensor]
    """Packed (1, …) → int64 codes (1, n, *rest, Q)."""
    decode_batch: Callable[[Tensor], NDArray[Any]]
    """Codes (1, n, *rest, Q) → packed (1, …)."""
    strides: Sequence[int]
    """Positions per code along each axis."""
    halo: int
    """Codes around a block along the first axis, on whose positions its codes and its values depend."""

    def encode(self, path: Path) -> FileCodes:
        """All of a file. Raises `BadFile`."""
        lengths: list[int] = []

        def packed() -> Iterator[NDArray[Any]]:
            for piece, length in self.pieces.pack(path, self.spec):
                lengths.append(length)
                yield piece

        stride = self.strides[0]
        blocks = windows(packed(), CELLS * stride, self.halo * stride, axis=-len(self.strides))
        parts = []
        for block in blocks:
            first, n = block.before // stride, -(-block.own // stride)
            parts.append(self.encode_batch(torch.from_numpy(block.array[None]))[0, first : first + n])
        return FileCodes(torch.cat(parts), sum(lengths))

    def decode(self, found: FileCodes, path: Path) -> None:
        """Writes a file of `found.length` samples."""
        self.pieces.unpack(self._packed(found.codes), found.length, self.spec, path)

    def _packed(self, codes: Tensor) -> Iterator[NDArray[Any]]:
        stride, axes = self.strides[0], len(self.strides)
        for block in windows([codes.numpy()], CELLS, self.halo, axis=0):
            (packed,) = self.decode_batch(torch.from_numpy(block.array[None]))
            own = slice(block.before * stride, (block.before + block.own) * stride)
            yield packed[(..., own, *[slice(None)] * (axes - 1))]
