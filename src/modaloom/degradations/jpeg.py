"""What JPEG leaves of a picture."""

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modaloom.core.errors import BadValue, check_range


def jpeg(image: Tensor, *, quality: int) -> Tensor:
    """[0, 1] (..., C, H, W), C 1 or 3 → the same shape, in multiples of 1/255, through Pillow's codec.

    Quality 1 to 95; colour at half the resolution. Raises `BadValue` for other channels or qualities.
    """
    check_range("quality", quality, 1, 95)
    if image.shape[-3] not in (1, 3):
        raise BadValue(f"a picture of {image.shape[-3]} channels; JPEG takes 1 or 3")
    flat = image.reshape(-1, *image.shape[-3:])
    return torch.stack([_through(one, quality) for one in flat]).reshape(image.shape).to(image)


def _through(image: Tensor, quality: int) -> Tensor:
    """One picture (C, H, W)."""
    levels = (image.cpu() * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(levels.squeeze(-1) if levels.shape[-1] == 1 else levels).save(
        file, "JPEG", quality=quality
    )
    decoded = torch.from_numpy(np.array(Image.open(file)))
    return (decoded[None] if decoded.ndim == 2 else decoded.permute(2, 0, 1)) / 255
