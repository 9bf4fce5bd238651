"""Files of rasters: pictures by Pillow, TIFF of many bands or pages by tifffile, NumPy's arrays."""

import importlib
import io
import logging
import math
import warnings
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from modaloom.core.errors import BadFile, BadValue, bounded, short
from modaloom.modalities.files import File, read_bytes
from modaloom.modalities.picture_facts import is_deep, num_frames, tiff_tags
from modaloom.modalities.tiff_pages import num_pages

MAX_BYTES = 256 * 2**20
MAX_VALUES = 2**28
MAX_PIXELS = 2**26
TIFF = ("tif", "tiff")
EXACT = {"1": "L", "I;16B": "I;16"} | {mode: mode for mode in ("L", "LA", "RGB", "RGBA", "I;16", "I", "F")}
"""Modes that Pillow reads without loss → what they are converted to."""
SAMPLES_PER_PIXEL, EXTRA_SAMPLES = 277, 338
ALPHA = (1, 2)
"""Values of TIFF's ExtraSamples that mean alpha; 0 is a band of another meaning."""
TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
FEW_LEVELS = 64
"""Grey 8-bit pictures whose values all lie below are maps of classes or counts, not of brightness."""
HINT = "pip install 'modaloom[tiff]'"


def exact_modality(paths: Sequence[File]) -> str:
    """`raster` if some pictures hold what 8-bit RGB does not, or all are maps of few levels; else `image`."""
    found = [_judged(path) for path in paths]
    return "raster" if any(found) or (found and all(one is None for one in found)) else "image"


def _judged(path: File) -> bool | None:
    """Whether a picture needs more than 8-bit RGB; None for one that may be a map of a few levels."""
    silence_pillow()
    try:
        with warnings.catch_warnings(), path.open("rb") as file, Image.open(file) as image:
            warnings.simplefilter("ignore")
            return _needs_more(image)
    except UnidentifiedImageError:
        return path.suffix[1:].lower() in TIFF and path.stat().st_size > 0
    except Exception:  # decoders raise nearly anything on damaged data, which reading will name
        return False


def _needs_more(image: Image.Image) -> bool | None:
    if is_deep(image) or _has_many_bands(image):
        return True
    if image.has_transparency_data:
        return bool(image.convert("RGBA").getchannel("A").getextrema()[0] != 255)
    return None if image.mode == "L" and image.getextrema()[1] in range(1, FEW_LEVELS) else False


def _has_many_bands(image: Image.Image) -> bool:
    """Of a TIFF: bands that are neither colours nor alpha, or several pages."""
    tags = tiff_tags(image)
    extra = tags.get(EXTRA_SAMPLES, ())
    others = [one for one in (extra if isinstance(extra, tuple) else (extra,)) if one not in ALPHA]
    pages = num_frames(image) if image.format == "TIFF" else 1
    return bool(tags) and (tags.get(SAMPLES_PER_PIXEL, 1) > 4 or bool(others) or pages > 1)


