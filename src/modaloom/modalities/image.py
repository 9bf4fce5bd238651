"""The image modality: PIL images of mode RGB."""

import base64
import io
import warnings
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from modaloom.core.errors import BadFile, BadValue, first_line, shown
from modaloom.metrics.psnr import mse, psnr
from modaloom.metrics.ssim import ssim
from modaloom.modalities.base import DataSpec, Modality
from modaloom.modalities.colours import outline
from modaloom.modalities.files import File, read_bytes
from modaloom.modalities.image_form import conform
from modaloom.modalities.image_profile import in_srgb
from modaloom.modalities.image_remarks import remarks
from modaloom.modalities.image_spec import ImageLimits, infer_spec, inner, is_grey, padded, shortened, sizes
from modaloom.modalities.picture_kind import exact_modality
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.transforms import brightness, flip, rotate_colours, shift

FORMATS = {
    "png": "PNG",
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "webp": "WEBP",
    "bmp": "BMP",
    "gif": "GIF",
    "tif": "TIFF",
    "tiff": "TIFF",
}
"""Suffix → its format. A file is read by its content, whichever of these suffixes it has."""
DECODED = sorted(set(FORMATS.values()))
"""Formats that are read. MPO, JPEG with further pictures as cameras write it, is opened as JPEG."""
_SUFFIXES = ", ".join(f".{suffix}" for suffix in FORMATS)
WRITTEN_MODES = ("L", "LA", "RGB", "RGBA")
DARK_16_BITS = 4096
"""A 16-bit picture whose values all lie below has another range than 16 bits."""
MAX_BYTES = 256 * 2**20
MAX_PIXELS = 64 * 2**20


def read(path: File) -> Image.Image:
    """Reads an image of any size and mode as 8-bit sRGB: EXIF orientation and colour profile applied, alpha
    composited on white, first frame.

    Raises `BadFile` for files that are truncated, empty, too large, or of no known format or suffix.
    """
    data = read_bytes(path, limit=MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(path, data)
    except BadFile:
        raise
    except Exception as error:  # decoders raise nearly anything on damaged data
        raise BadFile(path, f"cannot be decoded as an image ({first_line(error)})") from error


def _decode(path: File, data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=DECODED)
    except UnidentifiedImageError as error:  # whose message is an address in memory
        raise BadFile(path, f"cannot be decoded as an image (it is none of {_SUFFIXES})") from error
    if path.suffix[1:].lower() not in FORMATS:
        raise BadFile(
            path, f"holds {image.format} data, and its name ends in no suffix of a picture ({_SUFFIXES})"
        )
    if image.width * image.height > MAX_PIXELS:
        raise BadFile(path, f"is {image.width}×{image.height} pixels; at most {MAX_PIXELS:,} are decoded")
    image.load()
    try:
        return to_rgb(image)
    except BadValue as error:
        raise BadFile(path, str(error)) from error


def to_rgb(image: Image.Image) -> Image.Image:
    """Image of any mode → a copy in RGB without metadata. Raises `BadValue`."""
    if not all(image.size):
        raise BadValue("the picture has no pixels")
    image = in_srgb(ImageOps.exif_transpose(image))
    if image.mode == "F":
        raise BadValue("the picture has floating-point pixels, whose range is unknown; give 8 or 16 bits")
    if image.mode.startswith("I"):
        image = _from_16_bits(image)
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return Image.fromarray(np.array(image.convert("RGB")))


def _from_16_bits(image: Image.Image) -> Image.Image:
    levels = np.asarray(image).astype(np.int64)
    if levels.min() < 0 or levels.max() > 65535:
        raise BadValue("the picture has pixels outside of 0..65535; give 8 or 16 bits")
    if 0 < levels.max() < DARK_16_BITS:
        raise BadValue(
            f"the picture has values up to {levels.max():,} of 65,535, as 12 bits in 16 have, and would be "
            "black; scale them to the whole range, or train on such files, which keeps their values"
        )
    return Image.fromarray(np.round(levels / 257).astype(np.uint8))


def write(image: Image.Image, path: Path) -> None:
    """Writes a PNG without metadata: grey or RGB, with or without alpha, 8 bits."""
    path.write_bytes(_png(image))


def _png(image: Image.Image) -> bytes:
    buffer, plain = io.BytesIO(), image if image.mode in WRITTEN_MODES else image.convert("RGB")
    Image.fromarray(np.asarray(plain)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def coerce(value: object) -> Image.Image:
    """PIL image of any mode but "F", or a path as str → RGB, converted as by `read`. Raises `BadValue`."""
    if isinstance(value, str):
        return read(Path(value))
    if not isinstance(value, Image.Image):
        raise BadValue(f"{shown(value)} is no picture; give a PIL image, or the path of a file")
    try:
        return to_rgb(value)
    except (OSError, SyntaxError) as error:  # a file that Pillow decodes only now
        raise BadValue(f"the picture cannot be decoded ({first_line(error)})") from error


def pack(image: Image.Image, spec: DataSpec) -> NDArray[np.uint8]:
    """Image → uint8 (C, H, W), resized into the content box with its aspect ratio kept, and edge-padded."""
    pixels = _fitted(to_rgb(image), spec["content"], spec["size"])
    return np.ascontiguousarray(_mode(pixels, spec["channels"]).transpose(2, 0, 1))


def _fitted(image: Image.Image, content: Sequence[int], size: Sequence[int]) -> NDArray[np.uint8]:
    """Image → uint8 (H, W, 3), centred in `content`, which is centred in `size`."""
    scale = min(content[0] / image.height, content[1] / image.width)
    height, width = max(1, round(image.height * scale)), max(1, round(image.width * scale))
    if (width, height) != image.size:
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    pixels = padded(np.asarray(image.convert("RGB")), content)
    return padded(pixels, size)


def _mode(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    return pixels if channels == 3 else np.asarray(Image.fromarray(pixels).convert("L"))[..., None]


def unpack(packed: NDArray[np.uint8], spec: DataSpec) -> Image.Image:
    """uint8 (C, H, W) → the content box as an RGB image."""
    pixels = inner(packed, spec)
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3))))


