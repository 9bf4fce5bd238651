"""Stream `image`: the scene as an antialiased 32 × 32 RGB picture."""

from collections.abc import Mapping

import numpy as np
from PIL import Image

from modaloom.world.scene import Scene
from modaloom.world.shapes import SIDE, Placed, place

GREYS: Mapping[str, float] = {"dark": 40.0, "light": 215.0}
GREY_JITTER, NOISE = 6.0, 1.5
"""Half range of the background's level and standard deviation of the sensor noise, of 255."""

_CENTRES = np.arange(SIDE) + 0.5


def image(scene: Scene) -> Image.Image:
    """PIL image, RGB."""
    rng = scene.random("image")
    background = GREYS[scene.background] + rng.uniform(-GREY_JITTER, GREY_JITTER)
    placed = place(scene)
    pixels = background + coverage(placed)[..., None] * (placed.rgb - background)
    pixels += NOISE * rng.standard_normal(pixels.shape, dtype=np.float32)
    return Image.fromarray(np.clip(pixels.round(), 0, 255).astype(np.uint8))


def coverage(placed: Placed) -> np.ndarray:
    """float64 (SIDE, SIDE) in [0, 1]: the share of each pixel inside, by signed distance to the outline.

    By symmetry every point is folded into the wedge between an outer vertex and the inner vertex beside it,
    where the outline is one straight edge.
    """
    outline = placed.outline
    wedge = 2 * np.pi / outline.points
    dx, dy = _CENTRES[None, :] - placed.x, _CENTRES[:, None] - placed.y
    angle = np.abs((np.arctan2(dx, -dy) - outline.turn + wedge / 2) % wedge - wedge / 2)
    rho = np.hypot(dx, dy)
    outer = np.array([placed.radius, 0.0])
    edge = placed.radius * outline.inner * np.array([np.cos(wedge / 2), np.sin(wedge / 2)]) - outer
    across = (rho * np.cos(angle) - outer[0]) * edge[1] - rho * np.sin(angle) * edge[0]
    distance: np.ndarray = across / np.hypot(*edge)
    return np.clip(0.5 - distance, 0, 1)
