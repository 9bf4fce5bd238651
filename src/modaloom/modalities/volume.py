"""The volume modality: scans of three axes with their true values, their places in mm, and up to 16 channels.

A value is a `Volume`. Signals have three axes, z, y and x, and are scaled channel by channel to the range
that the training values have, as those of rasters.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadValue, shown
from modaloom.metrics.psnr import mse, psnr
from modaloom.metrics.ssim import ssim
from modaloom.modalities import raster_dicom, raster_range
from modaloom.modalities.base import Conformed, DataSpec, Modality
from modaloom.modalities.dicom_file import SUFFIXES as DICOM
from modaloom.modalities.files import File
from modaloom.modalities.raster import LEVELS, denormalize, normalize, preview
from modaloom.modalities.raster_range import bounds
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.modalities.volume_file import SUFFIXES, read, remarks, write
from modaloom.modalities.volume_grid import Grids, VolumeLimits, inner, on_grid, shortened
from modaloom.modalities.volume_value import Volume, placed
from modaloom.modalities.volume_view import picture, to_html
from modaloom.transforms import flip, shift


def coerce(value: object) -> Volume:
    """`Volume`, array (Z, Y, X) or (Z, Y, X, C), or a path as str → volume. Raises `BadValue`, `BadFile`."""
    if isinstance(value, Volume):
        return value
    if isinstance(value, str):
        return read(Path(value))
    if not isinstance(value, np.ndarray):
        raise BadValue(
            f"{shown(value)} is no volume; give a Volume, a NumPy array (Z, Y, X), or the path of a file"
        )
    return Volume(value)


def measure(volumes: Iterable[Volume]) -> DataSpec:
    """`channels`, `type`, `low`, `high` and `window` as of rasters, and `affine`, that of the first volume.

    Raises `BadValue` for mixtures.
    """
    grids = Grids()
    measured = raster_range.measure(map(_windowed, grids.watched(volumes)))
    return {**measured, "affine": grids.first.tolist()}


def _windowed(volume: Volume) -> NDArray[Any]:
    window = volume.window or raster_dicom.percentiles(volume.values)
    return raster_dicom.Windowed.of(volume.values, window)


def infer_spec(volumes: Iterable[Volume], limits: VolumeLimits) -> DataSpec:
    """Infers the grid (`Grids.infer`), and what `measure` does. Raises `BadValue`."""
    grids = Grids()
    measured = measure(grids.watched(volumes))
    return {**measured, **grids.infer(limits)}


def matched(volume: Volume, spec: DataSpec) -> Volume:
    """A volume of the type and channels of its stream. Raises `BadValue` for another one."""
    if (volume.values.dtype.name, volume.channels) != (spec["type"], spec["channels"]):
        raise BadValue(
            f"has {volume.channels} channels of {volume.values.dtype}; the stream has {spec['channels']} of "
            f"{spec['type']}: convert it"
        )
    return volume


def pack(value: Volume, spec: DataSpec) -> NDArray[np.int16]:
    """Volume → int16 (C, Z, Y, X) on the grid of the spec, the range as -32,768 to 32,767."""
    low, high = bounds(spec)
    values = on_grid(matched(coerce(value), spec), spec)
    levels = ((values - low) / (high - low)).clip(0, 1) * LEVELS
    return np.ascontiguousarray(np.moveaxis(np.round(levels) - 32768, -1, 0).astype(np.int16))


def unpack(packed: NDArray[np.int16], spec: DataSpec) -> Volume:
    """int16 (C, Z, Y, X) → the volume of the grid, in the type and units of the files."""
    low, high = bounds(spec)
    levels = inner(np.moveaxis(packed, 0, -1), spec).astype(np.float64) + 32768
    values, kind = low + levels / LEVELS * (high - low), np.dtype(spec["type"])
    made = (values if kind.kind == "f" else np.round(values)).astype(kind)
    return Volume(made, np.array(spec["affine"]))


def to_array(volume: Volume) -> NDArray[Any]:
    """Volume → (C, Z, Y, X), as it is."""
    return np.ascontiguousarray(np.moveaxis(volume.values, -1, 0))


def from_array(packed: NDArray[Any], facts: DataSpec) -> Volume:
    """The inverse of `to_array`, where the first volume of the stream is; `conform` puts it where its source
    is."""
    return Volume(np.ascontiguousarray(np.moveaxis(packed, 0, -1)), np.array(facts["affine"]))


def conform(source: object, made: Volume, aligned: bool, recolored: bool) -> Conformed:
    """Puts a volume where its source is, with smaller voxels if it has more."""
    own = read(source) if isinstance(source, File) else coerce(source)
    spacing = own.spacing * own.shape / made.shape
    affine = placed(own.directions, spacing, made.shape, own.centre)
    return Conformed(Volume(made.values, affine, own.window))


def compare(generated: Volume, truth: Volume, spec: DataSpec) -> dict[str, float]:
    """Returns `psnr` (dB below the range of the training values), `ssim`, the mean over slices along z, and
    `mse` (values in 0..1), on the grid of the spec, or at their own size, if it has none."""
    a, b = (_unit(volume, spec) for volume in (generated, truth))
    error = mse(a, b)
    return {"psnr": psnr(error), "ssim": float(np.mean([ssim(*pair) for pair in zip(a, b)])), "mse": error}


def _unit(volume: Volume, spec: DataSpec) -> NDArray[np.float64]:
    low, high = bounds(spec)
    values = inner(on_grid(volume, spec), spec) if "size" in spec else volume.values.astype(np.float64)
    units: NDArray[np.float64] = (values - low) / (high - low)
    return units.clip(0, 1) if "size" in spec else units


def describe(volumes: Iterable[Volume]) -> dict[str, Any]:
    """Returns smallest and largest size (x × y × z voxels), mm of voxels, channels, types, and the range."""
    shapes, spacings, kinds = set[tuple[int, ...]](), list[NDArray[np.float64]](), set[str]()
    low, high = np.inf, -np.inf
    for volume in volumes:
        shapes.add(volume.shape[::-1])
        spacings.append(volume.spacing[::-1])
        kinds.add(f"{volume.channels} × {volume.values.dtype}")
        low, high = min(low, float(volume.values.min())), max(high, float(volume.values.max()))
    ends = [min(shapes, key=np.prod), max(shapes, key=np.prod)]
    voxels = [np.min(spacings, 0), np.max(spacings, 0)]
    return {
        **{name: "×".join(map(str, one)) for name, one in zip(("smallest", "largest"), ends)},
        "voxels": " to ".join(dict.fromkeys("×".join(f"{mm:.4g}" for mm in one) for one in voxels)) + " mm",
        "type": "/".join(sorted(kinds)),
        "range": f"{low:.6g} to {high:.6g}",
    }


VOLUME = Modality(
    name="volume",
    suffixes=SUFFIXES,
    tokenizer="vqvae",
    read=read,
    write=write,
    coerce=coerce,
    infer_spec=infer_spec,
    compare=compare,
    to_html=to_html,
    picture=picture,
    tokenizer_options={"strides": [4, 8, 8], "crop_size": [16, 32, 32]},
    lower_is_better=("mse",),
    codec=SignalCodec(
        pack=pack,
        unpack=unpack,
        to_array=to_array,
        from_array=from_array,
        normalize=normalize,
        denormalize=denormalize,
        preview=preview,
        measure=measure,
        scale=partial(raster_range.scale, axes=3),
        matched=matched,
        augmentations={"shift": shift, "flip": flip},
        axes=3,
    ),
    limits=VolumeLimits(),
    shortened=shortened,
    describe=describe,
    reads=DICOM,
    remarks=lambda paths: [*remarks(paths), *raster_dicom.remarks(paths)],
    fields=raster_dicom.fields,
    conform=conform,
    kin=("raster",),
)
