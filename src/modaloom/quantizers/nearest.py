"""The nearest vector of a codebook: exact, fast, in little memory."""

import torch
from torch import Tensor


@torch.no_grad()
def nearest(z: Tensor, codebook: Tensor, *, chunk: int | None = None) -> Tensor:
    """z (N, D), codebook (K, D) → int64 (N,): for each z the index of its nearest code.

    argmin ‖z − e‖² = argmax (z·e − ½‖e‖²), one matrix product in float32 for `chunk` vectors at a time (by
    default as many as make about a million scores), under autocast too. Equal scores go to the lower index.

    Tolerance: rounding may prefer a code whose squared distance exceeds the least one by at most
    (D + 2) · 2⁻²³ · (‖z‖ + max‖e‖)², from the forward error of a dot product with unit roundoff 2⁻²⁴.
    It holds on a GPU too unless TF32 is allowed for float32 products.
    """
    rows = chunk or max(1, 2**20 // len(codebook))
    with torch.autocast(z.device.type, enabled=False):
        e = codebook.float()
        bias = e.square().sum(1).mul_(-0.5)
        parts = [torch.addmm(bias, part.float(), e.T).argmax(1) for part in torch.split(z, rows)]
    return torch.cat(parts)