def decode(path: File) -> NDArray[Any]:
    """File → array (H, W) or (H, W, C) with all of its values. Raises `BadFile` and `BadValue`."""
    suffix = path.suffix[1:].lower()
    if suffix in ("npy", "npz"):
        return _numpy(path)
    data = read_bytes(path, limit=MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _picture(path, data)
    except (BadFile, BadValue):
        raise
    except Exception as error:  # decoders raise nearly anything on damaged data
        raise BadFile(path, f"cannot be decoded as an image ({short(str(error))})") from error


def _numpy(path: File) -> NDArray[Any]:
    data = read_bytes(path, limit=MAX_BYTES)
    try:
        return _channels_last(_array(path, data))
    except (BadFile, BadValue):
        raise
    except Exception as error:  # zip, header, pickle
        raise BadFile(path, f"is no array of NumPy's ({short(str(error))})") from error


def _array(path: File, data: bytes) -> NDArray[Any]:
    """The only array of .npy or .npz data, whose size is checked before memory is taken for it."""
    if path.suffix.lower() == ".npz":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(members := archive.infolist()) != 1:
                names = bounded(member.filename.removesuffix(".npy") for member in members)
                raise BadFile(path, f"holds {len(members)} arrays ({names}); give one in a file")
            if members[0].file_size > MAX_BYTES:
                raise BadFile(path, f"unpacks to {members[0].file_size:,} bytes; at most {MAX_BYTES:,} are")
            data = archive.read(members[0])
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = header(file)
    if math.prod(shape) * kind.itemsize > len(data):
        raise BadFile(path, f"is shorter than its {'×'.join(map(str, shape))} values")
    file.seek(0)
    found: NDArray[Any] = np.load(file, allow_pickle=False)
    return found


def _channels_last(array: NDArray[Any]) -> NDArray[Any]:
    """(H, W), (H, W, C) or (C, H, W) → channels last, where the shape tells. Raises `BadValue`."""
    if array.ndim != 3:
        return array
    first, middle, last = array.shape
    if last < min(first, middle):
        return array
    if first < min(middle, last):
        return array.transpose(1, 2, 0)
    raise BadValue(f"an array of shape {list(array.shape)} does not tell which axis has the channels")


def silence_pillow() -> None:
    """Keep Pillow from printing what it cannot read of a TIFF; it is raised, too, or read by tifffile."""
    logging.getLogger("PIL.TiffImagePlugin").setLevel(logging.CRITICAL)


def _picture(path: File, data: bytes) -> NDArray[Any]:
    silence_pillow()
    try:
        image = Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        if data[:4] not in TIFF_MAGIC:
            raise BadFile(path, "cannot be decoded as an image (it is of no known format)") from None
        return _tiff(path, data)
    if image.format == "TIFF" and (_has_many_bands(image) or (is_deep(image) and image.mode not in EXACT)):
        return _tiff(path, data)
    if image.width * image.height > MAX_PIXELS:
        raise BadFile(path, f"is {image.width}×{image.height} pixels; at most {MAX_PIXELS:,} are decoded")
    if is_deep(image) and image.mode in ("RGB", "RGBA"):
        raise BadFile(path, "has colours of 16 bits, of which Pillow keeps 8; save it as TIFF or .npy")
    upright = ImageOps.exif_transpose(image)
    mode = "RGBA" if upright.mode in ("P", "PA") else EXACT.get(upright.mode)
    if mode is None:
        raise BadFile(path, f"has pixels of mode {upright.mode}, which are not read with their true values")
    return _unsigned(np.asarray(upright if upright.mode == mode else upright.convert(mode)))


def _unsigned(array: NDArray[Any]) -> NDArray[Any]:
    """32-bit integers that fit into 16 bits, as those of PNG do."""
    fits = array.dtype == np.int32 and array.size and array.min() >= 0 and array.max() <= 65535
    return array.astype(np.uint16) if fits else array


def _tiff(path: File, data: bytes) -> NDArray[Any]:
    try:
        tifffile = importlib.import_module("tifffile")
    except ImportError:
        raise BadFile(path, f"is a TIFF of many bands, pages or bits, which needs tifffile: {HINT}") from None
    num_pages(data)
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what is wrong with a file is raised, too
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        if len(file.series) != 1:
            raise BadFile(path, f"holds {len(file.series)} series of pages; give one in a file")
        series = file.series[0]
        if series.size > MAX_VALUES:
            raise BadFile(path, f"has {series.size:,} values; at most {MAX_VALUES:,} are decoded")
        axes, array = series.axes, series.asarray()
    places = [axes.index(axis) for axis in "YX"]
    others = [i for i in range(array.ndim) if i not in places and array.shape[i] > 1]
    if len(others) > 1:
        raise BadFile(
            path, f"has pages and bands (axes {axes}, shape {list(array.shape)}); give one page in a file"
        )
    flat: NDArray[Any] = array.transpose(*places, *(i for i in range(array.ndim) if i not in places))
    return flat.reshape(*flat.shape[:2], -1)


def suffix_of(value: NDArray[Any], like: str = "") -> str:
    """The suffix of a file that holds a value exactly: `like` if it does, else PNG, TIFF, or NumPy's without
    tifffile."""
    most = {"uint8": 4, "uint16": 1}.get(value.dtype.name, 0)
    png, tiff = value.shape[2] <= most, find_spec("tifffile") is not None
    holds = {"png": png, **dict.fromkeys(TIFF, tiff), "npy": True}
    return like if holds.get(like) else next(suffix for suffix, able in holds.items() if able)


def encode(value: NDArray[Any], suffix: str) -> bytes:
    """Array (H, W, C) → bytes of a file of this suffix."""
    buffer = io.BytesIO()
    if suffix == "npy":
        np.save(buffer, value, allow_pickle=False)
    elif suffix in TIFF:
        tifffile = importlib.import_module("tifffile")
        plane = value[..., 0] if value.shape[2] == 1 else value
        planes = {"planarconfig": "contig"} if plane.ndim == 3 else {}
        tifffile.imwrite(buffer, plane, photometric="minisblack", metadata=None, **planes)
    else:
        Image.fromarray(value[..., 0] if value.shape[2] == 1 else value).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
