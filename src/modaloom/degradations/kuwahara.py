"""Brush strokes: the Kuwahara filter."""

import torch
from torch import Tensor
from torch.nn import functional as F


def kuwahara(image: Tensor, *, radius: int = 2) -> Tensor:
    """[0, 1] (B, C, H, W) → the same shape: flat patches with sharp edges.

    Every pixel takes the mean of that one of the four (radius + 1)² squares with the pixel in a corner whose
    variance, summed over the channels, is least (Kuwahara et al. 1976); of equals the first. The picture's
    edge is repeated outwards.
    """
    height, width = image.shape[-2:]
    wide = F.pad(image, [radius] * 4, mode="replicate")
    mean = F.avg_pool2d(wide, radius + 1, stride=1)
    variance = (F.avg_pool2d(wide**2, radius + 1, stride=1) - mean**2).sum(1, keepdim=True)
    corners = [(y, x) for y in (0, radius) for x in (0, radius)]

    def shifted(field: Tensor) -> Tensor:
        return torch.stack([field[..., y : y + height, x : x + width] for y, x in corners])

    best = shifted(variance).argmin(0, keepdim=True)
    return shifted(mean).gather(0, best.expand(-1, -1, image.shape[1], -1, -1)).squeeze(0)
