"""Antialiased bicubic downsampling."""

from torch import Tensor
from torch.nn import functional as F

from modaloom.core.errors import BadValue


def downsample(image: Tensor, *, factor: int = 4) -> Tensor:
    """[0, 1] (..., C, H, W) → (..., C, H / factor, W / factor): bicubic with antialiasing (Keys 1981).

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
    return small.clamp(0, 1).reshape(*rest, channels, height // factor, width // factor)
