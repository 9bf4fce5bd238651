"""JPEG compression."""

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modaloom.core.errors import BadValue, check_range


def jpeg(image: Tensor, *, quality: int) -> Tensor:
    """Compress and decompress with Pillow, 4:2:0 chroma subsampling.

    [0, 1] (..., C, H, W), C 1 or 3 → the same shape, multiples of 1/255. Raises `BadValue` for other channels
    or a quality outside 1–95.
    """
    check_range("quality", quality, 1, 95)
    if image.shape[-3] not in (1, 3):
        raise BadValue(f"the image has {image.shape[-3]} channels; for JPEG there must be 1 or 3")
    flat = image.reshape(-1, *image.shape[-3:])
    return torch.stack([_compress(one, quality) for one in flat]).reshape(image.shape).to(image)


def _compress(image: Tensor, quality: int) -> Tensor:
    """One image (C, H, W)."""
    levels = (image.cpu() * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(levels.squeeze(-1) if levels.shape[-1] == 1 else levels).save(
        file, "JPEG", quality=quality
    )
    decoded = torch.from_numpy(np.array(Image.open(file)))
    return (decoded[None] if decoded.ndim == 2 else decoded.permute(2, 0, 1)) / 255
