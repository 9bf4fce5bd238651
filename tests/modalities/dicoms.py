"""Files of DICOM: those inside pydicom's wheel, and small ones made here."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray


def inside_wheel(name: str) -> Path:
    """A file that comes with pydicom; the test is skipped where it does not."""
    pytest.importorskip("pydicom")
    from pydicom.data import get_testdata_file

    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.skip(f"pydicom has no {name}")
    return Path(str(found))


def write_dicom(path: Path, values: NDArray[Any], bits: int = 12, **fields: Any) -> Path:
    """A grey file of values (H, W) or (frames, H, W), uncompressed."""
    pydicom = pytest.importorskip("pydicom")
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

    header = pydicom.Dataset()
    header.file_meta = pydicom.dataset.FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = MRImageStorage
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = "1.2.3"
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.Rows, header.Columns = values.shape[-2:]
    if values.ndim == 3:
        header.NumberOfFrames = len(values)
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, bits, bits - 1
    header.PixelRepresentation = int(values.dtype.kind == "i")
    header.PixelData = values.astype(f"<{values.dtype.kind}2").tobytes()
    for name, value in fields.items():
        setattr(header, name, value)
    header.save_as(path, enforce_file_format=True)
    return path


def scan(seed: int = 0, *shape: int) -> NDArray[np.uint16]:
    """12 bits."""
    return np.random.default_rng(seed).integers(0, 4096, shape or (8, 10), np.uint16)
