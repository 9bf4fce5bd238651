"""Pictures of DICOM as rasters, what reading changes of them, and which files are volumes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadFile
from modaloom.modalities import dicom_file
from modaloom.modalities.dicom_file import INVERTED, PATIENT, SUFFIXES, Window
from modaloom.modalities.files import File

CURVED, FILM = "SIGMOID", ("FrameTime", "FrameTimeVector", "CineRate")
"""Function of a window that is no line (PS3.3, C.11.2.1.3), and fields that tell how fast frames follow."""
TOLD = (
    *("PhotometricInterpretation", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "NumberOfFrames"),
    *FILM,
)
"""Fields of a header that remarks are about."""
PERCENTILES = (1, 99)
"""Of the values, shown as black and white where a file gives no window."""


class Windowed(np.ndarray[Any, np.dtype[Any]]):
    """A raster with its window: which of its values are shown as black and as white."""

    window: Window = (0, 1)

    @classmethod
    def of(cls, values: NDArray[Any], window: Window) -> "Windowed":
        """The same values with a window."""
        found = values.view(cls)
        found.window = window
        return found


def read(path: File) -> Windowed:
    """The only frame of a file, (H, W, C) in its units. Raises `BadFile`."""
    found = dicom_file.read(path)
    if len(found.values) > 1:
        raise BadFile(path, f"holds {len(found.values)} frames, a volume; give it a stream of volumes")
    return Windowed.of(found.values[0], found.window or percentiles(found.values))


def percentiles(values: NDArray[Any]) -> Window:
    """The window of values without one."""
    low, high = np.percentile(values, PERCENTILES)
    return float(low), float(max(high, low + 1e-6))


def exact_modality(paths: Sequence[File]) -> str:
    """`volume` if a file of DICOM has several frames, else `raster`."""
    return "volume" if any(dicom_file.frames_of(path) > 1 for path in _dicom(paths)) else "raster"


def remarks(paths: Sequence[File]) -> list[str]:
    """Says what is shown of files, what is inverted, and how to keep a patient in one split."""
    found = [*_dicom(paths)]
    counts = Counter(remark for path in found for remark in _remarks(path))
    said = [f"{count} of {len(found)} files of DICOM looked at {remark}" for remark, count in counts.items()]
    patients = [patient for path in found if (patient := _patient(path))]
    if len(set(patients)) < len(patients):
        said.append(f"files share a {PATIENT}: --split-by STREAM.{PATIENT} keeps a patient in one split")
    return said


def _dicom(paths: Sequence[File]) -> Iterator[File]:
    return (path for path in paths if path.suffix[1:].lower() in SUFFIXES)


def _remarks(path: File) -> Iterator[str]:
    try:
        facts = dicom_file.fields(path, TOLD)
    except BadFile:  # which reading will name
        return
    if facts.get("PhotometricInterpretation") == INVERTED:
        yield f"are {INVERTED}: their values are inverted, so that high ones are bright"
    if "WindowWidth" in facts:
        yield "are shown by the window in their header"
    else:
        yield f"have no window: percentiles {PERCENTILES[0]} to {PERCENTILES[1]} are shown as black to white"
    if facts.get("VOILUTFunction") == CURVED:
        yield f"ask for a {CURVED} window, and are shown by a straight one; values stay"
    if "VOILUTSequence" in facts:
        yield "have a table of what is shown, which is not used; values stay"
    if facts.get("NumberOfFrames", "1") != "1" and facts.keys() & {*FILM}:
        yield "are films: their frames are the slices of a volume, and time is its third axis"


def _patient(path: File) -> str:
    try:
        return fields(path, [PATIENT]).get(PATIENT, "")
    except BadFile:
        return ""


def fields(path: File, names: Sequence[str]) -> Mapping[str, str]:
    """Those of some fields of a header of DICOM that have a value; none of other files. Raises `BadFile`."""
    return dicom_file.fields(path, names) if [*_dicom([path])] else {}
