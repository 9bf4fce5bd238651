"""Antialiased bicubic downsampling."""

from torch import Tensor
from torch.nn import functional as F

from modaloom.core.errors import BadValue


def downsample(image: Tensor, *, factor: int = 4) -> Tensor:
    """`shrink`, clamped to [0, 1]."""
    return shrink(image, factor=factor).clamp(0, 1)


def shrink(image: Tensor, *, factor: int) -> Tensor:
    """(..., C, H, W) → (..., C, H / factor, W / factor): bicubic with antialiasing (Keys 1981), unclipped.

    Raises `BadValue` if the factor does not divide a side.
    """
    *rest, channels, height, width = image.shape
    if height % factor or width % factor:
        raise BadValue(
            f"factor is {factor}; it must divide {width}×{height} pixels: crop the image or choose another"
        )
    small = F.interpolate(
        image.reshape(-1, channels, height, width),
        (height // factor, width // factor),
        mode="bicubic",
        antialias=True,
    )
    return small.reshape(*rest, channels, height // factor, width // factor)
