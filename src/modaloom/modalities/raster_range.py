"""Type, channels and range of a stream of rasters, as measured on its training values, and their scale."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from modaloom.core.errors import BadValue
from modaloom.modalities.codec import DataSpec
from modaloom.modalities.dicom_file import Window
from modaloom.modalities.raster_dicom import Windowed
from modaloom.modalities.scale import Scale

Raster = NDArray[Any]
"""(H, W, C), uint8, uint16 or float32."""
Ranges = Mapping[tuple[str, int], tuple[NDArray[Any], NDArray[Any]]]
"""(Type, number of channels) → least and largest value by channel."""


def exact_values(values: NDArray[Any], types: Collection[str]) -> NDArray[Any]:
    """An array as one of some types, float32 among them, without loss. Raises `BadValue`."""
    array = values.astype(np.uint8) if values.dtype == np.bool_ else values
    if array.dtype.name not in types:
        exact = array.astype(np.float32) if array.dtype.kind in "iuf" else None
        known = exact is not None and (array.dtype.kind == "f" or (exact.astype(np.float64) == array).all())
        if exact is None or not known:
            raise BadValue(f"has values of type {array.dtype}, which float32 does not hold exactly")
        array = exact
    if array.dtype == np.float32 and not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise BadValue(f"has {bad:,} values that are NaN or infinite; give a number to each, or leave it out")
    return np.ascontiguousarray(array)


def measure(values: Iterable[Raster]) -> DataSpec:
    """Measures `channels`, `type`, and by channel `low` and `high`, the range; and `window`, the median of
    the values' own, where they have one.

    8-bit values with and without colours and alpha make one stream with all channels that occur. Raises
    `BadValue` for other mixtures of types and numbers of channels.
    """
    ranges: dict[tuple[str, int], tuple[NDArray[Any], NDArray[Any]]] = {}
    windows = list[Window]()
    for value in values:
        axes = tuple(range(value.ndim - 1))
        kind, low, high = (value.dtype.name, value.shape[-1]), value.min(axes), value.max(axes)
        known = ranges.get(kind, (low, high))
        ranges[kind] = np.minimum(known[0], low), np.maximum(known[1], high)
        windows += [value.window] if isinstance(value, Windowed) else []
    (name, channels), low, high = _common(ranges)
    return {
        "channels": channels,
        "type": name,
        "low": low.astype(float).tolist(),
        "high": np.where(high > low, high.astype(float), low.astype(float) + 1).tolist(),
        **({"window": np.median(windows, 0).tolist()} if windows else {}),
    }


def _common(ranges: Ranges) -> tuple[tuple[str, int], NDArray[Any], NDArray[Any]]:
    """(type, channels) → range by channel, of one kind or several → one kind and its range."""
    if not ranges:
        raise BadValue("no file can be read; give at least one")
    if len(ranges) == 1:
        ((kind, (low, high)),) = ranges.items()
        return kind, low, high
    if not all(name == "uint8" and channels <= 4 for name, channels in ranges):
        names = " and ".join(f"{channels} channels of {name}" for name, channels in ranges)
        raise BadValue(f"the files have {names}; a stream has one type and number of channels")
    colours = 3 if any(channels >= 3 for _, channels in ranges) else 1
    channels = colours + any(channels in (2, 4) for _, channels in ranges)
    return ("uint8", channels), np.zeros(channels), np.full(channels, 255)


def has_alpha(channels: int) -> bool:
    """Whether the last one of so many 8-bit channels, at most 4, is alpha."""
    return channels in (2, 4)


def with_channels(value: Raster, channels: int) -> Raster:
    """8-bit grey as colours, opaque where there is no alpha. Raises `BadValue` for other channels."""
    have = value.shape[2]
    if have == channels:
        return value
    if value.dtype != np.uint8 or have > channels or channels > 4:
        raise BadValue(f"has {have} channels; the stream has {channels}")
    colours = value[..., : have - has_alpha(have)]
    alpha = value[..., -1:] if has_alpha(have) else np.full_like(value[..., :1], 255)
    wide = np.broadcast_to(colours, (*value.shape[:2], channels - has_alpha(channels)))
    return np.concatenate([wide, alpha], 2) if has_alpha(channels) else np.ascontiguousarray(wide)


def without_channels(value: Raster, channels: int) -> Raster:
    """The inverse of `with_channels`: without alpha, and grey, where the source was."""
    colours = value[..., : value.shape[2] - has_alpha(value.shape[2])]
    if channels <= 2 < colours.shape[2]:
        colours = np.asarray(Image.fromarray(np.ascontiguousarray(colours)).convert("L"))[..., None]
    return np.concatenate([colours, value[..., -1:]], 2) if has_alpha(channels) else colours


def matched(value: Raster, spec: DataSpec) -> Raster:
    """A value with the channels of its stream. Raises `BadValue` for another type or number of channels."""
    if value.dtype.name != spec["type"]:
        raise BadValue(
            f"has values of type {value.dtype}; the stream has {spec['type']}: convert them to its units"
        )
    return with_channels(value, spec["channels"])


def bounds(spec: DataSpec) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least and largest value of each channel, float64 (C,)."""
    return np.asarray(spec["low"]), np.asarray(spec["high"])


def scale(spec: DataSpec, axes: int = 2) -> Scale:
    """The measured range as [0, 1], of signals of so many axes."""
    low, high = (torch.from_numpy(bound).reshape(-1, *[1] * axes) for bound in bounds(spec))
    return Scale(np.dtype(spec["type"]), low.float(), (high - low).float())
