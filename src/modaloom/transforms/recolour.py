"""Random colours for an image, with unchanged luma."""

import torch
from torch import Tensor

from modaloom.degradations.luma import luma, replace_luma
from modaloom.degradations.quantize_8bit import quantize_8bit

MIXING_STD = (0.8, 0.8, 0.8, 0.8, 0.2)
"""Standard deviations of the random mixing weights of red, green and blue minus luma, of luma minus its mean,
and of the constant 1. All weights are then scaled by one uniform factor in [0, 1)."""


def recolour(image: Tensor, generator: torch.Generator) -> Tensor:
    """RGB (3, H, W) in [0, 1] → RGB whose colours are a random affine map of colours and luma.

    The luma is unchanged.
    """
    grey = quantize_8bit(luma(image))
    seen = torch.cat([image - grey, grey - grey.mean(), torch.ones_like(grey)])
    mixing = torch.randn(3, len(MIXING_STD), generator=generator) * torch.tensor(MIXING_STD)
    mixing *= torch.rand((), generator=generator)
    return replace_luma(grey, torch.tensordot(mixing.to(image), seen, 1))
