"""Rasters as pictures to look at."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modaloom.modalities.codec import DataSpec
from modaloom.modalities.raster_dicom import Windowed

Raster = NDArray[Any]
MAX_SHOWN_SIDE = 128


def to_html(value: Raster, spec: DataSpec) -> str:
    """Returns an <img> with inline data, and what the array is: its range, or the spec's `low` to `high` or
    `window`, as black to white."""
    own = {"window": value.window} if isinstance(value, Windowed) else {}
    window = (own | spec).get("window") if value.shape[2] == 1 else None
    image = picture(value, spec if window is None else {"low": window[:1], "high": window[1:]})
    zoom = max(1, MAX_SHOWN_SIDE // max(image.size))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    source = base64.b64encode(buffer.getvalue()).decode()
    facts = f"{value.shape[2]} × {value.dtype}, {value.min():.6g} to {value.max():.6g}"
    facts += "" if window is None else f"; shown: {window[0]:.6g} to {window[1]:.6g}"
    return (
        f'<img src="data:image/png;base64,{source}" width="{image.width * zoom}" '
        f'height="{image.height * zoom}" style="image-rendering: pixelated" alt="{facts}">'
        f"<small>{facts}</small>"
    )


def picture(value: Raster, spec: DataSpec) -> Image.Image:
    """Returns grey, grey and alpha, or the first three bands; alpha of 8-bit values as it is."""
    channels = value.shape[2]
    if value.dtype == np.uint8 and channels in (2, 4):
        return Image.fromarray(value, "LA" if channels == 2 else "RGBA")
    bands = value[..., :3] if channels >= 3 else value[..., :1]
    own = {"low": bands.min((0, 1)), "high": bands.max((0, 1))} | spec
    low, high = (np.asarray(own[bound][: bands.shape[2]], float) for bound in ("low", "high"))
    levels = (bands - low) / np.where(high > low, high - low, 1) * 255
    pixels = np.round(levels.clip(0, 255)).astype(np.uint8)
    return Image.fromarray(pixels if channels >= 3 else pixels[..., 0])
