"""Nearest-code search with a bfloat16 product of bounded error and float32 for the remaining candidates.

Legend: N vectors, K codes, D their width; P pairs of a vector and a code that may be its nearest.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.precision import fast_bf16

BF16_ROUNDOFF = 2.0**-8
"""Unit roundoff of bfloat16 (relative)."""
MIN_WIDTH = 192
"""Width from which the cheaper product outweighs the second pass."""
MAX_PAIRS_PER_VECTOR = 8
"""Candidates per vector beyond which the full float32 product is cheaper."""


def shortlist_is_faster(z: Tensor, codebook: Tensor) -> bool:
    """Whether the shortlist is faster: wide vectors on a CPU with bfloat16 instructions."""
    wide = z.device.type == "cpu" and z.shape[1] >= MIN_WIDTH and len(codebook) >= MIN_WIDTH
    return wide and fast_bf16("cpu")


@dataclass(frozen=True)
class Shortlist:
    """A prepared codebook: candidates are selected in bfloat16, the nearest of them is found in float32.

    Approximate scores are those of −½‖z − e‖²: close to 0 for near codes, where rounding then costs little.
    They are a bfloat16 product, summed in float32, of z and e extended by columns with −½‖z‖² and −½‖e‖² in
    two parts each. With z̃, ẽ the rounded vectors, the error of a score is at most

        ε = ‖z̃ − z‖·max‖ẽ‖ + ‖z‖·max‖ẽ − e‖ + 2⁻¹⁶·½(‖z‖² + max‖e‖²) + (D + 6)·2⁻²³·(‖z‖ + max‖e‖)²

    (Cauchy–Schwarz; rounding of the second parts; rounding of the sum) before the final rounding to bfloat16,
    which is monotone. So the nearest code scores at least the best score − 2ε, up to that rounding.
    """

    e: Tensor
    """float32 (K, D)."""
    bias: Tensor
    """float32 (K,): −½‖e‖²."""
    right: Tensor
    """bfloat16 (D + 4, K): the codebook's factor of the approximate product."""
    longest: Tensor
    """max‖e‖."""
    longest_near: Tensor
    """max‖ẽ‖."""
    farthest: Tensor
    """max‖ẽ − e‖."""

    @classmethod
    def of(cls, e: Tensor, bias: Tensor) -> "Shortlist":
        D = e.shape[1]
        right = torch.ones(len(e), D + 4, dtype=torch.bfloat16)
        right[:, :D], right[:, D + 2 :] = e, _parts(bias)
        near = right[:, :D].float()
        longest, longest_near, farthest = (x.norm(dim=1).max() for x in (e, near, near - e))
        return cls(e, bias, right.T, longest, longest_near, farthest)

    def nearest(self, z: Tensor) -> Tensor:
        """z float32 (N, D) → int64 (N,), exact up to float32 rounding. Ties go to the lower index."""
        row_P, code_P = self._pairs(z)
        if len(row_P) > MAX_PAIRS_PER_VECTOR * len(z):
            return torch.addmm(self.bias, z, self.e.T).argmax(1)
        score_P = z.index_select(0, row_P).mul_(self.e.index_select(0, code_P)).sum(1) + self.bias[code_P]
        best_N = torch.full((len(z),), -torch.inf).scatter_reduce_(0, row_P, score_P, "amax")
        wins = score_P == best_N[row_P]
        last = len(self.e) - 1  # of a vector that is not finite, which has no pair
        codes_N = torch.full((len(z),), last)
        return codes_N.scatter_reduce_(0, row_P[wins], code_P[wins], "amin", include_self=False)

    def approximate_scores(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Approximate scores, bfloat16 (N, K), and their error bound ε (N,) before the final rounding."""
        D = z.shape[1]
        left = torch.ones(len(z), D + 4, dtype=torch.bfloat16)
        left[:, :D], left[:, D : D + 2] = z, _parts(z.square().sum(1).mul_(-0.5))
        norm_N, away_N = z.norm(dim=1), left[:, :D].float().sub_(z).norm(dim=1)
        rounding = away_N * self.longest_near + norm_N * self.farthest
        parts = 2**-17 * (norm_N**2 + self.longest**2)
        return left @ self.right, rounding + parts + (D + 6) * 2**-23 * (norm_N + self.longest) ** 2

    def _pairs(self, z: Tensor) -> tuple[Tensor, Tensor]:
        rough_NK, error_N = self.approximate_scores(z)
        top_N, slack_N = rough_NK.amax(1).float(), 2 * error_N
        # Twice the roundoff: once for the best score, once for the bound's own rounding.
        least_N = (top_N - slack_N - 2 * BF16_ROUNDOFF * (top_N.abs() + slack_N)).bfloat16()
        row_P, code_P = (rough_NK >= least_N[:, None]).nonzero(as_tuple=True)
        return row_P, code_P


def _parts(x: Tensor) -> Tensor:
    """x (N,) as bfloat16 (N, 2), whose rows sum to x with relative error 2⁻¹⁶."""
    high = x.bfloat16()
    return torch.stack([high, (x - high.float()).bfloat16()], 1)
