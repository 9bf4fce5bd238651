"""Codes of a residual quantizer by beam search: the M-best search of multi-stage quantizers.

The greedy choice of each stage ignores what the next stages can correct (LeBlanc et al. 1993, "Efficient
search and design procedures for robust multi-stage VQ of LPC parameters", IEEE Trans. Speech Audio Process.).

Legend: N vectors, Q stages, K codes of each, D = dim, W beams.
"""

import torch
from torch import Tensor

MAX_ELEMENTS = 2**19
"""Distances that are in memory at once."""


@torch.no_grad()
def beam_search(z: Tensor, vectors: Tensor, width: int) -> Tensor:
    """The codes whose vectors' sum is near z, of `width` partial sums that are kept after every stage.

    A width of 1 is greedy, one of K^(Q−1) finds the nearest sum.

    Args:
        z: float32 (N, D).
        vectors: float32 (Q, K, D).
        width: partial sums kept, W ≥ 1.

    Returns:
        int64 (N, Q).
    """
    if torch.compiler.is_exporting():
        return _search(z, vectors, width)
    rows = max(1, MAX_ELEMENTS // (width * vectors.shape[1]))
    return torch.cat([_search(part, vectors, width) for part in torch.split(z, rows)])


def _search(z: Tensor, vectors: Tensor, width: int) -> Tensor:
    """`beam_search` of as many rows as fit."""
    residual, codes = z[:, None], z.new_zeros(len(z), 1, 0, dtype=torch.int64)
    for stage in vectors:
        size, beams = len(stage), residual.shape[1]
        squares = residual.square().sum(-1, keepdim=True) + stage.square().sum(-1)
        errors = (squares - 2 * residual @ stage.mT).flatten(1)
        best = errors.topk(min(width, beams * size), largest=False).indices
        beam, code = best // size, best % size
        residual = _taken(residual, beam) - stage[code]
        codes = torch.cat([_taken(codes, beam), code[..., None]], -1)
    return codes[:, 0]


def _taken(values: Tensor, beam: Tensor) -> Tensor:
    """(N, W, …) → those of the beams (N, W')."""
    return values.gather(1, beam[..., None].expand(-1, -1, values.shape[-1]))
