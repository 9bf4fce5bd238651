"""What Pillow tells of a picture before it decodes it."""

from collections.abc import Mapping
from typing import Any

from PIL import Image


def is_deep(image: Image.Image) -> bool:
    """Whether it has more than 8 bits a channel: Pillow keeps 16 of grey, and only names them of colours."""
    deep = any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))
    return deep or image.mode == "F" or image.mode.startswith("I")


MOVING = ("GIF", "WEBP", "PNG")
"""Formats whose further pictures are frames, not pages or views."""


def num_frames(image: Image.Image) -> int:
    """Frames of an animation, pages of a TIFF, views of a camera."""
    return int(getattr(image, "n_frames", 1))


def num_moving(image: Image.Image) -> int:
    """Frames of an animation; 1 of a format whose further pictures are none."""
    return num_frames(image) if image.format in MOVING else 1


def tiff_tags(image: Image.Image) -> Mapping[int, Any]:
    """Tag → value; empty for other formats."""
    found: Mapping[int, Any] = getattr(image, "tag_v2", {})
    return found
