"""Colour profiles of images: what differs from sRGB is converted to it."""

import io
from typing import Any

from PIL import Image, ImageCms

SRGB = ImageCms.createProfile("sRGB")
MODES = ("RGB", "RGBA", "CMYK")


def profile_of(image: Image.Image) -> Any | None:
    """The image's colour profile (`ImageCmsProfile`); None if it has none, a damaged one, or sRGB."""
    data = image.info.get("icc_profile")
    if not data or image.mode not in MODES:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        return None if "srgb" in ImageCms.getProfileDescription(profile).lower() else profile
    except (OSError, ImageCms.PyCMSError):
        return None


def in_srgb(image: Image.Image) -> Image.Image:
    """The image in sRGB, with its transparency; itself if it has no other profile."""
    profile = profile_of(image)
    if profile is None:
        return image
    opaque = image.convert("RGB") if image.mode == "RGBA" else image
    try:
        colours = ImageCms.profileToProfile(opaque, profile, SRGB, outputMode="RGB")
    except ImageCms.PyCMSError:  # a profile of another kind of colours than the pixels are
        return image
    assert colours is not None
    if image.mode == "RGBA":
        colours.putalpha(image.getchannel("A"))
    return colours