def to_array(image: Image.Image) -> NDArray[np.uint8]:
    """Image → uint8 (3, H, W)."""
    return np.ascontiguousarray(np.asarray(to_rgb(image)).transpose(2, 0, 1))


def from_array(packed: NDArray[np.uint8], facts: DataSpec) -> Image.Image:
    """uint8 (3, H, W) → RGB image."""
    return Image.fromarray(np.ascontiguousarray(packed.transpose(1, 2, 0)))


def normalize(packed: Tensor) -> Tensor:
    """uint8 (B, C, H, W) → float32 in [-1, 1]."""
    return packed.float() / 127.5 - 1


def denormalize(signal: Tensor) -> Tensor:
    """float (B, C, H, W) → uint8, rounded and clipped."""
    return ((signal.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def compare(generated: Image.Image, truth: Image.Image, spec: DataSpec) -> dict[str, float]:
    """Returns `psnr` (dB), `ssim` and `mse` (pixels in 0..1) of images fitted into the spec's content box."""
    if spec:
        generated, truth = (unpack(pack(image, spec), spec) for image in (generated, truth))
    a, b = (np.asarray(image.convert("RGB")) / 255.0 for image in (generated, truth))
    error = mse(a, b)
    return {"psnr": psnr(error), "ssim": ssim(a, b), "mse": error}


def to_html(image: Image.Image, spec: DataSpec) -> str:
    """Returns an <img> with inline data; small images are enlarged by an integer factor."""
    zoom = max(1, 128 // max(image.size))
    width, height = image.width * zoom, image.height * zoom
    source = base64.b64encode(_png(image)).decode()
    return (
        f'<img src="data:image/png;base64,{source}" width="{width}" height="{height}"'
        f' style="image-rendering: pixelated" alt="{image.width}×{image.height} image">'
    )


def describe(images: Iterable[Image.Image]) -> dict[str, Any]:
    """Returns smallest and largest size (width × height), number of sizes, and whether there is colour."""
    shapes, grey = [], True
    for image in images:
        shapes.append(image.size)
        grey = grey and is_grey(image)
    return {**sizes(shapes), "colour": not grey}


IMAGE = Modality(
    name="image",
    feature="Image",
    suffixes=tuple(FORMATS),
    tokenizer="vqvae",
    read=read,
    write=write,
    coerce=coerce,
    infer_spec=infer_spec,
    compare=compare,
    to_html=to_html,
    picture=lambda image, spec: to_rgb(image),
    codec=SignalCodec(
        pack=pack,
        unpack=unpack,
        to_array=to_array,
        from_array=from_array,
        normalize=normalize,
        denormalize=denormalize,
        augment=rotate_colours,
        augmentations={"shift": shift, "flip": flip, "brightness": brightness},
        outline=outline,
    ),
    lower_is_better=("mse",),
    limits=ImageLimits(),
    shortened=lambda image, spec: shortened(image.height, image.width, spec),
    describe=describe,
    conform=conform,
    exact=exact_modality,
    remarks=partial(remarks, formats=FORMATS),
    kin=("raster", "video"),
)
