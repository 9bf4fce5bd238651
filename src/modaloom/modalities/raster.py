"""The raster modality: pictures that 8-bit RGB does not hold, with their true values.

A value is an array (H, W, C) of uint8, uint16 or float32: scans of 12 and 16 bits, float maps, tiles of many
bands, pictures with transparency. What is decoded has the channels, the type and the units of the files.
Signals are scaled channel by channel to the range that the training values have.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from modaloom.core.errors import BadFile, BadValue, shown
from modaloom.metrics.psnr import mse, psnr
from modaloom.metrics.ssim import ssim
from modaloom.modalities.base import DataSpec, Modality
from modaloom.modalities.image_spec import (
    ImageLimits,
    content_box,
    inner,
    padded,
    padded_to_strides,
    shortened,
    sizes,
)
from modaloom.modalities.raster_file import decode, encode, suffix_of
from modaloom.modalities.raster_view import to_html
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.transforms import flip, shift

Raster = NDArray[Any]
"""(H, W, C), uint8, uint16 or float32."""
LEVELS = 65535
"""Steps of a packed value over the range of its channel: 16 bits."""
TYPES = ("uint8", "uint16", "float32")


def read(path: Path) -> Raster:
    """Reads a file with all of its channels and bits. Raises `BadFile` for what cannot be read so."""
    try:
        return checked(decode(path))
    except BadValue as error:
        raise BadFile(path, str(error)) from error


def write(value: Raster, path: Path) -> None:
    """Writes PNG, TIFF or NumPy's format, as the suffix says. The file holds exactly `value`."""
    path.write_bytes(encode(value, path.suffix[1:].lower()))


def coerce(value: object) -> Raster:
    """Array (H, W) or (H, W, C), PIL image, or a path as str → raster. Raises `BadValue` and `BadFile`."""
    if isinstance(value, str):
        return read(Path(value))
    if isinstance(value, Image.Image):
        value = np.asarray(value.convert("RGBA") if value.mode == "P" else value)
    if not isinstance(value, np.ndarray):
        raise BadValue(
            f"{shown(value)} is no raster; give a NumPy array (H, W, C), a PIL image, or the path of a file"
        )
    return checked(value)


def checked(values: NDArray[Any]) -> Raster:
    """An array of any exact type → (H, W, C) of one of `TYPES`. Raises `BadValue`."""
    array = values[..., None] if values.ndim == 2 else values
    if array.ndim != 3 or not array.size:
        raise BadValue(f"an array of shape {list(values.shape)} is no picture (H, W) or (H, W, C)")
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    if array.dtype.name not in TYPES:
        exact = array.astype(np.float32) if array.dtype.kind in "iuf" else None
        known = exact is not None and (array.dtype.kind == "f" or (exact.astype(np.float64) == array).all())
        if exact is None or not known:
            raise BadValue(f"has values of type {array.dtype}, which float32 does not hold exactly")
        array = exact
    if array.dtype == np.float32 and not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise BadValue(f"has {bad:,} values that are NaN or infinite; give a number to each, or leave it out")
    return np.ascontiguousarray(array)


def infer_spec(values: Iterable[Raster], limits: ImageLimits) -> DataSpec:
    """Infers `content`, `size` as of images, `channels`, `type`, and by channel `low` and `high`, the range.

    8-bit values with and without colours and alpha make one stream with all channels that occur. Raises
    `BadValue` for other mixtures of types and numbers of channels.
    """
    shapes: list[tuple[int, int]] = []
    ranges: dict[tuple[str, int], tuple[NDArray[Any], NDArray[Any]]] = {}
    for value in values:
        shapes.append((value.shape[0], value.shape[1]))
        kind, low, high = (value.dtype.name, value.shape[2]), value.min((0, 1)), value.max((0, 1))
        known = ranges.get(kind, (low, high))
        ranges[kind] = np.minimum(known[0], low), np.maximum(known[1], high)
    (name, channels), low, high = _common(ranges)
    content = content_box(shapes, limits.max_side)
    return {
        "size": padded_to_strides(content),
        "content": content,
        "channels": channels,
        "type": name,
        "low": low.astype(float).tolist(),
        "high": np.where(high > low, high.astype(float), low.astype(float) + 1).tolist(),
    }


def _common(
    ranges: Mapping[tuple[str, int], tuple[NDArray[Any], NDArray[Any]]],
) -> tuple[tuple[str, int], NDArray[Any], NDArray[Any]]:
    """(type, channels) → range by channel, of one kind or several → one kind and its range."""
    if len(ranges) == 1:
        ((kind, (low, high)),) = ranges.items()
        return kind, low, high
    if not all(name == "uint8" and channels <= 4 for name, channels in ranges):
        names = " and ".join(f"{channels} channels of {name}" for name, channels in ranges)
        raise BadValue(f"the files have {names}; a stream has one type and number of channels")
    colours = 3 if any(channels >= 3 for _, channels in ranges) else 1
    channels = colours + any(channels in (2, 4) for _, channels in ranges)
    return ("uint8", channels), np.zeros(channels), np.full(channels, 255)


