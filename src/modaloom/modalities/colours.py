"""The colour-invariant outline of images and clips."""

import torch
from torch import Tensor

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
        axis_BC1 = torch.linalg.eigh(off_BCN @ off_BCN.mT)[1][..., -1:]
        place_B1N = axis_BC1.mT @ off_BCN
        place_B1N = place_B1N / place_B1N.square().mean(-1, keepdim=True).sqrt().clamp_min(MIN_STD)
        sign = torch.where((place_B1N**3).mean(-1, keepdim=True) < 0, -1, 1)
        found: Tensor = sign * place_B1N / 4
    return found.reshape(len(signal), 1, *signal.shape[2:])
