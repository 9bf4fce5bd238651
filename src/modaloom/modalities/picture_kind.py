"""Which modality keeps the true values of files of pictures: image, raster or video."""

import warnings
from collections.abc import Sequence
from importlib.util import find_spec

from PIL import Image

from modaloom.modalities import raster_file
from modaloom.modalities.files import File
from modaloom.modalities.picture_facts import num_frames

ANIMATED = ("GIF", "WEBP")
"""Formats of which a stream with several frames is video."""


def exact_modality(paths: Sequence[File]) -> str:
    """`video` if all files may be animations and one is; else as `raster_file.exact_modality`.

    Without PyAV, which writes videos, they are pictures, and `remarks` says that the first one is read.
    """
    counts = [_frames(path) for path in paths]
    moving = all(counts) and max(counts, default=0) > 1 and find_spec("av") is not None
    return "video" if moving else raster_file.exact_modality(paths)


def _frames(path: File) -> int:
    """Frames of a GIF or WebP; 0 of another format. One that cannot be opened may be an animation."""
    try:
        with warnings.catch_warnings(), path.open("rb") as file, Image.open(file) as image:
            warnings.simplefilter("ignore")
            return num_frames(image) if image.format in ANIMATED else 0
    except Exception:  # decoders raise nearly anything on damaged data, which reading will name
        return 1
