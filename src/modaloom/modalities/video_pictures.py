"""Animated GIF, WebP and PNG as clips, by Pillow; a still picture is a clip of one frame."""

import warnings
from collections.abc import Generator, Iterator
from contextlib import closing

import numpy as np
from PIL import Image

from modaloom.core.errors import BadFile
from modaloom.modalities.files import File
from modaloom.modalities.image import DECODED, MAX_PIXELS, to_rgb
from modaloom.modalities.picture_facts import num_moving
from modaloom.modalities.video_grid import grid_of
from modaloom.modalities.video_value import MAX_FRAMES, Frame, Video

MIN_MS, USUAL_MS = 20, 100
"""Durations of less are shown as the usual one, as browsers do."""


def open_pictures(path: File) -> Video:
    """File → clip. All of it is decoded once here, and again when its frames are asked for.

    Raises `BadFile` for what is too large, and Pillow's own errors.
    """
    times, end, size = list[float](), 0.0, (1, 1)
    with closing(_shown(path)) as shown:
        for frame, seconds in shown:
            times.append(end)
            end, size = end + seconds, (frame.shape[0], frame.shape[1])
    grid = grid_of(times, end)

    def scan() -> Iterator[Frame]:
        with closing(_shown(path)) as again:
            yield from grid.fill((time, frame) for time, (frame, _) in zip(times, again))

    return Video(scan, grid.length, *size, grid.fps)


def _shown(path: File) -> Generator[tuple[Frame, float], None, None]:
    """Frames and how many seconds each is shown."""
    with warnings.catch_warnings(), path.open("rb") as file, Image.open(file, formats=DECODED) as image:
        warnings.simplefilter("ignore")
        count = num_moving(image)
        if image.width * image.height > MAX_PIXELS:
            raise BadFile(path, f"is {image.width}×{image.height} pixels; at most {MAX_PIXELS:,} are decoded")
        if count > MAX_FRAMES:
            raise BadFile(path, f"has more than {MAX_FRAMES:,} frames")
        for i in range(count):
            image.seek(i)
            image.load()
            duration = float(image.info.get("duration", 0))
            yield np.asarray(to_rgb(image)), (duration if duration >= MIN_MS else USUAL_MS) / 1000
