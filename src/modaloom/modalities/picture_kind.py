"""Which modality keeps the true values of files of pictures: image, raster or video."""

import warnings
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from modaloom.modalities import raster_file
from modaloom.modalities.picture_facts import num_frames

ANIMATED = ("GIF", "WEBP")
"""Formats whose further pictures are frames."""


def exact_modality(paths: Sequence[Path]) -> str:
    """`video` if all files may be animations and one is; else as `raster_file.exact_modality`."""
    counts = [_frames(path) for path in paths]
    return "video" if all(counts) and max(counts, default=0) > 1 else raster_file.exact_modality(paths)


def _frames(path: Path) -> int:
    """Frames of a GIF or WebP; 0 of another format. One that cannot be opened may be an animation."""
    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("ignore")
            return num_frames(image) if image.format in ANIMATED else 0
    except Exception:  # decoders raise nearly anything on damaged data, which reading will name
        return 1
