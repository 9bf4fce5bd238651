"""Stream `record`: measurements of the object, with noise."""

from modaloom.world.scene import Scene
from modaloom.world.shapes import place

RELATIVE_NOISE = 0.015
"""Standard deviation of lengths and areas, as a share of the value."""
PIXEL_NOISE, LEVEL_NOISE = 0.3, 3.0
"""Standard deviations of the centroid (pixels) and of the mean colour (of 255)."""


def record(scene: Scene) -> dict[str, float | str]:
    """Area (px²), perimeter (px), centroid (px), mean colour (0..255) and the background's name."""
    rng, placed = scene.random("record"), place(scene)
    red, green, blue = placed.rgb + LEVEL_NOISE * rng.standard_normal(3)
    numbers = {
        "area": placed.area * (1 + RELATIVE_NOISE * rng.standard_normal()),
        "perimeter": placed.perimeter * (1 + RELATIVE_NOISE * rng.standard_normal()),
        "x": placed.x + PIXEL_NOISE * rng.standard_normal(),
        "y": placed.y + PIXEL_NOISE * rng.standard_normal(),
        "red": red,
        "green": green,
        "blue": blue,
    }
    return {name: round(float(value), 2) for name, value in numbers.items()} | {
        "background": scene.background
    }
