"""The quantizer contract: vectors in, codes and their vectors out.

Legend: N vectors, Q residual depth, K codebook size, D = dim, the width of a vector.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from modaloom.core.distributed import SINGLE_PROCESS, Distributed, WholeBatch
from modaloom.core.errors import BadValue
from modaloom.core.types import Quantized


class Quantizer(nn.Module, ABC):
    """Maps vectors to codes and back.

    `forward` updates the codebook in training mode only. Search and result are float32 for any dtype of z.
    """

    dim: int

    @abstractmethod
    def forward(
        self,
        z: Tensor,
        *,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> Quantized:
        """Quantize vectors.

        Codes are chosen before this call's codebook update, so that training and eval mode agree; only the
        k-means initialisation on the first batch comes before. If an unmasked value is not finite, the
        codebook is not updated and the loss is not finite.

        Args:
            z: float (..., dim).
            mask: bool (...); vectors at False get codes but do not contribute to loss, stats and codebook.
            generator: of random initialisation, restarts and dropout; of one seed on all ranks.
            distributed: whose vectors count for loss, stats and codebook, with those of this rank.

        Returns:
            z_q float32 (..., dim), codes int64 (..., Q), loss and stats.

        Raises:
            BadValue: for another width or dtype of z.
        """

    @torch.no_grad()
    def encode(self, z: Tensor) -> Tensor:
        """Vectors (..., dim) → int64 codes (..., Q): those of `forward` in eval mode, or nearer ones."""
        codes: Tensor = self(z).codes
        return codes

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Codes (..., Q), each in 0..K-1 → float32 (..., dim). IndexError (on a CPU) for any other code."""

    @property
    @abstractmethod
    def codebook_sizes(self) -> tuple[int, ...]:
        """The codebook size K of each depth."""

    @property
    @abstractmethod
    def vectors(self) -> Tensor:
        """float32 (Q, K, dim), detached: the vector that each code contributes to the decoded sum."""

    @property
    def depth(self) -> int:
        """The residual depth Q: codes per vector."""
        return len(self.codebook_sizes)


def is_learnable(z: Tensor, distributed: Distributed) -> bool:
    """Whether z (N, D) has rows and all are finite, over all ranks; without a temporary of its size."""
    finite = not len(z) or all(bool(end.isfinite()) for end in z.aminmax())
    return distributed.count(len(z)) > 0 and distributed.all(finite)


def learnable(distributed: Distributed, *rows: Tensor) -> WholeBatch | None:
    """The rows (N, ...) of the whole batch; None before its last micro-batch, or unless `is_learnable`."""
    batch = distributed.whole(*rows)
    return batch if batch and is_learnable(batch.rows[0], batch.ranks) else None


def rows_of(z: Tensor, mask: Tensor | None, dim: int) -> tuple[Tensor, Tensor | slice]:
    """z (..., dim) → float32 rows (N, dim), and an index of the unmasked ones.

    Raises `BadValue` for another width or dtype.
    """
    if z.ndim == 0 or z.shape[-1] != dim or not z.is_floating_point():
        raise BadValue(
            f"vectors are {z.dtype} of shape {tuple(z.shape)}; the last axis must hold {dim} floats each"
        )
    return z.reshape(-1, dim).float(), slice(None) if mask is None else mask.reshape(-1)


def straight_through(z: Tensor, q: Tensor) -> Tensor:
    """Straight-through estimator (Bengio et al. 2013, arXiv 1308.3432): the value of q, the gradient to z.

    Exact, unlike z + (q − z).detach(), which rounds.
    """
    passed: Tensor = _StraightThrough.apply(z.to(q.dtype), q.detach())  # type: ignore[no-untyped-call]
    return passed


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, q: Tensor) -> Tensor:
        return q

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None
