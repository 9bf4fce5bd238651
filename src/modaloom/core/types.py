"""The data types that packages exchange.

Time: **t = 0 is data, t = 1 is noise, everywhere.**

Shape letters: B batch, L positions of a stream (its grid in C order), Q residual depth, K codebook size,
D width.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

MASK = -1
"""The absorbing state of a code: its value is unknown."""
STORAGE_TYPES = (torch.uint8, torch.uint16, torch.int32)
"""Types of codes in files, smallest first. Computations use int64."""


@dataclass(frozen=True)
class CodeShape:
    """The shape of a tokenized stream: an integer grid of codes."""

    grid: tuple[int, ...]
    """Positions, e.g. (4, 4) for an image, (14,) for a text; of a variable stream the most."""
    depth: int
    """Residual depth Q: codes per position."""
    codebook_size: int
    """Codebook size K."""
    shared: int = 0
    """How many of the last depths hold one code for all positions."""
    variable: bool = False
    """Whether the first axis is a length that differs by sample, from 0 to `grid[0]`. The codes of a sample
    are then followed by `padding`."""

    @property
    def num_positions(self) -> int:
        """The number of positions L."""
        return math.prod(self.grid)

    def on_grid(self, codes: Tensor) -> Tensor:
        """Codes (B, L, Q) → (B, *grid, Q); of a variable stream, of whatever length."""
        return codes.reshape(len(codes), codes.shape[1] // self.row_size, *self.grid[1:], self.depth)

    @property
    def num_codes(self) -> int:
        """The number of free codes: L × Q, shared codes counted once; of a variable stream the most."""
        return self.num_positions * (self.depth - self.shared) + self.shared

    @property
    def row_size(self) -> int:
        """Positions per index of the first axis: a variable stream of length n has n × row_size positions."""
        return self.num_positions // self.grid[0]

    @property
    def padding(self) -> int:
        """The value after the end of a sample, K: no code."""
        return self.codebook_size

    @property
    def storage_type(self) -> torch.dtype:
        """The first of `STORAGE_TYPES` that holds K codes, and `padding` where there is any."""
        last = self.padding if self.variable else self.codebook_size - 1
        return next(dtype for dtype in STORAGE_TYPES if last <= torch.iinfo(dtype).max)


@dataclass(frozen=True)
class Quantized:
    """What a quantizer returns."""

    z_q: Tensor
    """(..., dim): the quantized vectors, bitwise `decode(codes)`, with the straight-through gradient."""
    codes: Tensor
    """int64 (..., Q)."""
    loss: Tensor
    """Scalar: commitment (and codebook) loss, averaged over the unmasked vectors."""
    stats: Mapping[str, Tensor] = field(default_factory=dict)
    """Scalars to log: usage, perplexity, distortion."""


@dataclass(frozen=True)
class Field:
    """One stream of the canvas. Codes shared by all positions of a stream are a separate field, and so is its
    length where that differs by sample."""

    state: Tensor
    """int64 (B, L, Q) codes, `MASK` where unknown."""
    known: Tensor
    """bool (B, L, Q): True where the code is given and must not change."""
    valid: Tensor
    """bool (B, L): False where the sample has no such stream or the position is after its end."""
    t: Tensor
    """float32 (B,): noise level."""
    codebook_size: int | None = None
    """Codebook size K; required by uniform diffusion, whose noise is random codes."""

    @property
    def given(self) -> Tensor:
        """bool (B,): whether all codes of the sample are known; of a target stream some may be."""
        return self.known.flatten(1).all(1)


Canvas = dict[str, Field]
"""Stream name → field, for a batch; absent streams have no entry."""

Logits = dict[str, Tensor]
"""Stream name → float32 (B, L, Q, K): unnormalised log-probabilities of the clean codes."""

CodeDenoiser = Callable[[Canvas], Logits]
"""Noisy canvas → logits of the clean codes."""


@dataclass(frozen=True)
class Sample:
    """One row of a dataset: the streams of one example; any may be missing."""

    key: str
    streams: Mapping[str, Any]
    """Stream name → value (in an index: the location of the value)."""


@dataclass(frozen=True)
class Loss:
    """The training loss and the scalars logged with it."""

    total: Tensor
    """Scalar with gradient: what is minimised."""
    parts: Mapping[str, Tensor] = field(default_factory=dict)
    """Name → detached scalar, for the log."""
