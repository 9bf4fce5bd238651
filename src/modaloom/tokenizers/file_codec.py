"""Files of any length as codes and back, in the memory of a piece."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.core.windows import windows
from modaloom.modalities.base import DataSpec
from modaloom.modalities.files import File
from modaloom.modalities.signal_codec import Pieces
from modaloom.networks.tiled import TiledSequential

CELLS = 1024
"""Most codes along the first axis that are computed at once, beside their context."""
ELEMENTS = 2**25
"""Elements of an activation above which they are fewer: 128 MiB of float32."""


@dataclass(frozen=True)
class Blocks:
    """What a network computes at once."""

    size: int
    """Codes along the first axis, at least 1."""
    halo: int
    """Codes on both sides of them along that axis, on which the result depends, too."""

    @classmethod
    def of(cls, network: TiledSequential, row_size: int) -> Self:
        """As much as `ELEMENTS` holds with its context, at least as much as that is on one side.

        `row_size`: codes per index of the first axis.
        """
        halo = network.halo[0]
        fitting = ELEMENTS // (network.elements_per_cell * row_size) - 2 * halo
        return cls(max(1, halo, min(CELLS, fitting)), halo)


@dataclass(frozen=True)
class FileCodes:
    """What a file is as codes."""

    codes: Tensor
    """(n, *rest, Q) in the smallest type that holds them, n as the file needs: 10 minutes of 320 × 240 pixels
    are 40 million, beside which a piece is small."""
    length: int
    """Number of samples that they are of."""


@dataclass(frozen=True)
class FileCodec:
    """Encoder and decoder of values of a length of their own, of which codes depend on what is near alone.

    Blocks begin at fixed places: neither codes nor values depend on the pieces of a file.
    """

    pieces: Pieces
    spec: DataSpec
    encode_batch: Callable[[Tensor], Tensor]
    """Packed (1, …) → int64 codes (1, n, *rest, Q)."""
    decode_batch: Callable[[Tensor], NDArray[Any]]
    """Codes (1, n, *rest, Q) → packed (1, …)."""
    strides: Sequence[int]
    """Positions per code along each axis."""
    encoded: Blocks
    decoded: Blocks
    exact: bool
    """Whether the last code of each position is how many positions the last index has beyond the end."""
    dtype: torch.dtype
    """Of the codes of a file."""

    def encode(self, path: File) -> FileCodes:
        """All of a file. Raises `BadFile`."""
        lengths: list[int] = []

        def packed() -> Iterator[NDArray[Any]]:
            for piece, length in self.pieces.pack(path, self.spec):
                lengths.append(length)
                yield piece

        stride, size, halo = self.strides[0], self.encoded.size, self.encoded.halo
        parts, positions = [], 0
        for block in windows(packed(), size * stride, halo * stride, axis=-len(self.strides)):
            first, n = block.before // stride, -(-block.own // stride)
            whole = self.encode_batch(torch.from_numpy(block.array[None]))[0]
            parts.append(whole[first : first + n].to(self.dtype))
            positions += block.own
        codes = torch.cat(parts)
        if self.exact:
            codes[..., -1] = -positions % stride
        return FileCodes(codes, sum(lengths))

    def decode(self, found: FileCodes, path: Path) -> None:
        """Writes a file of `found.length` samples."""
        self.pieces.unpack(self._packed(found.codes), found.length, self.spec, path)

    def _packed(self, codes: Tensor) -> Iterator[NDArray[Any]]:
        stride, axes = self.strides[0], len(self.strides)
        for block in windows([codes.numpy()], self.decoded.size, self.decoded.halo, axis=0):
            (packed,) = self.decode_batch(torch.from_numpy(block.array[None]).long())
            own = slice(block.before * stride, (block.before + block.own) * stride)
            yield packed[(..., own, *[slice(None)] * (axes - 1))]
