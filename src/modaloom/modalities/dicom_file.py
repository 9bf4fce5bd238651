"""Files of DICOM (PS3.3, PS3.5): pixels in their units, and what is needed to show and place them.

Nothing else of a header leaves this module but the fields that a caller names to split by: it is about
persons. For the same reason no message quotes what pydicom says of a damaged header.
"""

import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadFile
from modaloom.modalities.files import File, check_file

SUFFIXES = ("dcm", "dicom")
MAX_BYTES = 2**30
MAX_VALUES = 2**28
HINT = "pip install 'modaloom[medicine]'"
PATIENT = "PatientID"
INVERTED, PALETTE = "MONOCHROME1", "PALETTE COLOR"
"""Photometric interpretations: high values are dark; values are places in a table of colours."""
TABLE = "ModalityLUTSequence"
"""Field with the value of each stored one, where no slope and intercept tell it (PS3.3, C.11.1)."""
GROUPS: Mapping[str, str] = {
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "WindowCenter": "FrameVOILUTSequence",
    "WindowWidth": "FrameVOILUTSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "SpacingBetweenSlices": "PixelMeasuresSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "ImagePositionPatient": "PlanePositionSequence",
}
"""Field → the functional group that has it in files of several frames (PS3.3, C.7.6.16)."""
TOLERANCE = 0.01
"""mm by which steps from frame to frame may differ."""
Window = tuple[float, float]
"""What is shown as black and as white, in the units of the values."""


@dataclass(frozen=True)
class Dicom:
    """The pixels of a file."""

    values: NDArray[Any]
    """(frames, H, W, C) in the units of the file: grey with high values bright, or RGB."""
    window: Window | None
    """The first one that the file gives."""
    affine: NDArray[np.float64] | None
    """(column, row, frame, 1) → mm to the patient's right, front and head (RAS); None: the file does not tell
    where its pixels are, or its frames are not one step after another."""


def read(path: File) -> Dicom:
    """Decodes a file. Raises `BadFile`."""
    with _opened(path, whole=True) as header:
        frames = num_frames(header)
        values = _pixels(path, header, frames)
        return Dicom(_in_units(header, values), _window(header), _affine(header, frames))


def frames_of(path: File) -> int:
    """Number of frames; 0 of a file that cannot be opened."""
    try:
        with _opened(path) as header:
            return num_frames(header)
    except BadFile:
        return 0


def affine_of(path: File) -> NDArray[np.float64] | None:
    """`Dicom.affine`, without reading pixels. Raises `BadFile`."""
    with _opened(path) as header:
        return _affine(header, num_frames(header))


def fields(path: File, names: Sequence[str]) -> dict[str, str]:
    """Those of some fields of a header that have a value, as text. Raises `BadFile`."""
    with _opened(path) as header:
        return {name: str(header.get(name)) for name in names if header.get(name) not in (None, "")}


def num_frames(header: Any) -> int:
    """Frames of a data set, at least 1."""
    return max(1, int(header.get("NumberOfFrames") or 1))


@contextmanager
def _opened(path: File, whole: bool = False) -> Iterator[Any]:
    """The data set of a file, with or without its pixels. Raises `BadFile`, for whatever is wrong with it."""
    try:
        pydicom = importlib.import_module("pydicom")
    except ImportError:
        raise BadFile(path, f"is read by pydicom: {HINT}") from None
    check_file(path, limit=MAX_BYTES)
    try:
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")
            yield pydicom.dcmread(file, stop_before_pixels=not whole)
    except BadFile:
        raise
    except Exception as error:  # pydicom raises nearly anything on damaged data, and may quote the header
        raise BadFile(path, f"cannot be decoded as DICOM ({type(error).__name__})") from None


def _pixels(path: File, header: Any, frames: int) -> NDArray[Any]:
    """(frames, H, W, C) as they are stored, colours as RGB. Raises `BadFile`."""
    if "Rows" not in header or not {"PixelData", "FloatPixelData", "DoubleFloatPixelData"} & {*header.dir()}:
        raise BadFile(path, f"has no pixels: it is {_kind(header)}")
    samples = int(header.get("SamplesPerPixel", 1))
    shape = frames, int(header.Rows), int(header.Columns), samples
    if np.prod(shape, dtype=float) > MAX_VALUES:
        raise BadFile(path, f"has {'×'.join(map(str, shape))} values; at most {MAX_VALUES:,} are decoded")
    try:
        values: NDArray[Any] = header.pixel_array
    except (RuntimeError, NotImplementedError):
        syntax = header.file_meta.TransferSyntaxUID.name
        raise BadFile(
            path, f"has pixels in {syntax}, which cannot be decoded here; save it without compression"
        ) from None
    except ValueError:
        raise BadFile(path, "has another number of pixels than its header says: it is cut short") from None
    return values.reshape(shape).astype(values.dtype.newbyteorder("="), copy=False)


