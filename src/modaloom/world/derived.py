"""Streams derived from the image: greyscale, downsampled by 4, two artistic filters."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modaloom.degradations.downsample import downsample
from modaloom.degradations.grey import grey
from modaloom.degradations.kuwahara import kuwahara
from modaloom.degradations.mosaic import mosaic as tiles


def gray(image: Image.Image) -> Image.Image:
    """Greyscale of equal luminance; RGB with equal channels."""
    return _picture(grey(_tensor(image)).expand(-1, 3, -1, -1))


def small(image: Image.Image) -> Image.Image:
    """Downsampled by 4."""
    return _picture(downsample(_tensor(image), factor=4))


def paint(image: Image.Image) -> Image.Image:
    """Kuwahara filter with a radius of 2 of 32 pixels."""
    return _picture(kuwahara(_tensor(image), radius=image.width // 16))


def mosaic(image: Image.Image) -> Image.Image:
    """Mosaic with tiles of 3 of 32 pixels, the same for every image."""
    return _picture(tiles(_tensor(image), tile=3 * image.width // 32))


def _tensor(image: Image.Image) -> Tensor:
    """float32 (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 255


def _picture(signal: Tensor) -> Image.Image:
    return Image.fromarray((255 * signal[0]).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy())
