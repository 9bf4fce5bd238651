"""Stream `image`: the scene as an antialiased RGB image."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modaloom.world.scene import SIDE, Scene
from modaloom.world.shapes import Placed, place

GREYS: Mapping[str, float] = {"dark": 40.0, "light": 215.0}
GREY_JITTER, NOISE = 6.0, 1.5
"""Half range of the background level and standard deviation of the sensor noise, of 255."""


def image(scene: Scene) -> Image.Image:
    """PIL image, RGB, side × side."""
    return picture([place(scene)], scene.background, scene.side, scene.random("image"))


def picture(objects: Sequence[Placed], background: str, side: int, rng: np.random.Generator) -> Image.Image:
    """RGB, side × side: `drawn` on a background of `ground`."""
    return Image.fromarray(drawn(objects, ground(background, rng), side, rng))


def ground(background: str, rng: np.random.Generator) -> float:
    """A background, a name in GREYS, with jitter, 0–255."""
    return GREYS[background] + float(rng.uniform(-GREY_JITTER, GREY_JITTER))


def drawn(objects: Sequence[Placed], level: float, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Render objects, with noise.

    Args:
        objects: from back to front.
        level: of the background, 0–255.
        side: of the image, pixels.
        rng: of the noise.

    Returns:
        RGB (side, side, 3).
    """
    pixels = np.full((side, side, 3), level)
    for placed in objects:
        pixels += coverage(placed, side)[..., None] * (placed.rgb - pixels)
    pixels += NOISE * rng.standard_normal(pixels.shape, dtype=np.float32)
    frame: NDArray[np.uint8] = np.clip(pixels.round(), 0, 255).astype(np.uint8)
    return frame


def coverage(placed: Placed, side: int = SIDE) -> np.ndarray:
    """float64 (side, side) in [0, 1]: pixel coverage, from the signed distance to the outline.

    By symmetry every point is mapped to the wedge between an outer vertex and the adjacent inner vertex,
    where the outline is one straight edge.
    """
    outline = placed.outline
    wedge = 2 * np.pi / outline.points
    scale = side / SIDE
    centres = (np.arange(side) + 0.5) / scale
    dx, dy = centres[None, :] - placed.x, centres[:, None] - placed.y
    angle = np.abs((np.arctan2(dx, -dy) - outline.turn + wedge / 2) % wedge - wedge / 2)
    rho = np.hypot(dx, dy)
    outer = np.array([placed.radius, 0.0])
    edge = placed.radius * outline.inner * np.array([np.cos(wedge / 2), np.sin(wedge / 2)]) - outer
    across = (rho * np.cos(angle) - outer[0]) * edge[1] - rho * np.sin(angle) * edge[0]
    distance: np.ndarray = across / np.hypot(*edge)
    return np.clip(0.5 - distance * scale, 0, 1)
