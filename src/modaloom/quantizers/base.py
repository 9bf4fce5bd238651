"""The quantizer contract: vectors in, codes and their vectors out.

Legend: N vectors, Q residual depth, K codebook size, D = dim, the width of a vector.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from modaloom.core.types import Quantized


class Quantizer(nn.Module, ABC):
    """Turns vectors into codes and back.

    `forward` learns from a batch only in training mode; in eval mode it changes nothing. Whatever the dtype
    of z, the search and the result are in the codebook's float32.
    """

    dim: int

    @abstractmethod
    def forward(
        self, z: Tensor, *, mask: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Quantized:
        """z float (..., dim), mask bool (...), True = counts → z_q float32 (..., dim), codes int64 (..., Q).

        Codes come from the state before this call's own learning, so that training and eval mode agree; only
        the k-means start, on the first batch, goes before. A vector that the mask leaves out gets codes but
        adds nothing to loss, stats and codebook. If a counted value of z is not finite, the codebook stays as
        it is and the loss is not finite, for the training loop to stop at.
        """

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Codes (..., Q), each in 0..K-1 → float32 (..., dim). IndexError (on a CPU) for any other code."""

    @property
    @abstractmethod
    def codebook_sizes(self) -> tuple[int, ...]:
        """K of every depth."""

    @property
    @abstractmethod
    def vectors(self) -> Tensor:
        """float32 (Q, K, dim), detached: what each code adds to the decoded vector."""

    @property
    def depth(self) -> int:
        """Q, the codes per vector."""
        return len(self.codebook_sizes)


def is_finite(z: Tensor) -> bool:
    """Whether all values of z, one at least, are finite; in no memory of its own."""
    return all(bool(end.isfinite()) for end in z.aminmax())


def straight_through(z: Tensor, q: Tensor) -> Tensor:
    """q bit for bit, with the gradient passed to z as it is (Bengio et al. 2013, arXiv 1308.3432).

    z + (q − z).detach() rounds: in bfloat16 it is not q.
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
