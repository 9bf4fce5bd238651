"""What reading changes of pictures, told from a few files of a stream."""

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence

from PIL import Image

from modaloom.modalities.files import File
from modaloom.modalities.image_profile import profile_of
from modaloom.modalities.picture_facts import num_frames

SAME = {"MPO": "JPEG"}
"""Formats that have the suffixes of another."""


def remarks(paths: Sequence[File], formats: dict[str, str]) -> list[str]:
    """Sentences on colour profiles, further pictures, and files of another format than their suffix says.

    Args:
        paths: some files of a stream.
        formats: suffix → format.
    """
    counts = Counter(remark for path in paths for remark in _remarks(path, formats))
    return [f"{count} of {len(paths)} pictures looked at {remark}" for remark, count in counts.items()]


def _remarks(path: File, formats: dict[str, str]) -> Iterator[str]:
    try:
        with warnings.catch_warnings(), path.open("rb") as file, Image.open(file) as image:
            warnings.simplefilter("ignore")
            kind = SAME.get(str(image.format), image.format)
            if kind != formats.get(path.suffix[1:].lower()):
                yield f"hold {kind} data under another suffix, and are read by their content"
            if num_frames(image) > 1:
                yield "hold several, of which the first is read"
            if profile_of(image) is not None:
                yield "have a colour profile, and are converted to sRGB"
    except Exception:  # decoders raise nearly anything on damaged data, which reading will name
        return
