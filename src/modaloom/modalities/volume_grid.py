"""The grid of a stream of volumes, as measured on its training values, and volumes on that grid."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modaloom.core.errors import check_range
from modaloom.modalities.base import Shortened
from modaloom.modalities.codec import DataSpec
from modaloom.modalities.image_spec import padded_to_strides
from modaloom.modalities.volume_value import Affine, Volume, placed

SLACK = 1e-3
"""Relative difference of spacings that count as equal."""


@dataclass(frozen=True)
class VolumeLimits:
    """Limits on the size of volumes."""

    max_side: int = 32
    """Maximum number of voxels along an axis, at least 1."""

    def __post_init__(self) -> None:
        check_range("max_side", self.max_side, 1)


class Grids:
    """Collects the grids of volumes, while something else iterates over them."""

    def __init__(self) -> None:
        self.shapes, self.spacings = list[tuple[int, int, int]](), list[NDArray[np.float64]]()
        self.centres, self.directions = list[NDArray[np.float64]](), list[NDArray[np.float64]]()

    def watched(self, volumes: Iterable[Volume]) -> Iterator[Volume]:
        """The same volumes."""
        for volume in volumes:
            self.shapes.append(volume.shape)
            self.spacings.append(volume.spacing)
            self.centres.append(volume.centre)
            self.directions.append(volume.directions)
            yield volume

    @property
    def first(self) -> Affine:
        """The affine of the first volume."""
        return placed(self.directions[0], self.spacings[0], self.shapes[0], self.centres[0])

    def infer(self, limits: VolumeLimits) -> DataSpec:
        """`spacing`, mm of a voxel along z, y and x, the median, coarser where the largest volume has more
        than `max_side`; `content`, voxels of the largest volume, padded in `size`; and `affine`, of the grid
        in the middle of the volumes."""
        spacing = np.median(self.spacings, 0)
        extent = (np.array(self.shapes) * self.spacings).max(0)
        fits = extent / spacing <= limits.max_side + SLACK
        spacing = np.where(fits, spacing, np.maximum(spacing, extent.max() / limits.max_side))
        content = [max(1, round(float(n))) for n in extent / spacing]
        same = np.allclose(self.directions, self.directions[0], atol=SLACK)
        directions = self.directions[0] if same else np.eye(3)
        affine = placed(directions, spacing, tuple(content), np.median(self.centres, 0))
        return {
            "size": padded_to_strides(content),
            "content": content,
            "spacing": spacing.tolist(),
            "affine": affine.tolist(),
        }


def on_grid(volume: Volume, spec: DataSpec) -> NDArray[np.float64]:
    """float64 (*size, C): resampled to the grid's spacing, middle on middle, cut, or its edges repeated."""
    values = volume.values.astype(np.float64)
    for axis, side in enumerate(_sides(volume, spec)):
        values = _resampled(values, axis, side)
    for axis, side in enumerate(spec["size"]):
        values = _centred(values, axis, side)
    return values


def _sides(volume: Volume, spec: DataSpec) -> list[int]:
    """Voxels of a volume at the spacing of the grid."""
    scale = volume.spacing / spec["spacing"]
    scale = np.where(np.abs(scale - 1) < SLACK, 1, scale)
    return [max(1, round(float(n * s))) for n, s in zip(volume.shape, scale)]


def _resampled(values: NDArray[np.float64], axis: int, side: int) -> NDArray[np.float64]:
    """(Z, Y, X, C) with another number of voxels along an axis, by Lanczos's filter; exact if it has it."""
    if values.shape[axis] == side:
        return values
    first = np.moveaxis(values, axis, 0)
    rows = Image.fromarray(first.reshape(len(first), -1).astype(np.float32))
    made = np.asarray(rows.resize((rows.width, side), Image.Resampling.LANCZOS), np.float64)
    return np.moveaxis(made.reshape(side, *first.shape[1:]), 0, axis)


def _centred(values: NDArray[Any], axis: int, side: int) -> NDArray[Any]:
    """The middle of an axis, or all of it with its edges repeated."""
    first = (side - values.shape[axis]) // 2
    places = (np.arange(side) - first).clip(0, values.shape[axis] - 1)
    found: NDArray[Any] = values.take(places, axis)
    return found


def inner(values: NDArray[Any], spec: DataSpec) -> NDArray[Any]:
    """(*size, C) → (*content, C)."""
    for axis, (side, have) in enumerate(zip(spec["content"], spec["size"])):
        values = values.take(np.arange(side) + (have - side) // 2, axis)
    return values


def shortened(volume: Volume, spec: DataSpec) -> Sequence[Shortened]:
    """What the grid of a spec cuts from a volume: what is outside, and resolution."""
    found, grid = list[Shortened](), np.array(spec["spacing"])
    if any(n > side for n, side in zip(_sides(volume, spec), spec["size"])):
        box = "×".join(f"{mm:.4g}" for mm in (grid * spec["content"])[::-1])
        found.append(Shortened(f"reach beyond {box} mm, and are cut there"))
    if (volume.spacing < grid * (1 - SLACK)).any():
        voxel = "×".join(f"{mm:.4g}" for mm in grid[::-1])
        how, most = f"are reduced to voxels of {voxel} mm", max(spec["content"])
        found.append(Shortened(how, "max_side", most, max(volume.shape), is_resolution=True))
    return found