def _matched(value: Raster, channels: int) -> Raster:
    """8-bit grey as colours, opaque where there is no alpha. Raises `BadValue` for other channels."""
    have = value.shape[2]
    if have == channels:
        return value
    if value.dtype != np.uint8 or have > channels or channels > 4:
        raise BadValue(f"has {have} channels; the stream has {channels}")
    colours = value[..., : have - (have in (2, 4))]
    alpha = value[..., -1:] if have == 2 else np.full_like(value[..., :1], 255)
    wide = np.broadcast_to(colours, (*value.shape[:2], channels - (channels in (2, 4))))
    return np.concatenate([wide, alpha], 2) if channels in (2, 4) else np.ascontiguousarray(wide)


def pack(value: Raster, spec: DataSpec) -> NDArray[np.int16]:
    """Raster → int16 (C, H, W), the range as -32,768 to 32,767; fitted into the content box and edge-padded.

    Raises `BadValue` for another number of channels.
    """
    value = coerce(value)
    value = _matched(value, spec["channels"])
    fitted = padded(padded(_resized(value, spec["content"]), spec["content"]), spec["size"])
    low, high = (np.asarray(spec[name]) for name in ("low", "high"))
    levels = ((fitted - low) / (high - low)).clip(0, 1) * LEVELS
    return np.ascontiguousarray((np.round(levels) - 32768).astype(np.int16).transpose(2, 0, 1))


def _resized(value: Raster, content: Sequence[int]) -> NDArray[np.float64]:
    """Reduced or enlarged to fit, with the aspect ratio kept; exact if it already does."""
    height, width, channels = value.shape
    scale = min(content[0] / height, content[1] / width)
    box = max(1, round(width * scale)), max(1, round(height * scale))
    if box == (width, height):
        return value.astype(np.float64)
    bands = [
        Image.fromarray(value[..., c].astype(np.float32)).resize(box, Image.Resampling.LANCZOS)
        for c in range(channels)
    ]
    return np.stack([np.asarray(band, np.float64) for band in bands], -1)


def unpack(packed: NDArray[np.int16], spec: DataSpec) -> Raster:
    """int16 (C, H, W) → the content box in the type and units of the files."""
    levels = inner(packed, spec).astype(np.float64) + 32768
    low, high = (np.asarray(spec[name]) for name in ("low", "high"))
    values = low + levels / LEVELS * (high - low)
    kind = np.dtype(spec["type"])
    return np.ascontiguousarray((values if kind.kind == "f" else np.round(values)).astype(kind))


def normalize(packed: Tensor) -> Tensor:
    """int16 (B, C, H, W) → float32 in [-1, 1]."""
    return (packed.float() + 0.5) / 32767.5


def denormalize(signal: Tensor) -> Tensor:
    """float (B, C, H, W) → int16, rounded and clipped."""
    return (signal.float() * 32767.5 - 0.5).round().clamp(-32768, 32767).to(torch.int16)


def to_array(value: Raster) -> NDArray[Any]:
    """Raster → (C, H, W), as it is."""
    return np.ascontiguousarray(value.transpose(2, 0, 1))


def from_array(packed: NDArray[Any]) -> Raster:
    """The inverse of `to_array`."""
    return np.ascontiguousarray(packed.transpose(1, 2, 0))


def preview(packed: Tensor) -> Tensor:
    """int16 (B, C, H, W) → uint8 (B, 3, H, W): the first channels as colours, or one as grey."""
    levels = ((packed.float() + 32768) / LEVELS * 255).round().to(torch.uint8)
    return levels[:, :3] if levels.shape[1] >= 3 else levels[:, :1].expand(-1, 3, -1, -1)


def compare(generated: Raster, truth: Raster, spec: DataSpec) -> dict[str, float]:
    """Returns `psnr` (dB below the range of the training values), `ssim`, and `mse` (values in 0..1)."""
    a, b = (_unit(value, spec) for value in (generated, truth))
    error = mse(a, b)
    return {"psnr": psnr(error), "ssim": ssim(a, b), "mse": error}


def _unit(value: Raster, spec: DataSpec) -> NDArray[np.float64]:
    return (inner(pack(value, spec), spec).astype(np.float64) + 32768) / LEVELS


def describe(values: Iterable[Raster]) -> dict[str, Any]:
    """Returns smallest and largest size (width × height), channels, types, and the range of the values."""
    shapes, channels, types = [], set(), set()
    low, high = np.inf, -np.inf
    for value in values:
        shapes.append((value.shape[1], value.shape[0]))
        channels.add(value.shape[2])
        types.add(value.dtype.name)
        low, high = min(low, float(value.min())), max(high, float(value.max()))
    return {
        **sizes(shapes),
        "channels": "/".join(map(str, sorted(channels))),
        "type": "/".join(sorted(types)),
        "range": f"{low:.6g} to {high:.6g}",
    }


@dataclass(frozen=True)
class RasterCodec(SignalCodec):
    """Signals whose range belongs to a stream: a Restorer, which takes values of any stream, has none."""

    restorable = False


RASTER = Modality(
    name="raster",
    suffixes=("npy", "npz"),
    tokenizer="vqvae",
    read=read,
    write=write,
    coerce=coerce,
    infer_spec=infer_spec,
    compare=compare,
    to_html=to_html,
    codec=RasterCodec(
        pack=pack,
        unpack=unpack,
        to_array=to_array,
        from_array=from_array,
        normalize=normalize,
        denormalize=denormalize,
        preview=preview,
        augmentations={"shift": shift, "flip": flip},
    ),
    limits=ImageLimits(),
    shortened=lambda value, spec: shortened(value.shape[0], value.shape[1], spec),
    describe=describe,
    suffix_of=suffix_of,
    kin=("image",),
)
