"""The nearest code by a product in bfloat16 whose error is bounded, and float32 for what that leaves open.

Legend: N vectors, K codes, D their width; P pairs of a vector and a code that may be its nearest.
"""

import torch
from torch import Tensor

ROUNDOFF = 2.0**-8
"""Of bfloat16: a number and its nearest bfloat16 differ by at most this share of the number."""
WIDE = 192
"""Width from which the cheaper product outweighs the second look."""
MANY = 8
"""Pairs for each vector beyond which the whole product in float32 is cheaper."""


def pays(z: Tensor, codebook: Tensor) -> bool:
    """Whether the shortlist is the faster way: wide vectors on a CPU that multiplies bfloat16 itself."""
    wide = z.device.type == "cpu" and z.shape[1] >= WIDE and len(codebook) >= WIDE
    return wide and torch.cpu._is_avx512_bf16_supported()


def nearest_of_shortlist(z: Tensor, e: Tensor, bias: Tensor) -> Tensor:
    """z (N, D), e (K, D), bias (K,) = −½‖e‖², all float32 → int64 (N,), as exact as float32 is.

    Rough scores are those of −½‖z − e‖²: near 0 for near codes, so that rounding them costs little where it
    matters. They are a bfloat16 product, summed in float32, of z and e beside columns that carry −½‖z‖² and
    −½‖e‖² in two parts each. With z̃, ẽ the rounded vectors a score is wrong by at most

        ε = ‖z̃ − z‖·max‖ẽ‖ + ‖z‖·max‖ẽ − e‖ + 2⁻¹⁶·½(‖z‖² + max‖e‖²) + (D + 6)·2⁻²³·(‖z‖ + max‖e‖)²

    (Cauchy–Schwarz; the second parts' rounding; the sum's) before it is rounded to bfloat16, which is
    monotone. So the nearest code scores at least the best score less 2ε, but for the rounding; the codes that
    do are scored again in float32. Equal ones go to the lower index.
    """
    row_P, code_P = _pairs(z, e, bias)
    if len(row_P) > MANY * len(z):
        return torch.addmm(bias, z, e.T).argmax(1)
    score_P = (z[row_P] * e[code_P]).sum(1) + bias[code_P]
    best_N = torch.full((len(z),), -torch.inf).scatter_reduce_(0, row_P, score_P, "amax")
    wins = score_P == best_N[row_P]
    codes_N = torch.full((len(z),), len(e)).scatter_reduce_(0, row_P[wins], code_P[wins], "amin")
    return codes_N.clamp_max_(len(e) - 1)  # a vector that is not finite has no pair


def _pairs(z: Tensor, e: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    rough_NK, error_N = rough(z, e, bias)
    top_N, slack_N = rough_NK.amax(1).float(), 2 * error_N
    # Twice the roundoff: once for the best score, once for the bound's own rounding.
    least_N = (top_N - slack_N - 2 * ROUNDOFF * (top_N.abs() + slack_N)).bfloat16()
    row_P, code_P = (rough_NK >= least_N[:, None]).nonzero(as_tuple=True)
    return row_P, code_P


def rough(z: Tensor, e: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Rough scores, bfloat16 (N, K), and how wrong they can be before that last rounding: ε, float32 (N,)."""
    half, D = z.square().sum(1).mul_(-0.5), z.shape[1]
    left = torch.cat([z, *_parts(half), torch.ones(len(z), 2)], 1).bfloat16()
    right = torch.cat([e, torch.ones(len(e), 2), *_parts(bias)], 1).bfloat16()
    return left @ right.T, _error(z, e, left[:, :D].float(), right[:, :D].float())


def _error(z: Tensor, e: Tensor, near_z: Tensor, near_e: Tensor) -> Tensor:
    """ε (N,) of `nearest_of_shortlist`."""
    norm_N, most = z.norm(dim=1), e.norm(dim=1).max()
    rounding = (near_z - z).norm(dim=1) * near_e.norm(dim=1).max() + norm_N * (near_e - e).norm(dim=1).max()
    parts = 2**-17 * (norm_N**2 + most**2)
    total: Tensor = rounding + parts + (z.shape[1] + 6) * 2**-23 * (norm_N + most) ** 2
    return total


def _parts(x: Tensor) -> list[Tensor]:
    """x (N,) as two columns (N, 1) whose bfloat16 roundings sum to it but for 2⁻¹⁶ of it."""
    high = x.bfloat16().float()
    return [high[:, None], (x - high)[:, None]]
