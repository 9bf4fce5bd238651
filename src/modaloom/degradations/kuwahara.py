"""Kuwahara filter: an edge-preserving smoothing that looks like brush strokes."""

import torch
from torch import Tensor
from torch.nn import functional as F


def kuwahara(image: Tensor, *, radius: int = 2) -> Tensor:
    """[0, 1] (B, C, H, W) → the same shape (Kuwahara et al. 1976).

    Each pixel becomes the mean of the (radius + 1)² square of least variance, summed over channels, among the
    four that have the pixel in a corner; ties go to the first. The border is replicate-padded.
    """
    height, width = image.shape[-2:]
    padded = F.pad(image, [radius] * 4, mode="replicate")
    mean = F.avg_pool2d(padded, radius + 1, stride=1)
    variance = (F.avg_pool2d(padded**2, radius + 1, stride=1) - mean**2).sum(1, keepdim=True)
    corners = [(y, x) for y in (0, radius) for x in (0, radius)]

    def shifted(field: Tensor) -> Tensor:
        return torch.stack([field[..., y : y + height, x : x + width] for y, x in corners])

    best = shifted(variance).argmin(0, keepdim=True)
    return shifted(mean).gather(0, best.expand(-1, -1, image.shape[1], -1, -1)).squeeze(0)
