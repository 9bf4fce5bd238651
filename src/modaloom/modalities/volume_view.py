"""Volumes to look at: the middle slices along each axis."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modaloom.modalities.codec import DataSpec
from modaloom.modalities.dicom_file import Window
from modaloom.modalities.raster_dicom import percentiles
from modaloom.modalities.volume_value import Volume

SIDE = 128
"""Pixels of the longest side, in mm, of the slices."""


def to_html(volume: Volume, spec: DataSpec) -> str:
    """Returns the middle slices of the first channel, from above, from the front and from the side, and what
    the volume and its window are."""
    low, high = _window(volume, spec)
    pictures = "".join(f'<img src="{_uri(one)}" alt="slice of a volume">' for one in _slices(volume, spec))
    dz, dy, dx = volume.spacing
    voxel = "×".join(f"{mm:.4g}" for mm in (dx, dy, dz))
    facts = (
        f"{'×'.join(map(str, volume.shape[::-1]))} voxels of {voxel} mm, {volume.channels} × "
        f"{volume.values.dtype}; shown: {low:.6g} to {high:.6g}, from above with the front up, from the "
        "front and from the side with the head up; right and front are on the right"
    )
    return f"<div>{pictures}<br><small>{facts}</small></div>"


def picture(volume: Volume, spec: DataSpec) -> Image.Image:
    """The same slices side by side, RGB."""
    slices = _slices(volume, spec)
    made = Image.new("RGB", (sum(one.width for one in slices), max(one.height for one in slices)))
    for i, one in enumerate(slices):
        made.paste(one, (sum(other.width for other in slices[:i]), 0))
    return made


def _window(volume: Volume, spec: DataSpec) -> Window:
    low, high = spec.get("window") or volume.window or percentiles(volume.values[..., 0])
    return low, high


def _slices(volume: Volume, spec: DataSpec) -> list[Image.Image]:
    (z, y, x), (dz, dy, dx) = (n // 2 for n in volume.shape), volume.spacing
    grey, (low, high) = volume.values[..., 0], _window(volume, spec)
    scale = SIDE / max(n * mm for n, mm in zip(volume.shape, volume.spacing))
    slices = ((grey[z], dy, dx), (grey[:, y], dz, dx), (grey[:, :, x], dz, dy))
    return [_picture(values, low, high, (h * scale, w * scale)) for values, h, w in slices]


def _picture(values: NDArray[Any], low: float, high: float, scale: tuple[float, float]) -> Image.Image:
    """A slice with its first axis upwards, in pixels of equal sides."""
    levels = ((values[::-1].astype(np.float64) - low) / ((high - low) or 1) * 255).clip(0, 255)
    height, width = (max(1, round(n * s)) for n, s in zip(values.shape, scale))
    return Image.fromarray(np.round(levels).astype(np.uint8)).resize(
        (width, height), Image.Resampling.NEAREST
    )


def _uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
