"""The colour-invariant outline of images and clips."""

import torch
from torch import Tensor

SQUARINGS = 14
"""2¹⁴th powers: the second component is lost where its variance is below 0.999 of the first's."""
MIN_STD = 0.01
"""Minimum standard deviation in the outline's normalization; prevents amplifying noise of flat images."""


@torch.no_grad()
def outline(signal: Tensor) -> Tensor:
    """float32 (B, C, *axes) → (B, 1, *axes): each pixel's coordinate on the first principal component of the
    image's or clip's colours, standardised over all of it and divided by 4.

    For one of two colours it is invariant to affine colour maps that keep them distinct. The axis points
    to the longer tail, so that the smaller area is bright.
    """
    with torch.autocast(signal.device.type, enabled=False):
        mean = signal.float().mean((*range(2, signal.ndim),), keepdim=True)
        off_BCN = (signal.float() - mean).flatten(2)
        axis_BC1 = _principal_axis(off_BCN @ off_BCN.mT)
        place_B1N = axis_BC1.mT @ off_BCN
        place_B1N = place_B1N / place_B1N.square().mean(-1, keepdim=True).sqrt().clamp_min(MIN_STD)
        sign = torch.where((place_B1N**3).mean(-1, keepdim=True) < 0, -1, 1)
        found: Tensor = sign * place_B1N / 4
    return found.reshape(len(signal), 1, *signal.shape[2:])


def _principal_axis(gram_BCC: Tensor) -> Tensor:
    """(B, C, C), symmetric, without negative eigenvalues → (B, C, 1): the eigenvector of the largest one.

    Graphs for other runtimes have no eigenvectors; powers of a matrix approach the product of its first one
    with itself.
    """
    if not torch.compiler.is_exporting():
        vectors_BCC: Tensor = torch.linalg.eigh(gram_BCC)[1]
        return vectors_BCC[..., -1:]
    power = gram_BCC.double()
    for _ in range(SQUARINGS):
        power = power / power.abs().amax((1, 2), keepdim=True).clamp_min(1e-30)
        power = power @ power
    column_B11 = power.diagonal(dim1=1, dim2=2).argmax(1)[:, None, None]
    axis_BC1 = power.gather(2, column_B11.expand(-1, power.shape[1], -1))
    return (axis_BC1 / axis_BC1.square().sum(1, keepdim=True).sqrt().clamp_min(1e-30)).float()
