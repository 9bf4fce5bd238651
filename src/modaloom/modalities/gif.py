"""GIF files, written frame by frame: each has a palette and a duration of its own, equal ones, too, which
Pillow would make one frame of."""

import struct
from collections.abc import Iterable
from typing import BinaryIO

from PIL import GifImagePlugin, Image

from modaloom.modalities.video_value import Frame

FOREVER = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
"""The extension that lets it play again and again."""


def write_gif(frames: Iterable[tuple[Frame, int]], height: int, width: int, file: BinaryIO) -> None:
    """Writes frames of this size, and how many milliseconds each is shown (89a, §17 to 27)."""
    file.write(struct.pack("<6sHHBBB", b"GIF89a", width, height, 0, 0, 0) + FOREVER)
    for frame, milliseconds in frames:
        picture = Image.fromarray(frame).quantize(256, dither=Image.Dither.NONE)
        file.writelines(GifImagePlugin.getdata(picture, duration=milliseconds, include_color_table=True))
    file.write(b";")
