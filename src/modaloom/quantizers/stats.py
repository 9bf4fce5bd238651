"""Scalars to log: perplexity, usage and distortion of codes."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.quantizers.error import squared_error


@torch.no_grad()
def use(codes: Tensor, size: int, *, distributed: Distributed = SINGLE_PROCESS) -> dict[str, Tensor]:
    """int64 codes (N,) → perplexity (exp of the entropy, 1..size) and usage (fraction of codes used).

    Nothing in graphs for other runtimes, which log nothing.
    """
    if torch.compiler.is_exporting():
        return {}
    hits = distributed.sum(torch.bincount(codes, minlength=size))
    share = hits / hits.sum().clamp(min=1)
    perplexity = torch.special.entr(share).sum().exp()
    return {"perplexity": perplexity, "usage": (hits > 0).float().mean()}


@torch.no_grad()
def distortion(z: Tensor, z_q: Tensor, *, distributed: Distributed = SINGLE_PROCESS) -> Tensor:
    """Mean squared error relative to the variance of z (N, D): 0 is lossless, 1 is the error of the mean."""
    z, total = z.to(z_q.dtype), distributed.count(len(z))
    n = max(1, total * z.shape[1])
    mean = (distributed.sum(z.sum(0)) / max(1, total)).expand_as(z)
    variance = distributed.sum(squared_error(z, mean)) / n
    return distributed.sum(squared_error(z, z_q)) / n / variance.clamp(min=torch.finfo(z.dtype).tiny)


def averaged(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean over parts of every scalar of the first one."""
    return {name: torch.stack([part[name] for part in parts]).mean() for name in parts[0]}