def _kind(header: Any) -> str:
    known = header.get("SOPClassUID")
    return str(known.name) if known else "of an unknown class"


def _in_units(header: Any, values: NDArray[Any]) -> NDArray[Any]:
    """Stored values → grey with high values bright, in the units of the file; or colours."""
    kind = header.get("PhotometricInterpretation", "")
    if kind == PALETTE:
        return np.asarray(importlib.import_module("pydicom.pixels").apply_color_lut(values[..., 0], header))
    if header.get(TABLE):
        values = np.asarray(importlib.import_module("pydicom.pixels").apply_modality_lut(values, header))
    if kind == INVERTED:
        values = (_mirror(header) - values.astype(np.int64)).astype(values.dtype)
    scales = [_scale(header, frame) for frame in range(len(values))]
    if all(scale == (1, 0) for scale in scales):
        return values
    slopes, intercepts = (np.array(part)[:, None, None, None] for part in zip(*scales))
    scaled: NDArray[Any] = (values * slopes + intercepts).astype(np.float32)
    return scaled


def _mirror(header: Any) -> int:
    """The sum of a value, before slope and intercept, and the one that it is inverted to."""
    if table := header.get(TABLE):
        return (1 << int(table[0].LUTDescriptor[2])) - 1
    return -1 if header.PixelRepresentation else (1 << int(header.BitsStored)) - 1


def _scale(header: Any, frame: int) -> tuple[float, float]:
    """Slope and intercept from stored values to units: of the modality, or of a dose."""
    slope = _field(header, "RescaleSlope", frame)
    slope = header.get("DoseGridScaling") if slope is None else slope
    return float(1 if slope is None else slope), float(_field(header, "RescaleIntercept", frame) or 0)


def _field(header: Any, name: str, frame: int = 0) -> Any:
    """A field of a frame: its own, that of all frames, or that of the file."""
    own = header.get("PerFrameFunctionalGroupsSequence") or ()
    for groups in (*own[frame : frame + 1], *(header.get("SharedFunctionalGroupsSequence") or ())):
        for group in groups.get(GROUPS[name]) or ():
            if group.get(name) is not None:
                return group.get(name)
    return header.get(name)


def _window(header: Any) -> Window | None:
    """The first window of the first frame (PS3.3, C.11.2.1.2); of inverted grey, inverted."""
    centre, width = (_first(_field(header, name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is None or not width:
        return None
    if header.get("PhotometricInterpretation") == INVERTED:
        slope, intercept = _scale(header, 0)
        centre = _mirror(header) * slope + 2 * intercept - centre
    return centre - width / 2, centre + width / 2


def _first(value: Any) -> float | None:
    """The first of several numbers, or the only one."""
    found = np.ravel(np.asarray([] if value is None else value, dtype=float))
    return float(found[0]) if len(found) else None


def _affine(header: Any, frames: int) -> NDArray[np.float64] | None:
    """Where pixels are (PS3.3, C.7.6.2.1.1), with x and y turned from left and back to right and front."""
    field: Callable[[str], Any] = partial(_field, header)
    spacing, turned, first = map(field, ("PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient"))
    if spacing is None or turned is None or first is None:
        return None
    along_row, along_column = np.array(turned, float).reshape(2, 3)
    steps = _steps(header, frames, np.cross(along_row, along_column))
    if not (np.allclose(steps, steps[0], atol=TOLERANCE) and steps[0].any()):
        return None
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = along_row * float(spacing[1]), along_column * float(spacing[0])
    affine[:3, 2], affine[:3, 3] = steps[0], np.array(first, float)
    return np.diag([-1.0, -1, 1, 1]) @ affine


def _steps(header: Any, frames: int, normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """mm from each frame to the next, (n, 3): by their positions, offsets, spacing or thickness."""
    if frames > 1 and "PerFrameFunctionalGroupsSequence" in header:
        places = [_field(header, "ImagePositionPatient", frame) for frame in range(frames)]
        return np.diff(np.array(places, float), axis=0)
    if (offsets := header.get("GridFrameOffsetVector")) is not None and frames > 1:
        return np.outer(np.diff(np.array(offsets, float)), normal)
    steps = (_first(_field(header, name)) for name in ("SpacingBetweenSlices", "SliceThickness"))
    return normal[None] * next((step for step in steps if step), 1.0)
