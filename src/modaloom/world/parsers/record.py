"""Record → factors, by formulas of plane geometry. Shares no code with the renderer."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from modaloom.world.parsers.image import name_colour, name_position, name_size
from modaloom.world.parsers.sight import to_lab
from modaloom.world.scene import FACTORS, INVALID, VISIBLE

NUMBERS = ("area", "perimeter", "x", "y", "red", "green", "blue")

ROUNDNESS: Mapping[str, float] = {"circle": 1.0, "square": 0.785, "triangle": 0.605, "star": 0.391}
"""4π · area / perimeter²."""
MAX_LOG_ERROR = 0.22

SUNK: Mapping[str, float] = {"triangle": 0.219, "star": 0.08}
"""Offset of the centroid below the centre of the bounding box, relative to √area."""

SPEEDS: Mapping[str, tuple[float, float]] = {"still": (0, 0.9), "slow": (1.1, 2.9), "fast": (4, 6)}
"""Lowest and highest pixels per second."""
TEMPOS: Mapping[str, tuple[float, float]] = {"slow": (1.3, 1.7), "medium": (1.8, 2.2), "fast": (2.8, 3.2)}
"""Lowest and highest beats per second."""


def parse_record(record: Mapping[str, Any]) -> dict[str, str]:
    """Every visible factor, `speed` and `tempo` → value or `INVALID`."""
    background = record.get("background")
    found = {
        "background": background if background in FACTORS["background"] else INVALID,
        "speed": _within(SPEEDS, record.get("speed")),
        "tempo": _within(TEMPOS, record.get("beats_per_second")),
    }
    numbers = {name: record[name] for name in NUMBERS if isinstance(record.get(name), int | float)}
    known = len(numbers) == len(NUMBERS) and min(numbers["area"], numbers["perimeter"]) > 0
    return dict.fromkeys(VISIBLE, INVALID) | found | (_object(**numbers) if known else {})


def _object(
    area: float, perimeter: float, x: float, y: float, red: float, green: float, blue: float
) -> dict[str, str]:
    shape = _shape(4 * math.pi * area / perimeter**2)
    return {
        "shape": shape,
        "colour": name_colour(to_lab(np.array([red, green, blue]).clip(0, 255))),
        "size": name_size(shape, area),
        "position": name_position(x, y - SUNK.get(shape, 0.0) * math.sqrt(area)),
    }


def _shape(roundness: float) -> str:
    errors = {name: abs(math.log(roundness / value)) for name, value in ROUNDNESS.items()}
    best = min(errors, key=lambda name: errors[name])
    return best if errors[best] <= MAX_LOG_ERROR else INVALID


def _within(ranges: Mapping[str, tuple[float, float]], value: Any) -> str:
    """The name of the range that holds the value, or `INVALID`."""
    number = value if isinstance(value, int | float) else math.nan
    return next((name for name, (low, high) in ranges.items() if low <= number <= high), INVALID)
