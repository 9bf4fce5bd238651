"""The values that pass between parts.

Time: **t = 0 is data, t = 1 is noise, everywhere.**

Shape letters: B batch, L positions of a stream (its grid in C order), Q residual depth, K codebook size,
D width.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

MASK = -1
"""The absorbing state of a code: nothing is known of it."""


@dataclass(frozen=True)
class CodeShape:
    """The integer grid that a stream becomes."""

    grid: tuple[int, ...]
    """Positions, e.g. (4, 4) for an image, (14,) for a text."""
    depth: int
    """Residual depth Q: codes per position."""
    codebook_size: int
    """Codebook size K."""
    shared: int = 0
    """How many of the last depths say the same at every position."""

    @property
    def num_positions(self) -> int:
        """L, the number of positions."""
        return math.prod(self.grid)

    @property
    def num_codes(self) -> int:
        """How many codes may differ: L × Q, those that are shared counted once."""
        return self.num_positions * (self.depth - self.shared) + self.shared


@dataclass(frozen=True)
class Quantized:
    """What a quantizer returns."""

    z_q: Tensor
    """(..., dim): the quantized vectors; bitwise `decode(codes)`, with the straight-through gradient."""
    codes: Tensor
    """int64 (..., Q)."""
    loss: Tensor
    """Scalar: commitment (and codebook) loss, averaged over the unmasked vectors."""
    stats: Mapping[str, Tensor] = field(default_factory=dict)
    """Scalars for the log: usage, perplexity, distortion."""


@dataclass(frozen=True)
class Field:
    """One stream inside the canvas; codes that a stream's positions share are a field of their own."""

    state: Tensor
    """int64 (B, L, Q) codes, `MASK` where unknown."""
    known: Tensor
    """bool (B, L, Q): what is given and never changes."""
    valid: Tensor
    """bool (B, L): False where the sample lacks this stream or the position is padding."""
    t: Tensor
    """float32 (B,): noise level."""
    codebook_size: int | None = None
    """Codebook size K; needed where noise is made of codes."""


Canvas = dict[str, Field]
"""The fields of a batch; a missing stream is simply not in it."""

Logits = dict[str, Tensor]
"""float32 (B, L, Q, K) for every stream of a canvas: unnormalised log-probabilities of clean codes."""

CodeDenoiser = Callable[[Canvas], Logits]
"""Its estimate of the clean data, whatever the network predicts inside."""


@dataclass(frozen=True)
class Sample:
    """One row: streams that belong together; any may be missing."""

    key: str
    streams: Mapping[str, Any]
    """Stream name → value (for an index: where the value lies)."""


@dataclass(frozen=True)
class Loss:
    """What is minimised and what is logged beside it."""

    total: Tensor
    """Scalar with gradient."""
    parts: Mapping[str, Tensor] = field(default_factory=dict)
    """Detached scalars by name."""
