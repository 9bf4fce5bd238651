"""Quantization to 8 bits."""

from torch import Tensor


def quantize_8bit(image: Tensor) -> Tensor:
    """Floats of any shape → the nearest multiples of 1/255 in [0, 1]."""
    return (image * 255).round().clamp(0, 255) / 255
