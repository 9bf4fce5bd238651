"""The value of the volume modality: an array of three axes that knows where it is."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadValue
from modaloom.modalities.dicom_file import Window
from modaloom.modalities.raster_range import exact_values

TYPES = ("uint8", "int16", "uint16", "float32")
MAX_CHANNELS = 16
"""Volumes of one grid in a file, such as the contrasts of a scan; more are a recording over time."""
Affine = NDArray[np.float64]
"""(4, 4): (x, y, z, 1) in voxels → mm to the right, front and head."""


def checked_affine(affine: Any) -> Affine:
    """An affine as float64. Raises `BadValue` for one that is of no grid."""
    found = np.asarray(affine, np.float64)
    if found.shape != (4, 4) or not np.isfinite(found).all() or not np.linalg.det(found):
        raise BadValue("has an affine that maps voxels to no places; give one of 4 × 4 with an inverse")
    return found


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume whose axes are as near as can be to those of the body: x to the right, y to the front, z to
    the head (RAS). Raises `BadValue` for arrays and affines that are of no volume."""

    values: NDArray[Any] = field(repr=False)
    """(Z, Y, X, C), of one of `TYPES`."""
    affine: Affine = field(default_factory=lambda: np.eye(4))
    window: Window | None = None
    """What is shown as black and as white, where the file says so."""

    def __post_init__(self) -> None:
        array = self.values[..., None] if self.values.ndim == 3 else self.values
        if array.ndim != 4 or not array.size or array.shape[-1] > MAX_CHANNELS:
            raise BadValue(
                f"an array of shape {list(self.values.shape)} is no volume (Z, Y, X), or (Z, Y, X, C) of at "
                f"most {MAX_CHANNELS} channels"
            )
        object.__setattr__(self, "values", exact_values(array, TYPES))
        object.__setattr__(self, "affine", checked_affine(self.affine))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Volume):
            return NotImplemented
        same = self.values.dtype == other.values.dtype and np.array_equal(self.values, other.values)
        return same and np.allclose(self.affine, other.affine, atol=1e-3)

    __hash__ = None  # type: ignore[assignment]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along z, y and x."""
        z, y, x, _ = self.values.shape
        return z, y, x

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.values.shape[-1])

    @property
    def spacing(self) -> NDArray[np.float64]:
        """mm of a voxel along z, y and x."""
        found: NDArray[np.float64] = np.linalg.norm(self.affine[:3, :3], axis=0)[::-1]
        return found

    @property
    def centre(self) -> NDArray[np.float64]:
        """Where its middle is, (x, y, z) in mm."""
        middle = [(n - 1) / 2 for n in self.shape[::-1]]
        found: NDArray[np.float64] = (self.affine @ [*middle, 1])[:3]
        return found

    @property
    def directions(self) -> NDArray[np.float64]:
        """(3, 3): unit vectors along x, y and z, as columns."""
        found: NDArray[np.float64] = self.affine[:3, :3] / self.spacing[::-1]
        return found


def placed(
    directions: NDArray[np.float64], spacing: NDArray[np.float64], shape: tuple[int, ...], centre: Any
) -> Affine:
    """The affine of a grid whose middle is at `centre`; spacing and shape along z, y and x."""
    affine = np.eye(4)
    affine[:3, :3] = directions * spacing[::-1]
    affine[:3, 3] = centre - affine[:3, :3] @ [(n - 1) / 2 for n in shape[::-1]]
    return affine
