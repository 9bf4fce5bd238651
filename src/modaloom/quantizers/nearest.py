"""Exact nearest-neighbour search in a codebook, with bounded memory.

Legend: N vectors, K codes, D their width.
"""

import torch
from torch import Tensor

from modaloom.quantizers.shortlist import Shortlist, shortlist_is_faster

MAX_SCORES = 2**20
"""Approximate number of scores per chunk; a quarter of it with a shortlist, which needs further memory."""
BLOCK_SIZE = 32
"""Codes per block of the two-level argmax."""
MIN_CHUNK_ROWS = 128
"""Least number of vectors per chunk: with fewer, the matrix product is bound by memory bandwidth."""


@torch.no_grad()
def nearest(z: Tensor, codebook: Tensor, *, chunk: int | None = None) -> Tensor:
    """z (N, D), codebook (K, D) → int64 (N,): the index of the nearest code of each z.

    argmin ‖z − e‖² = argmax (z·e − ½‖e‖²): one float32 matrix product per `chunk` vectors (default: about a
    million scores), also under autocast. Ties go to the lower index. Where it is faster, a bfloat16 product
    first selects the candidates (`shortlist.py`).

    Tolerance: because of rounding, the squared distance of the result may exceed the minimum by at most
    (D + 2) · 2⁻²³ · (‖z‖ + max‖e‖)², the forward error of a dot product with unit roundoff 2⁻²⁴. This holds
    on a GPU unless TF32 is allowed for float32 products.

    In graphs for other runtimes, of any number of vectors, it is one product.
    """
    if torch.compiler.is_exporting():
        return torch.addmm(codebook.square().sum(1) * -0.5, z, codebook.T).argmax(1)
    short = shortlist_is_faster(z, codebook)
    rows = chunk or max(MIN_CHUNK_ROWS, (MAX_SCORES // 4 if short else MAX_SCORES) // len(codebook))
    with torch.autocast(z.device.type, enabled=False):
        e = codebook.float()
        bias = e.square().sum(1).mul_(-0.5)
        search = (
            Shortlist.of(e, bias).nearest if short else lambda z: first_largest(torch.addmm(bias, z, e.T))
        )
        # Written in place: small results between large scores would fragment the heap.
        codes = torch.empty(len(z), dtype=torch.int64, device=z.device)
        for out, chunk_z in zip(torch.split(codes, rows), torch.split(z, rows)):
            out.copy_(search(chunk_z.float()))
        return codes


def first_largest(scores: Tensor) -> Tensor:
    """scores (N, K) → int64 (N,): `argmax` of each row, the first of equal ones.

    In two levels, blocks and codes of a block: torch's `amax` is ten times as fast as its `argmax`.
    """
    N, K = scores.shape
    if K % BLOCK_SIZE:
        return scores.argmax(1)
    blocks = scores.view(N, K // BLOCK_SIZE, BLOCK_SIZE)
    best = blocks.amax(2).argmax(1)
    inside = blocks[torch.arange(N, device=best.device), best].argmax(1)
    return best * BLOCK_SIZE + inside
