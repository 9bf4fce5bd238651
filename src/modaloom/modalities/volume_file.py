"""Files of volumes: NIfTI by nibabel, and files of DICOM with several frames."""

import gzip
import importlib
import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np

from modaloom.core.errors import BadFile, BadValue
from modaloom.modalities import dicom_file
from modaloom.modalities.dicom_file import HINT, MAX_VALUES
from modaloom.modalities.files import File, check_file
from modaloom.modalities.volume_value import Affine, Volume, checked_affine

SUFFIXES = ("nii.gz", "nii")
MAX_BYTES = 2**31
CANONICAL = "RAS"
MM = {"unknown": 1.0, "mm": 1.0, "meter": 1000.0, "micron": 0.001}
"""Unit of a header → mm."""
STRAIGHT = np.cos(np.deg2rad(5))
"""Cosine of the angle to an axis of the body from which on a volume is told to be oblique."""
GZIP = b"\x1f\x8b"
MAX_HEADER = 540
"""Bytes of the longest header, that of NIfTI-2."""
CIFTI = range(3000, 3100)
"""Intents of headers whose values are not those of voxels."""


def read(path: File) -> Volume:
    """Reads a file, turned to `CANONICAL` without a change of values. Raises `BadFile`."""
    try:
        return _dicom(path) if path.suffix[1:].lower() in dicom_file.SUFFIXES else _nifti(path)
    except BadValue as error:
        raise BadFile(path, str(error)) from error


def write(volume: Volume, path: Path) -> None:
    """Writes NIfTI in the type of the volume, with its affine in mm."""
    nibabel = _nibabel(path)
    channels_last = volume.values.transpose(2, 1, 0, 3)
    image = nibabel.Nifti1Image(
        channels_last if volume.channels > 1 else channels_last[..., 0], volume.affine
    )
    image.header.set_xyzt_units("mm")
    data = image.to_bytes()
    path.write_bytes(gzip.compress(data, 6, mtime=0) if path.suffix == ".gz" else data)


def remarks(paths: Sequence[File]) -> list[str]:
    """Says which of some files are turned, are converted, or have spacings of their own."""
    counts, spacings = Counter[str](), set[tuple[float, ...]]()
    for path in paths:
        try:
            counts.update(_remarks(path, spacings))
        except Exception:  # nibabel raises nearly anything on damaged data, which reading will name
            continue
    said = [f"{count} of {len(paths)} files looked at {remark}" for remark, count in counts.items()]
    if len(spacings) > 1:
        shown = " and ".join("×".join(f"{mm:g}" for mm in one) for one in sorted(spacings)[:2])
        said.append(f"voxels have several sizes ({shown} mm …): all are resampled to the median one")
    return said


def _remarks(path: File, spacings: set[tuple[float, ...]]) -> Iterator[str]:
    if path.suffix[1:].lower() in dicom_file.SUFFIXES:
        found = dicom_file.affine_of(path)
        if found is None:
            yield "do not tell where their frames are, in equal steps: voxels count as 1 mm"
            return
        affine = found
    else:
        with _opened(path) as image:
            affine, kind = _affine(image), image.get_data_dtype().newbyteorder("=")
        if kind.name in ("float64", "int32", "uint32", "int64", "uint64", "int8"):
            yield f"hold {kind.name}, which becomes float32"
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    spacings.add(tuple(spacing.round(2).tolist()))
    stored = "".join(_nibabel(path).aff2axcodes(affine))
    if stored != CANONICAL:
        yield f"are stored as {stored}, and are turned to {CANONICAL}: x to the right, y to the front, z up"
    if (np.abs(affine[:3, :3]).max(0) < STRAIGHT * spacing).any():
        yield "are oblique, by more than 5°, and are learned along their own axes"


def _nibabel(path: File) -> Any:
    try:
        return importlib.import_module("nibabel")
    except ImportError:
        raise BadFile(path, f"is read and written by nibabel: {HINT}") from None


def _nifti(path: File) -> Volume:
    with _opened(path) as image:
        if np.prod(image.shape, dtype=float) > MAX_VALUES:
            shape = "×".join(map(str, image.shape))
            raise BadFile(path, f"has {shape} values; at most {MAX_VALUES:,} are decoded")
        try:
            values = np.asanyarray(image.dataobj)
        except Exception as error:  # of gzip, of nibabel, of zlib
            raise BadFile(path, f"is cut short or damaged ({type(error).__name__})") from error
        return _turned(path, values.astype(values.dtype.newbyteorder("="), copy=False), _affine(image))


def _affine(image: Any) -> Affine:
    """That of an image, in mm."""
    mm = MM.get(image.header.get_xyzt_units()[0], 1.0)
    return np.vstack([image.affine[:3] * mm, image.affine[3:]])


@contextmanager
def _opened(path: File) -> Iterator[Any]:
    """The image of a file, of which nothing but the header is read. Raises `BadFile`."""
    nibabel = _nibabel(path)
    check_file(path, limit=MAX_BYTES)
    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)  # what is wrong is raised, too
    with ExitStack() as stack:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = _image(nibabel, stack.enter_context(path.open("rb")))
        except Exception as error:  # of gzip, of nibabel, of zlib
            raise BadFile(path, f"is no file of NIfTI ({type(error).__name__})") from error
        if image is None:
            raise BadFile(path, "is no file of NIfTI: its header is another one")
        if int(image.header["intent_code"]) in CIFTI:
            raise BadFile(path, "holds CIFTI, which is no volume of voxels")
        yield image


def _image(nibabel: Any, file: BufferedIOBase) -> Any:
    """The image of an open file, compressed or not; None: it is not NIfTI."""
    packed = file.read(len(GZIP)) == GZIP
    file.seek(0)
    plain = gzip.GzipFile(fileobj=file) if packed else file
    header = plain.read(MAX_HEADER)
    plain.seek(0)
    kinds = (nibabel.Nifti1Image, nibabel.Nifti2Image)
    found = [kind for kind in kinds if kind.header_class.may_contain_header(header)]
    return found[0].from_stream(plain) if found else None


def _dicom(path: File) -> Volume:
    """Frames of a file one above another; where it does not tell their places, voxels of 1 mm."""
    found = dicom_file.read(path)
    affine = np.eye(4) if found.affine is None else found.affine
    return replace(_turned(path, found.values.transpose(2, 1, 0, 3), affine), window=found.window)


def _turned(path: File, values: Any, affine: Affine) -> Volume:
    """(X, Y, Z, …) with an affine → the same, with axes and directions as near to `CANONICAL` as can be."""
    orientations = _nibabel(path).orientations
    shape = (*values.shape, 1, 1)[:3]
    extra = [n for n in values.shape[3:] if n > 1]
    if len(extra) > 1:
        raise BadValue(f"has an array of shape {list(values.shape)}; give three axes and one of channels")
    channels_last = values.reshape(*shape, *(extra or [1]))
    turn = orientations.io_orientation(checked_affine(affine))
    turned = orientations.apply_orientation(channels_last, turn)
    placed = affine @ orientations.inv_ornt_aff(turn, shape)
    return Volume(np.ascontiguousarray(turned.transpose(2, 1, 0, 3)), placed)
