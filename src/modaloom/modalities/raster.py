"""The raster modality: pictures that 8-bit RGB does not hold, with their true values.

A value is an array (H, W, C) of uint8, uint16 or float32: scans of 12 and 16 bits, float maps, tiles of many
bands, pictures with transparency. What is decoded has the channels, the type and the units of the files.
Signals are scaled channel by channel to the range that the training values have.
"""

from collections.abc import Iterable, Iterator, Sequence
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
from modaloom.modalities import raster_dicom
from modaloom.modalities.base import Conformed, DataSpec, Modality
from modaloom.modalities.dicom_file import SUFFIXES
from modaloom.modalities.files import File
from modaloom.modalities.image import FORMATS
from modaloom.modalities.image_spec import (
    ImageLimits,
    content_box,
    inner,
    padded,
    padded_to_strides,
    shortened,
    sizes,
)
from modaloom.modalities.raster_dicom import Windowed
from modaloom.modalities.raster_file import decode, encode, suffix_of
from modaloom.modalities.raster_range import (
    Raster,
    bounds,
    exact_values,
    matched,
    measure,
    scale,
    with_channels,
    without_channels,
)
from modaloom.modalities.raster_view import picture, to_html
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.transforms import flip, shift

LEVELS = 65535
"""Steps of a packed value over the range of its channel: 16 bits."""
TYPES = ("uint8", "uint16", "float32")


def read(path: File) -> Raster:
    """Reads a file with all of its channels and bits. Raises `BadFile` for what cannot be read so."""
    try:
        found = raster_dicom.read(path) if path.suffix[1:].lower() in SUFFIXES else decode(path)
        values = checked(found)
        return Windowed.of(values, found.window) if isinstance(found, Windowed) else values
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
    return exact_values(array, TYPES)


def infer_spec(values: Iterable[Raster], limits: ImageLimits) -> DataSpec:
    """Infers `content` and `size` as of images, and what `measure` does. Raises `BadValue`."""
    shapes: list[tuple[int, int]] = []

    def sized() -> Iterator[Raster]:
        for value in values:
            shapes.append((value.shape[0], value.shape[1]))
            yield value

    measured = measure(sized())
    content = content_box(shapes, limits.max_side)
    return {"size": padded_to_strides(content), "content": content, **measured}


def pack(value: Raster, spec: DataSpec) -> NDArray[np.int16]:
    """Raster → int16 (C, H, W), the range as -32,768 to 32,767; fitted into the content box and edge-padded.

    Raises `BadValue` for another number of channels.
    """
    value = with_channels(coerce(value), spec["channels"])
    fitted = padded(padded(_resized(value, spec["content"]), spec["content"]), spec["size"])
    low, high = bounds(spec)
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
    low, high = bounds(spec)
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


def from_array(packed: NDArray[Any], facts: DataSpec) -> Raster:
    """The inverse of `to_array`."""
    return np.ascontiguousarray(packed.transpose(1, 2, 0))


def preview(packed: Tensor) -> Tensor:
    """int16 (B, C, *axes) → uint8 (B, 3, *axes): the first channels as colours, or one as grey."""
    levels = ((packed.float() + 32768) / LEVELS * 255).round().to(torch.uint8)
    return levels[:, :3] if levels.shape[1] >= 3 else levels[:, :1].expand(-1, 3, *levels.shape[2:])


def compare(generated: Raster, truth: Raster, spec: DataSpec) -> dict[str, float]:
    """Returns `psnr` (dB below the range of the training values), `ssim`, and `mse` (values in 0..1)."""
    a, b = (_unit(value, spec) for value in (generated, truth))
    error = mse(a, b)
    return {"psnr": psnr(error), "ssim": ssim(a, b), "mse": error}


def _unit(value: Raster, spec: DataSpec) -> NDArray[np.float64]:
    """The measured range as [0, 1]: in the spec's size, or at its own, if there is none, unclipped."""
    if "size" in spec:
        return (inner(pack(value, spec), spec).astype(np.float64) + 32768) / LEVELS
    low, high = bounds(spec)
    units: NDArray[np.float64] = (value.astype(np.float64) - low) / (high - low)
    return units


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


def conform(source: object, made: Raster, aligned: bool, recolored: bool) -> Conformed:
    """Takes off again what only other 8-bit files of the stream have: colours from a grey picture, alpha from
    an opaque one."""
    if made.dtype != np.uint8 or recolored or not aligned:
        return Conformed(made)
    channels = (read(source) if isinstance(source, File) else coerce(source)).shape[2]
    return Conformed(made if channels == made.shape[2] else without_channels(made, channels))


RASTER = Modality(
    name="raster",
    suffixes=("npy", "npz", *SUFFIXES),
    tokenizer="vqvae",
    read=read,
    write=write,
    coerce=coerce,
    infer_spec=infer_spec,
    compare=compare,
    to_html=to_html,
    picture=lambda value, spec: picture(value, spec).convert("RGB"),
    codec=SignalCodec(
        pack=pack,
        unpack=unpack,
        to_array=to_array,
        from_array=from_array,
        normalize=normalize,
        denormalize=denormalize,
        preview=preview,
        measure=measure,
        scale=scale,
        matched=matched,
        augmentations={"shift": shift, "flip": flip},
    ),
    lower_is_better=("mse",),
    limits=ImageLimits(),
    shortened=lambda value, spec: shortened(value.shape[0], value.shape[1], spec),
    describe=describe,
    suffix_of=suffix_of,
    reads=tuple(FORMATS),
    exact=raster_dicom.exact_modality,
    remarks=raster_dicom.remarks,
    fields=raster_dicom.fields,
    conform=conform,
    kin=("image",),
)
