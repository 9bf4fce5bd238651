"""Images derived from the image → factors. Shares no code with the filters."""

import numpy as np
from PIL import Image

from modaloom.world.parsers.figures import Figures
from modaloom.world.parsers.image import (
    MAX_GREY_CHROMA,
    moments,
    name_colour,
    name_position,
    name_shape,
    name_size,
    read_one,
)
from modaloom.world.parsers.sight import Blob, Seen, see, the_object
from modaloom.world.scene import INVALID, VISIBLE

GREY_CONTRAST = 5.0
"""Least Lab distance of object and background; it is 8 or more for pale objects on a light background."""
TONES = (("deep", 51.5), ("pale", 74.6))
"""Lightness, CIE Lab."""
MAX_TONE_ERROR = 8.0
EDGE_MARGIN = 3
"""Pixels of 32 over which filters spread an edge."""

SMALL = Figures(
    small={
        "circle": (110, 0.79, 0.01, 0.01, 0.02, 0.01),
        "square": (107, 0.75, 0.01, 0.01, 0.14, 0.01),
        "triangle": (79, 0.70, 0.02, 0.30, 0.04, 0.03),
        "star": (78, 0.73, 0.02, 0.04, 0.05, 0.08),
    },
    large={
        "circle": (280, 0.88, 0.01, 0.01, 0.02, 0.01),
        "square": (262, 0.82, 0.02, 0.01, 0.21, 0.01),
        "triangle": (174, 0.72, 0.01, 0.46, 0.01, 0.01),
        "star": (166, 0.73, 0.02, 0.02, 0.02, 0.28),
    },
    spread=0.025,
)
PAINT = Figures(
    small={
        "circle": (112, 0.99, 0.02, 0.02, 0.02, 0.02),
        "square": (105, 0.95, 0.02, 0.01, 0.27, 0.01),
        "triangle": (65, 0.87, 0.03, 0.46, 0.04, 0.03),
        "star": (59, 0.89, 0.05, 0.05, 0.06, 0.35),
    },
    large={
        "circle": (283, 0.99, 0.01, 0.01, 0.01, 0.01),
        "square": (265, 0.95, 0.01, 0.00, 0.28, 0.00),
        "triangle": (171, 0.85, 0.01, 0.51, 0.01, 0.02),
        "star": (159, 0.87, 0.02, 0.02, 0.02, 0.46),
    },
    spread=0.025,
)
MOSAIC = Figures(
    small={
        "circle": (114, 0.85, 0.02, 0.02, 0.02, 0.03),
        "square": (109, 0.82, 0.03, 0.03, 0.20, 0.03),
        "triangle": (71, 0.68, 0.03, 0.39, 0.04, 0.06),
        "star": (74, 0.69, 0.03, 0.05, 0.08, 0.22),
    },
    large={
        "circle": (288, 0.93, 0.01, 0.01, 0.01, 0.01),
        "square": (269, 0.89, 0.01, 0.01, 0.24, 0.01),
        "triangle": (176, 0.76, 0.01, 0.47, 0.02, 0.02),
        "star": (171, 0.76, 0.02, 0.02, 0.03, 0.38),
    },
    spread=0.025,
)


def parse_gray(image: Image.Image) -> dict[str, str]:
    """Shape, `tone`, size, position and background → value or `INVALID`."""
    slots = ("shape", "tone", "size", "position", "background")
    seen = see(image)
    return read_one(seen, the_object(seen, contrast=GREY_CONTRAST), _grey_object, slots)


def parse_small(image: Image.Image) -> dict[str, str]:
    """Factor → value or `INVALID`, for every visible factor; an image of any size is reduced to 8 × 8."""
    few = image.resize((8, 8), Image.Resampling.BOX)
    return _read(see(few, Image.Resampling.LANCZOS), SMALL)


def parse_paint(image: Image.Image) -> dict[str, str]:
    """Factor → value or `INVALID`, for every visible factor."""
    return _read(see(image), PAINT)


def parse_mosaic(image: Image.Image) -> dict[str, str]:
    """Factor → value or `INVALID`, for every visible factor."""
    return _read(see(image), MOSAIC)


def _grey_object(one: Blob) -> dict[str, str]:
    shape = name_shape(moments(one.coverage))
    return {
        "shape": shape,
        "tone": name_tone(one.colour),
        "size": name_size(shape, one.coverage.sum()),
        "position": name_position(*one.middle),
    }


def name_tone(lab: np.ndarray) -> str:
    """The tone of a CIE Lab colour (3,), or `INVALID` if it is no grey or not near a tone."""
    near = [name for name, lightness in TONES if abs(lab[0] - lightness) <= MAX_TONE_ERROR]
    return near[0] if near and np.hypot(lab[1], lab[2]) <= MAX_GREY_CHROMA else INVALID


def _read(seen: Seen | None, figures: Figures) -> dict[str, str]:
    def read(one: Blob) -> dict[str, str]:
        size, shape = figures.name(one.coverage)
        position = name_position(*one.middle)
        return {"shape": shape, "colour": name_colour(one.colour), "size": size, "position": position}

    return read_one(seen, the_object(seen, margin=EDGE_MARGIN), read, VISIBLE)
