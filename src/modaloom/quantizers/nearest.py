"""The nearest vector of a codebook: exact, fast, in little memory.

Legend: N vectors, K codes, D their width.
"""

import torch
from torch import Tensor

from modaloom.quantizers.shortlist import Shortlist, pays

MAX_SCORES = 2**20
"""Scores at a time, about; a quarter of it where a shortlist takes further memory."""
BLOCK_SIZE = 32
"""Scores whose largest is found before its place is."""
MIN_CHUNK_ROWS = 128
"""Vectors at a time however large the codebook: for fewer the product would wait for memory."""


@torch.no_grad()
def nearest(z: Tensor, codebook: Tensor, *, chunk: int | None = None) -> Tensor:
    """z (N, D), codebook (K, D) → int64 (N,): for each z the index of its nearest code.

    argmin ‖z − e‖² = argmax (z·e − ½‖e‖²), one matrix product in float32 for `chunk` vectors at a time (by
    default as many as make about a million scores), under autocast too. Equal scores go to the lower index.
    Where that is faster, a product in bfloat16 says first which codes can be nearest at all.

    Tolerance: rounding may prefer a code whose squared distance exceeds the least one by at most
    (D + 2) · 2⁻²³ · (‖z‖ + max‖e‖)², from the forward error of a dot product with unit roundoff 2⁻²⁴.
    It holds on a GPU too unless TF32 is allowed for float32 products.
    """
    short = pays(z, codebook)
    rows = chunk or max(MIN_CHUNK_ROWS, (MAX_SCORES // 4 if short else MAX_SCORES) // len(codebook))
    with torch.autocast(z.device.type, enabled=False):
        e = codebook.float()
        bias = e.square().sum(1).mul_(-0.5)
        search = (
            Shortlist.of(e, bias).nearest if short else lambda z: first_largest(torch.addmm(bias, z, e.T))
        )
        # Written in place: small results kept between large scores would keep the heap from reusing them.
        codes = torch.empty(len(z), dtype=torch.int64, device=z.device)
        for place, part in zip(torch.split(codes, rows), torch.split(z, rows)):
            place.copy_(search(part.float()))
        return codes


def first_largest(scores: Tensor) -> Tensor:
    """scores (N, K) → int64 (N,): `argmax` of each row, the first of equal ones.

    The largest of every block of codes comes first: torch's `amax` is ten times as fast as its `argmax`.
    """
    N, K = scores.shape
    if K % BLOCK_SIZE:
        return scores.argmax(1)
    blocks = scores.view(N, K // BLOCK_SIZE, BLOCK_SIZE)
    best = blocks.amax(2).argmax(1)
    inside = blocks[torch.arange(N, device=best.device), best].argmax(1)
    return best * BLOCK_SIZE + inside
