"""Image → factors, by Lab colour and moments. Not learned, and sharing no code with the renderer.

1. The background is the median colour of the border, the object's the median of what differs most from it.
2. A pixel's coverage is its place on the line between the two (CIE Lab), so that soft edges count in part.
3. One connected blob is the object. Its compactness and its angular moments tell the shape: a shape with k
   points has a strong k-th moment, a cut or doubled one a strong second.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from modaloom.world.scene import INVALID, VISIBLE

SIDE = 32
TICKS = (("top", "left", 10.0), ("middle", "centre", 16.0), ("bottom", "right", 22.0))
REACH = 3.0
"""Farthest from a tick, pixels: half the distance between two."""

HUES: Mapping[str, float] = {"red": 32, "orange": 66, "yellow": 98, "green": 140, "blue": 286, "purple": 315}
"""CIE Lab hue angles, degrees."""

LEAST_CHROMA, MOST_HUE_ERROR = 25.0, 20.0
MOST_GREY_CHROMA = 20.0
LEAST_CONTRAST = 25.0
"""Lab distance from which two colours differ: object from background, a third colour from their mixtures."""
MOST_SPREAD = 12.0
"""Median Lab distance of the border from its median: above, there is no plain background."""
MOST_STRAY = 0.15
"""Largest area off the object or in a third colour, as a share of the object's."""


@dataclass(frozen=True)
class Shape:
    """What a shape measures, whatever its size."""

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
MOST_MOMENT_ERROR = 0.2


def parse_image(image: Image.Image) -> dict[str, str]:
    """Factor → value or `INVALID`, for every visible factor."""
    lab = to_lab(np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX), np.float64))
    ring = np.concatenate([lab[0], lab[-1], lab[1:-1, 0], lab[1:-1, -1]])
    ground = np.median(ring, axis=0)
    if np.median(np.linalg.norm(ring - ground, axis=-1)) > MOST_SPREAD:
        return dict.fromkeys(VISIBLE, INVALID)
    found = {"background": _background(ground)}
    blob = _blob(lab, ground)
    return dict.fromkeys(VISIBLE, INVALID) | found | ({} if blob is None else _object(*blob))


def _object(coverage: np.ndarray, colour: np.ndarray) -> dict[str, str]:
    shape = _shape(moments(coverage))
    inside = coverage > 0.5
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return {
        "shape": shape,
        "colour": name_colour(colour),
        "size": name_size(shape, coverage.sum()),
        "position": name_position((columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2),
    }


def _background(ground: np.ndarray) -> str:
    lightness, chroma = ground[0], np.hypot(ground[1], ground[2])
    if chroma > MOST_GREY_CHROMA or 35 < lightness < 70:
        return INVALID
    return "dark" if lightness <= 35 else "light"


def _blob(lab: np.ndarray, ground: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Coverage (SIDE, SIDE) in [0, 1] and Lab colour of the one object; None if there is not exactly one."""
    away = lab - ground
    far = np.argsort(np.linalg.norm(away, axis=-1), axis=None)[-32:]
    towards = np.median(away.reshape(-1, 3)[far], axis=0)
    if np.linalg.norm(towards) < LEAST_CONTRAST:
        return None
    coverage = np.clip(away @ towards / (towards @ towards), 0, 1)
    third = np.linalg.norm(away - coverage[..., None] * towards, axis=-1) > LEAST_CONTRAST
    inside = coverage > 0.5
    main = _largest(inside)
    if (inside & ~main).sum() + third.sum() > MOST_STRAY * main.sum():
        return None
    return coverage * _grown(main), ground + towards


def _largest(inside: np.ndarray) -> np.ndarray:
    """bool (SIDE, SIDE): the largest connected part."""
    left, best = inside.copy(), np.zeros_like(inside)
    while left.sum() > best.sum():
        part = np.zeros_like(left)
        part.flat[np.argmax(left)] = True
        while (grown := _grown(part) & left).sum() > part.sum():
            part = grown
        left &= ~part
        best = part if part.sum() > best.sum() else best
    return best


def _grown(mask: np.ndarray) -> np.ndarray:
    """The mask and its eight neighbours."""
    tall = mask.copy()
    tall[1:] |= mask[:-1]
    tall[:-1] |= mask[1:]
    grown = tall.copy()
    grown[:, 1:] |= tall[:, :-1]
    grown[:, :-1] |= tall[:, 1:]
    return grown


def moments(coverage: np.ndarray) -> np.ndarray:
    """float64 (5,): compactness and the angular moments 2..5, free of place, size and rotation.

    The k-th is |Σ m z² e^{ikθ}| / Σ m |z|² about the centroid.
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


def _shape(found: np.ndarray) -> str:
    errors = {name: np.abs(found - shape.moments).max() for name, shape in SHAPES.items()}
    best = min(errors, key=lambda name: errors[name])
    return best if errors[best] <= MOST_MOMENT_ERROR else INVALID


def name_size(shape: str, area: float) -> str:
    """The size of a shape with this area in square pixels, or `INVALID`."""
    small, large = SHAPES[shape].areas if shape in SHAPES else (0.0, 0.0)
    if not 0.6 * small < area < 1.4 * large:
        return INVALID
    return "small" if area < (small * large) ** 0.5 else "large"


def name_colour(lab: np.ndarray) -> str:
    """The nearest hue of CIE Lab (3,), or `INVALID` where grey or far from all."""
    hue = np.degrees(np.arctan2(lab[2], lab[1]))
    errors = {name: abs((hue - angle + 180) % 360 - 180) for name, angle in HUES.items()}
    best = min(errors, key=lambda name: errors[name])
    return best if np.hypot(lab[1], lab[2]) > LEAST_CHROMA and errors[best] < MOST_HUE_ERROR else INVALID


def name_position(x: float, y: float) -> str:
    """The position of a bounding box with its middle at (x, y) pixels, or `INVALID`."""
    row = [name for name, _, tick in TICKS if abs(y - tick) <= REACH]
    column = [name for _, name, tick in TICKS if abs(x - tick) <= REACH]
    return f"{row[0]} {column[0]}" if row and column else INVALID


_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.9505, 1.0, 1.089])


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """sRGB (..., 3) in 0..255 → CIE Lab under D65 (IEC 61966-2-1, CIE 15)."""
    v = rgb / 255
    linear = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _TO_XYZ.T / _WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)
