"""Stream `record`: measurements of the object, with noise."""

from collections.abc import Mapping

from modaloom.world.scene import Scene
from modaloom.world.shapes import place

RELATIVE_NOISE = 0.015
"""Standard deviation of lengths and areas, as a share of the value."""
PIXEL_NOISE, LEVEL_NOISE = 0.3, 3.0
"""Standard deviations of the centroid (pixels) and of the mean colour (of 255)."""

SPEEDS: Mapping[str, float] = {"still": 0.0, "slow": 2.0, "fast": 5.0}
"""Pixels per second."""
TEMPOS: Mapping[str, float] = {"slow": 1.5, "medium": 2.0, "fast": 3.0}
"""Beats per second."""
SPEED_NOISE, BEAT_NOISE = 0.2, 0.04
"""Their standard deviations; a speed is measured as its absolute value."""


def record(scene: Scene) -> dict[str, float | str]:
    """Area (px²), perimeter (px), centroid (px), mean colour (0..255), speed (px/s), beats per second and the
    background's name."""
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
        "speed": abs(SPEEDS[scene.speed] + SPEED_NOISE * rng.standard_normal()),
        "beats_per_second": TEMPOS[scene.tempo] + BEAT_NOISE * rng.standard_normal(),
    }
    return {name: round(float(value), 2) for name, value in numbers.items()} | {
        "background": scene.background
    }
