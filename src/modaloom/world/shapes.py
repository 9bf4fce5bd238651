"""Geometry and colour of the object, for the image and the record.

Units: pixels of the 32 × 32 image, x to the right, y down, (0, 0) the corner of the first pixel; colours are
RGB in 0..255.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from modaloom.world.scene import COLUMNS, ROWS, Scene

RADII: Mapping[str, float] = {"small": 6.0, "large": 9.5}
ROW_CENTRES = dict(zip(ROWS, (10.0, 16.0, 22.0), strict=True))
COLUMN_CENTRES = dict(zip(COLUMNS, (10.0, 16.0, 22.0), strict=True))

PALETTE: Mapping[str, tuple[float, float, float]] = {
    "red": (230, 57, 57),
    "blue": (30, 118, 232),
    "purple": (164, 91, 212),
    "orange": (255, 160, 60),
    "yellow": (202, 187, 20),
    "green": (93, 208, 94),
}
"""Two groups of three colours with nearly equal lightness (L* about 52 and 75); see `palette.py`."""
HUE_JITTER = 4.0
"""Largest rotation of a hue, degrees."""


@dataclass(frozen=True)
class Outline:
    """A star polygon of `points` outer vertices with inner vertices between them; includes polygons."""

    points: int
    inner: float
    """Radius of the inner vertices relative to the outer ones; cos(π / points) makes the sides straight."""
    scale: float
    """Outer radius for a nominal radius of 1; equalises the perceived size of the shapes."""
    turn: float = 0.0
    """Angle of a vertex from the upward direction, radians."""
    drop: float = 0.0
    """Offset of the centre below the centre of the bounding box, relative to the outer radius."""


OUTLINES: Mapping[str, Outline] = {
    "circle": Outline(64, math.cos(math.pi / 64), 1.0),
    "square": Outline(4, math.cos(math.pi / 4), 1.22, turn=math.pi / 4),
    "triangle": Outline(3, 0.5, 1.22, drop=0.25),
    "star": Outline(5, 0.48, 1.15, drop=(1 - math.cos(math.pi / 5)) / 2),
}


@dataclass(frozen=True)
class Placed:
    """The object with its nuisance: size jitter ± 4%, position jitter ± 0.4 px, hue jitter ± 4°."""

    outline: Outline
    radius: float
    """Radius of the outer vertices, pixels."""
    x: float
    y: float
    rgb: np.ndarray
    """float64 (3,)."""

    @property
    def area(self) -> float:
        """Area in square pixels: 2 · points triangles of the centre, an outer and an inner vertex."""
        o = self.outline
        return o.points * o.inner * math.sin(math.pi / o.points) * self.radius**2

    @property
    def perimeter(self) -> float:
        """Perimeter in pixels."""
        o = self.outline
        side = math.sqrt(1 + o.inner**2 - 2 * o.inner * math.cos(math.pi / o.points))
        return 2 * o.points * side * self.radius


def place(scene: Scene) -> Placed:
    """The placed object, equal for every stream of the scene."""
    row, column = scene.position.split()
    at, rng = (COLUMN_CENTRES[column], ROW_CENTRES[row]), scene.random("place")
    return put(scene.shape, scene.colour, RADII[scene.size], at, rng)


def put(shape: str, colour: str, radius: float, at: tuple[float, float], rng: np.random.Generator) -> Placed:
    """Place a shape with random nuisance.

    Args:
        shape: a name in OUTLINES.
        colour: a name in PALETTE.
        radius: nominal radius, pixels of 32 × 32.
        at: centre (x, y) of the bounding box, pixels.
        rng: of the jitter.
    """
    outline = OUTLINES[shape]
    outer = radius * outline.scale * rng.uniform(0.96, 1.04)
    dx, dy = rng.uniform(-0.4, 0.4, 2)
    x, y = at[0] + dx, at[1] + dy + outline.drop * outer
    return Placed(
        outline, outer, x, y, turn_hue(PALETTE[colour], np.radians(rng.uniform(-HUE_JITTER, HUE_JITTER)))
    )


def turn_hue(rgb: tuple[float, float, float], angle: float) -> np.ndarray:
    """float64 (3,) in 0–255: rgb rotated about the grey axis by `angle` radians (Rodrigues' formula)."""
    v, axis = np.asarray(rgb, dtype=float), np.full(3, 3**-0.5)
    along = axis * (axis @ v)
    rotated = along + (v - along) * np.cos(angle) + np.cross(axis, v) * np.sin(angle)
    clipped: np.ndarray = np.clip(rotated, 0, 255)
    return clipped
