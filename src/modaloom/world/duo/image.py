"""Stream `image` of two objects, in different corners so that they never touch."""

from collections.abc import Mapping

from PIL import Image

from modaloom.world.duo.scene import Scene, beside
from modaloom.world.image import picture
from modaloom.world.shapes import Placed, put

RADII: Mapping[str, float] = {"small": 4.0, "large": 6.0}
ROW_CENTRES: Mapping[str, float] = {"top": 8.0, "bottom": 24.0}
COLUMN_CENTRES: Mapping[str, float] = {"left": 8.0, "right": 24.0}
"""Pixels of 32 × 32."""


def image(scene: Scene) -> Image.Image:
    """PIL image, RGB, side × side."""
    return picture(place(scene), scene.background, scene.side, scene.random("image"))


def place(scene: Scene) -> list[Placed]:
    """The placed first and second object."""
    rng, placed = scene.random("place"), []
    corners = scene.position, beside(scene.relation, scene.position)
    for thing, corner in zip((scene.first, scene.second), corners):
        row, column = corner.split()
        at = COLUMN_CENTRES[column], ROW_CENTRES[row]
        placed.append(put(thing.shape, thing.colour, RADII[thing.size], at, rng))
    return placed
