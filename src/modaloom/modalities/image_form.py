"""Image format properties besides colours: greyscale mode, transparency, bit depth, frames."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from modaloom.modalities.base import Conformed
from modaloom.modalities.files import File, opened
from modaloom.modalities.image_profile import profile_of
from modaloom.modalities.picture_facts import is_deep, num_frames

GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B")


def conform(source: object, made: Image.Image, aligned: bool, recolored: bool) -> Conformed:
    """Converts a result to the format of its source: greyscale mode and transparency are restored.

    Args:
        source: a PIL image, or the path of a readable one.
        made: the result, RGB.
        aligned: whether `made` shows the same area, at any size; otherwise transparency is not restored.
        recolored: whether the colours of `made` are not the source's; then it stays RGB.
    """
    if isinstance(source, Image.Image):
        return _conform(source, made, aligned, recolored)
    with opened(source if isinstance(source, File) else Path(str(source))) as file, Image.open(file) as image:
        return _conform(image, made, aligned, recolored)


def _conform(source: Image.Image, made: Image.Image, aligned: bool, recolored: bool) -> Conformed:
    changes = []
    grey, deep, frames = source.mode in GREY_MODES, is_deep(source), num_frames(source)
    if source.has_transparency_data:
        if aligned:
            upright = ImageOps.exif_transpose(source)
            assert upright is not None
            made = _with_alpha(made, upright.convert("RGBA").getchannel("A"))
        else:
            changes.append("transparency became white")
    if grey and aligned and not recolored:
        made = made.convert("LA" if made.mode == "RGBA" else "L")
    elif grey and not recolored:
        changes.append("grey became RGB")
    if deep:
        changes.append("16 bits a channel became 8")
    if source.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        changes.append(f"{source.mode} became RGB")
    if profile_of(source) is not None:
        changes.append("colours became sRGB")
    if frames > 1:
        changes.append("only the first frame was taken")
    return Conformed(made, changes)


def _with_alpha(made: Image.Image, alpha: Image.Image) -> Image.Image:
    """Returns an RGBA image that equals `made`, RGB, when composited on white.

    C = α F + (1 − α) · 255 (Porter & Duff 1984, "over"), solved for F.
    """
    if alpha.size != made.size:
        alpha = alpha.resize(made.size, Image.Resampling.BICUBIC)
    levels, on_white = np.asarray(alpha), np.asarray(made).astype(float)
    share = np.maximum(levels, 1)[..., None] / 255
    front = np.where(levels[..., None] > 0, 255 - (255 - on_white) / share, on_white)
    pixels = np.round(front).clip(0, 255).astype(np.uint8)
    return Image.fromarray(np.concatenate([pixels, levels[..., None]], 2))
