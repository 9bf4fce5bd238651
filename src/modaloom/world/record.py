"""Stream `record`: noisy measurements of the object."""

from collections.abc import Mapping

from modaloom.world.scene import Scene
from modaloom.world.shapes import place

RELATIVE_NOISE = 0.015
"""Relative standard deviation of lengths and areas."""
PIXEL_NOISE, LEVEL_NOISE = 0.3, 3.0
"""Standard deviations of the centroid (pixels) and of the mean colour (of 255)."""

SPEEDS: Mapping[str, float] = {"still": 0.0, "slow": 2.0, "fast": 5.0}
"""Pixels per second."""
TEMPOS: Mapping[str, float] = {"slow": 1.5, "medium": 2.0, "fast": 3.0}
"""Beats per second."""
SPEED_NOISE, BEAT_NOISE = 0.2, 0.04
"""Standard deviations of speed (whose absolute value is recorded) and of beats per second."""


def record(scene: Scene) -> dict[str, float | str]:
    """Area (px²), perimeter and centroid (px), mean colour (0–255), speed (px/s), tempo (1/s), background."""
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
