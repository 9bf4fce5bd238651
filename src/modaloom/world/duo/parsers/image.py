"""Image of two objects → factors: a blob in each of two corners. Shares no code with the renderer."""

from collections.abc import Mapping

from PIL import Image

from modaloom.world.duo.parsers.layout import relation_of
from modaloom.world.duo.scene import FACTORS
from modaloom.world.parsers.figures import Figures
from modaloom.world.parsers.image import name_background, name_colour
from modaloom.world.parsers.sight import Blob, see, the_objects
from modaloom.world.scene import INVALID

TICKS = (("top", "left", 8.0), ("bottom", "right", 24.0))
MAX_TICK_DISTANCE = 4.0
"""Largest distance from a tick, pixels of 32."""

FIGURES = Figures(
    small={
        "circle": (51, 0.97, 0.01, 0.01, 0.01, 0.01),
        "square": (48, 0.91, 0.01, 0.00, 0.28, 0.00),
        "triangle": (31, 0.79, 0.01, 0.53, 0.01, 0.02),
        "star": (30, 0.78, 0.02, 0.02, 0.02, 0.51),
    },
    large={
        "circle": (113, 0.98, 0.00, 0.00, 0.00, 0.00),
        "square": (107, 0.94, 0.00, 0.00, 0.29, 0.00),
        "triangle": (70, 0.80, 0.00, 0.55, 0.00, 0.01),
        "star": (68, 0.80, 0.01, 0.01, 0.01, 0.54),
    },
    spread=0.03,
)


def parse_image(image: Image.Image) -> dict[str, str]:
    """Factor → value or `INVALID`, for every factor.

    The relation determines which object is the first one; without a relation both are invalid.
    """
    invalid = dict.fromkeys(FACTORS, INVALID)
    seen = see(image)
    if seen is None:
        return invalid
    things = [_thing(blob) for blob in the_objects(seen)]
    return (
        invalid | {"background": name_background(seen.ground)} | (_pair(*things) if len(things) == 2 else {})
    )


def _pair(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    orders = [(a, b, relation_of(a, b)) for a, b in ((one, other), (other, one))]
    first, second, relation = next((o for o in orders if o[2] != INVALID), (None, None, INVALID))
    if first is None or second is None:
        return {}
    things = {
        f"{name}.{slot}": thing[slot]
        for name, thing in (("first", first), ("second", second))
        for slot in ("shape", "colour", "size")
    }
    return things | {"relation": relation, "position": first["position"]}


def _thing(blob: Blob) -> dict[str, str]:
    size, shape = FIGURES.name(blob.coverage)
    return {
        "shape": shape,
        "colour": name_colour(blob.colour),
        "size": size,
        "position": _corner(*blob.middle),
    }


def _corner(x: float, y: float) -> str:
    row = [name for name, _, tick in TICKS if abs(y - tick) <= MAX_TICK_DISTANCE]
    column = [name for _, name, tick in TICKS if abs(x - tick) <= MAX_TICK_DISTANCE]
    return f"{row[0]} {column[0]}" if row and column else INVALID
