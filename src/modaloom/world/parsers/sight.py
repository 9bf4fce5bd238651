"""Segmentation of an image into a plain background and objects, in CIE Lab. Shares no code with the renderer.

1. The background colour is the median of the border, the object's that of the pixels farthest from it.
2. A pixel's coverage is its position on the line between the two colours, so that soft edges count in part.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

SIDE = 32
"""Side to which every image is resized, pixels."""
MIN_CONTRAST = 25.0
"""Least Lab distance of object and background, and of a third colour from their mixtures."""
MAX_SPREAD = 12.0
"""Largest median Lab distance of the border from its median, for a plain background."""
MAX_STRAY = 0.15
"""Largest area outside the object or in a third colour, relative to the object's."""


@dataclass(frozen=True)
class Seen:
    """An image with a plain background."""

    ground: np.ndarray
    """float64 (3,): the background's Lab colour."""
    away: np.ndarray
    """float64 (SIDE, SIDE, 3): Lab colours minus that of the background."""


@dataclass(frozen=True)
class Blob:
    """One object."""

    coverage: np.ndarray
    """float64 (SIDE, SIDE) in [0, 1]."""
    colour: np.ndarray
    """float64 (3,): Lab."""

    @property
    def middle(self) -> tuple[float, float]:
        """Centre (x, y) of the bounding box, pixels of 32 × 32."""
        inside = self.coverage > 0.5
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        return (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2


def see(image: Image.Image, resample: Image.Resampling = Image.Resampling.BOX) -> Seen | None:
    """Resize and separate the background; None if there is no plain background."""
    lab = to_lab(np.asarray(image.convert("RGB").resize((SIDE, SIDE), resample), np.float64))
    ring = np.concatenate([lab[0], lab[-1], lab[1:-1, 0], lab[1:-1, -1]])
    ground = np.median(ring, axis=0)
    if np.median(np.linalg.norm(ring - ground, axis=-1)) > MAX_SPREAD:
        return None
    return Seen(ground, lab - ground)


def the_object(seen: Seen | None, *, contrast: float = MIN_CONTRAST, margin: int = 1) -> Blob | None:
    """The object, with a soft edge of `margin` pixels; None if there is not exactly one."""
    if seen is None:
        return None
    away = seen.away
    far = np.argsort(np.linalg.norm(away, axis=-1), axis=None)[-32:]
    towards = np.median(away.reshape(-1, 3)[far], axis=0)
    if np.linalg.norm(towards) < contrast:
        return None
    coverage = np.clip(away @ towards / (towards @ towards), 0, 1)
    third = np.linalg.norm(away - coverage[..., None] * towards, axis=-1) > contrast
    inside = coverage > 0.5
    main = max(parts(inside), key=np.sum)
    if (inside & ~main).sum() + third.sum() > MAX_STRAY * main.sum():
        return None
    for _ in range(margin):
        main = grown(main)
    return Blob(coverage * main, seen.ground + towards)


def the_objects(seen: Seen | None) -> list[Blob]:
    """All objects, each of one colour; empty if any is not.

    Objects are the connected parts that differ from the background and are larger than `MAX_STRAY` of the
    largest. Their colour is the median of the third of their pixels farthest from the background.
    """
    if seen is None:
        return []
    distance = np.linalg.norm(seen.away, axis=-1)
    found = parts(distance > MIN_CONTRAST)
    least = MAX_STRAY * max((part.sum() for part in found), default=0)
    blobs = [_blob(seen, part, distance) for part in found if part.sum() > least]
    valid = [blob for blob in blobs if blob is not None]
    return valid if len(valid) == len(blobs) else []


def _blob(seen: Seen, part: np.ndarray, distance: np.ndarray) -> Blob | None:
    """The object of a part; None if it has a second colour."""
    far = distance >= np.quantile(distance[part], 2 / 3)
    towards = np.median(seen.away[part & far], axis=0)
    coverage = np.clip(seen.away @ towards / (towards @ towards), 0, 1)
    third = np.linalg.norm(seen.away - coverage[..., None] * towards, axis=-1) > MIN_CONTRAST
    if (third & part).sum() > MAX_STRAY * part.sum():
        return None
    return Blob(coverage * grown(part), seen.ground + towards)


def parts(inside: np.ndarray) -> list[np.ndarray]:
    """The connected components (8-neighbourhood), bool (SIDE, SIDE) each."""
    remaining, found = inside.copy(), []
    while remaining.any():
        part = np.zeros_like(remaining)
        part.flat[np.argmax(remaining)] = True
        while (more := grown(part) & remaining).sum() > part.sum():
            part = more
        remaining &= ~part
        found.append(part)
    return found


def grown(mask: np.ndarray) -> np.ndarray:
    """Binary dilation by one pixel (8-neighbourhood)."""
    tall = mask.copy()
    tall[1:] |= mask[:-1]
    tall[:-1] |= mask[1:]
    wide = tall.copy()
    wide[:, 1:] |= tall[:, :-1]
    wide[:, :-1] |= tall[:, 1:]
    return wide


_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.9505, 1.0, 1.089])


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """sRGB (..., 3) in 0..255 → CIE Lab under D65 (IEC 61966-2-1, CIE 15)."""
    v = rgb / 255
    linear = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _TO_XYZ.T / _WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)
