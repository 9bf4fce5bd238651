"""Image → factors, by Lab colour and moments. Hand-written; shares no code with the renderer.

The object is one connected blob (`sight.py`). Compactness and angular moments determine the shape: one with k
vertices has a large k-th moment, a truncated or doubled one a large second.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from modaloom.world.parsers.sight import Blob, Seen, see, the_object
from modaloom.world.scene import INVALID, VISIBLE

TICKS = (("top", "left", 10.0), ("middle", "centre", 16.0), ("bottom", "right", 22.0))
MAX_TICK_DISTANCE = 3.0
"""Largest distance from a tick, pixels: half the spacing."""

HUES: Mapping[str, float] = {"red": 32, "orange": 66, "yellow": 98, "green": 140, "blue": 286, "purple": 315}
"""CIE Lab hue angles, degrees."""

MIN_CHROMA, MAX_HUE_ERROR = 25.0, 20.0
MAX_GREY_CHROMA = 20.0


@dataclass(frozen=True)
class Shape:
    """Reference measurements of a shape."""

    moments: tuple[float, float, float, float, float]
    """Compactness (area / 2π times the mean squared radius: 1 for a disc) and angular moments 2, 3, 4, 5."""
    areas: tuple[float, float]
    """Square pixels, small and large."""


SHAPES: Mapping[str, Shape] = {
    "circle": Shape((0.96, 0.0, 0.0, 0.0, 0.0), (113, 283)),
    "square": Shape((0.92, 0.0, 0.0, 0.28, 0.0), (107, 269)),
    "triangle": Shape((0.80, 0.0, 0.53, 0.0, 0.0), (70, 174)),
    "star": Shape((0.80, 0.0, 0.0, 0.0, 0.48), (67, 168)),
}
MAX_MOMENT_ERROR = 0.2


def parse_image(image: Image.Image) -> dict[str, str]:
    """Factor → value or `INVALID`, for every visible factor."""
    seen = see(image)
    return read_one(seen, the_object(seen), _object, VISIBLE)


def read_one(
    seen: Seen | None, one: Blob | None, read: Callable[[Blob], dict[str, str]], slots: Iterable[str]
) -> dict[str, str]:
    """Facts of the background and of the object.

    Args:
        seen: the image; None if it has no plain background.
        one: the object; None if there is not exactly one.
        read: blob → slot → value.
        slots: names of all slots.

    Returns:
        Slot → value or `INVALID`.
    """
    background = {} if seen is None else {"background": name_background(seen.ground)}
    return dict.fromkeys(slots, INVALID) | background | ({} if one is None else read(one))


def _object(one: Blob) -> dict[str, str]:
    shape = name_shape(moments(one.coverage))
    return {
        "shape": shape,
        "colour": name_colour(one.colour),
        "size": name_size(shape, one.coverage.sum()),
        "position": name_position(*one.middle),
    }


def moments(coverage: np.ndarray) -> np.ndarray:
    """float64 (5,): compactness and angular moments 2..5, invariant to translation, scale and rotation.

    The k-th is |Σ m |z|² e^{ikθ}| / Σ m |z|² about the centroid.
    """
    y, x = np.nonzero(coverage)
    m = coverage[y, x]
    z = x + 1j * y
    z -= (m @ z) / m.sum()
    radius = np.abs(z)
    spread = m @ radius**2
    turn = z / np.maximum(radius, 1e-9)
    angular = [abs((m * radius**2) @ turn**k) / spread for k in (2, 3, 4, 5)]
    return np.array([m.sum() ** 2 / (2 * np.pi * spread), *angular])


def name_shape(found: np.ndarray) -> str:
    """The shape with these moments, or `INVALID`."""
    errors = {name: np.abs(found - shape.moments).max() for name, shape in SHAPES.items()}
    best = min(errors, key=lambda name: errors[name])
    return best if errors[best] <= MAX_MOMENT_ERROR else INVALID


def name_background(ground: np.ndarray) -> str:
    """The background of this CIE Lab colour (3,), or `INVALID`."""
    lightness, chroma = ground[0], np.hypot(ground[1], ground[2])
    if chroma > MAX_GREY_CHROMA or 35 < lightness < 70:
        return INVALID
    return "dark" if lightness <= 35 else "light"


def name_size(shape: str, area: float) -> str:
    """The size of a shape with this area in square pixels, or `INVALID`."""
    small, large = SHAPES[shape].areas if shape in SHAPES else (0.0, 0.0)
    if not 0.6 * small < area < 1.4 * large:
        return INVALID
    return "small" if area < (small * large) ** 0.5 else "large"


def name_colour(lab: np.ndarray) -> str:
    """The colour of the nearest hue to CIE Lab (3,), or `INVALID` if it is grey or no hue is near."""
    hue = np.degrees(np.arctan2(lab[2], lab[1]))
    errors = {name: abs((hue - angle + 180) % 360 - 180) for name, angle in HUES.items()}
    best = min(errors, key=lambda name: errors[name])
    return best if np.hypot(lab[1], lab[2]) > MIN_CHROMA and errors[best] < MAX_HUE_ERROR else INVALID


def name_position(x: float, y: float) -> str:
    """The position of a bounding box with centre (x, y) in pixels, or `INVALID`."""
    row = [name for name, _, tick in TICKS if abs(y - tick) <= MAX_TICK_DISTANCE]
    column = [name for _, name, tick in TICKS if abs(x - tick) <= MAX_TICK_DISTANCE]
    return f"{row[0]} {column[0]}" if row and column else INVALID
