"""Files of DICOM as rasters. Oracles: pydicom's own decoding and rescaling of the files in its wheel, and the
formulas of PS3.3 (C.7.6.3.1.2, C.11.1, C.11.2) on files that are made here."""

import shutil
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from dicoms import inside_wheel, scan, write_dicom

from modaloom.core.errors import BadFile, BadValue
from modaloom.data.folder import open_folder
from modaloom.data.split import split
from modaloom.modalities import dicom_file
from modaloom.modalities.raster import RASTER

pydicom = pytest.importorskip("pydicom")
LOSSLESS = [
    *("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm"),
    *("CT_small.dcm", "examples_overlay.dcm", "image_dfl.dcm", "liver_1frame.dcm", "SC_rgb_rle_16bit.dcm"),
    *("SC_ybr_full_422_uncompressed.dcm", "examples_rgb_color.dcm", "SC_rgb_jpeg_dcmtk.dcm"),
]
REFUSED = {
    "MR_truncated.dcm": "has another number of pixels than its header says: it is cut short",
    "rtplan.dcm": "has no pixels: it is RT Plan Storage",
    "waveform_ecg.dcm": "has no pixels: it is 12-lead ECG Waveform Storage",
    "MR_small_jpeg_ls_lossless.dcm": "has pixels in JPEG-LS Lossless Image Compression, which cannot be",
    "SC_rgb_jpeg_gdcm.dcm": "has pixels in JPEG Lossless, .* save it without compression",
    "badVR.dcm": r"cannot be decoded as DICOM \(ValueError\)",
    "no_meta.dcm": r"cannot be decoded as DICOM \(InvalidDicomError\)",
    "examples_ybr_color.dcm": "holds 30 frames, a volume",
    "SC_rgb_rle_32bit.dcm": "has values of type uint32, which float32 does not hold exactly",
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_pixels_have_their_values_in_the_units_of_the_file(name: str) -> None:
    path = inside_wheel(name)
    header = pydicom.dcmread(path)
    expected = pydicom.pixels.apply_rescale(header.pixel_array, header)
    found = RASTER.read(path)
    assert found.ndim == 3
    assert np.array_equal(found.squeeze(), expected)
    assert np.array_equal(RASTER.coerce(str(path)), found)


def test_colours_of_a_palette_are_colours() -> None:
    path = inside_wheel("examples_palette.dcm")
    header = pydicom.dcmread(path)
    expected = pydicom.pixels.apply_color_lut(header.pixel_array, header)
    assert np.array_equal(RASTER.read(path), expected)


def test_a_dose_is_in_gray() -> None:
    path = inside_wheel("rtdose_1frame.dcm")
    header = pydicom.dcmread(path)
    expected = header.pixel_array * float(header.DoseGridScaling)
    np.testing.assert_allclose(RASTER.read(path)[..., 0], expected, rtol=1e-6)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_named(name: str) -> None:
    path = inside_wheel(name)
    with pytest.raises(BadFile, match=REFUSED[name]) as caught:
        RASTER.read(path)
    assert caught.value.path == path


def test_12_bits_stay_and_units_are_applied(tmp_path: Path) -> None:
    values = scan()
    plain = RASTER.read(write_dicom(tmp_path / "1.dcm", values))
    assert plain.dtype == np.uint16
    assert np.array_equal(plain[..., 0], values)
    hounsfield = RASTER.read(write_dicom(tmp_path / "2.dcm", values, RescaleSlope=2, RescaleIntercept=-1024))
    assert hounsfield.dtype == np.float32
    assert np.array_equal(hounsfield[..., 0], 2.0 * values - 1024)


def test_low_values_of_monochrome1_are_bright(tmp_path: Path) -> None:
    values = scan()
    found = RASTER.read(write_dicom(tmp_path / "1.dcm", values, PhotometricInterpretation="MONOCHROME1"))
    assert found.dtype == np.uint16
    assert np.array_equal(found[..., 0], 4095 - values)
    signed = (values.astype(np.int16) - 2048).astype(np.int16)
    found = RASTER.read(write_dicom(tmp_path / "2.dcm", signed, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(found[..., 0], -1 - signed)
    units = {"RescaleSlope": 0.5, "RescaleIntercept": 10, "PhotometricInterpretation": "MONOCHROME1"}
    found = RASTER.read(write_dicom(tmp_path / "3.dcm", values, **units))
    assert np.array_equal(found[..., 0], (4095 - values) * 0.5 + 10)
    said, *_ = RASTER.remarks(sorted(tmp_path.iterdir()))
    assert said.startswith("3 of 3 files of DICOM looked at are MONOCHROME1: their values are inverted")


@pytest.mark.parametrize("signed", [False, True])
def test_a_window_of_monochrome1_shows_the_same_values(signed: bool, tmp_path: Path) -> None:
    """What is shown dark is inverted with its window: the share of its way from black to white is one minus
    that of the formula (PS3.3, C.11.2.1.2) on values that are not inverted."""
    values = scan().astype(np.int16) - 2048 if signed else scan()
    units = {"RescaleSlope": 0.5, "RescaleIntercept": 10, "WindowCenter": 300, "WindowWidth": 900}
    plain, inverted = (
        RASTER.read(write_dicom(tmp_path / f"{kind}.dcm", values, PhotometricInterpretation=kind, **units))
        for kind in ("MONOCHROME2", "MONOCHROME1")
    )
    shown = [(one - one.window[0]) / (one.window[1] - one.window[0]) for one in (plain, inverted)]
    np.testing.assert_allclose(shown[1], 1 - np.asarray(shown[0]), atol=1e-5)


def test_a_table_tells_the_units(tmp_path: Path) -> None:
    """Oracle: the table itself, of the values that are stored (PS3.3, C.11.1.1)."""
    table = np.round(np.arange(4096) ** 2 / 300).astype("<u2")
    lut = pydicom.Dataset()
    lut.add_new("LUTDescriptor", "US", [4096, 0, 16])
    lut.add_new("LUTData", "OW", table.tobytes())
    values, window = scan(), {"WindowCenter": 1000, "WindowWidth": 100}
    fields = {"ModalityLUTSequence": [lut], **window}
    found = RASTER.read(write_dicom(tmp_path / "1.dcm", values, **fields))
    assert np.array_equal(found[..., 0], table[values])
    path = write_dicom(tmp_path / "2.dcm", values, PhotometricInterpretation="MONOCHROME1", **fields)
    inverted = RASTER.read(path)
    assert np.array_equal(inverted[..., 0], 65535 - table[values])
    assert (found.window, inverted.window) == ((950, 1050), (64485, 64585))


def test_windows_are_those_of_the_files_else_percentiles(tmp_path: Path) -> None:
    values = scan()
    windows = [[40, 400], [50, 350], [60, 300]]
    given = [
        RASTER.read(write_dicom(tmp_path / f"{i}.dcm", values, WindowCenter=[c, 9], WindowWidth=[w, 9]))
        for i, (c, w) in enumerate(windows)
    ]
    spec = RASTER.infer_spec(given, RASTER.limits)
    assert spec["window"] == [-125, 225]
    assert RASTER.infer_spec([np.asarray(given[0])], RASTER.limits).get("window") is None
    assert "shown: -160 to 240" in RASTER.to_html(given[0], {})
    assert "shown: -125 to 225" in RASTER.to_html(np.asarray(given[0]), spec)
    none = RASTER.read(write_dicom(tmp_path / "none.dcm", values))
    low, high = np.percentile(values, (1, 99))
    assert RASTER.infer_spec([none], RASTER.limits)["window"] == pytest.approx([low, high])
    assert RASTER.remarks(sorted(tmp_path.iterdir())) == [
        "3 of 4 files of DICOM looked at are shown by the window in their header",
        "1 of 4 files of DICOM looked at have no window: percentiles 1 to 99 are shown as black to white",
    ]
    window = {"WindowCenter": 40, "WindowWidth": 400, "VOILUTFunction": "SIGMOID"}
    curved = write_dicom(tmp_path / "curved.dcm", values, **window)
    assert any("ask for a SIGMOID window" in one for one in RASTER.remarks([curved]))


def test_a_folder_of_them_is_of_rasters_and_a_patient_stays_in_one_split(tmp_path: Path) -> None:
    patients = {}
    for i in range(40):
        patients[f"{i:02d}"] = f"Doe^{i // 4}"
        write_dicom(tmp_path / f"{i:02d}.dcm", scan(i), PatientID=patients[f"{i:02d}"])
    folder = open_folder(tmp_path)
    assert folder.modality_of == {"raster": "raster"}
    assert any("--split-by STREAM.PatientID keeps a patient in one split" in one for one in folder.recognised)
    splits = defaultdict[str, set[str]](set)
    for key, name in split(folder, by="raster.PatientID").items():
        splits[patients[key]].add(name)
    assert all(len(names) == 1 for names in splits.values())
    assert {name for names in splits.values() for name in names} == {"train", "val", "test"}
    with pytest.raises(BadValue, match=r"has no raster\.StudyID"):
        split(folder, by="raster.StudyID")


def test_nothing_of_a_header_but_pixel_facts_is_told(tmp_path: Path) -> None:
    secret = "Doe^Jane"
    write_dicom(tmp_path / "1.dcm", scan(), PatientName=secret, PatientID=secret, PatientComments=secret)
    shutil.copy(inside_wheel("badVR.dcm"), tmp_path / "2.dcm")
    folder = open_folder(tmp_path)
    value = RASTER.read(tmp_path / "1.dcm")
    told = [*folder.recognised, RASTER.to_html(value, {}), str(RASTER.describe([value]))]
    told.append(str(RASTER.infer_spec([value], RASTER.limits)))
    with pytest.raises(BadFile) as caught:
        RASTER.read(tmp_path / "2.dcm")
    told.append(str(caught.value))
    assert not any("Doe" in one for one in told)
    assert dicom_file.fields(tmp_path / "1.dcm", ["PatientID", "StudyID"]) == {"PatientID": secret}


def test_what_to_install_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_dicom(tmp_path / "1.dcm", scan())
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(BadFile, match=r"pip install 'modaloom\[medicine\]'"):
        RASTER.read(path)


def test_real_films_are_inverted() -> None:
    path = inside_wheel("MR_small.dcm").parent / "dicomdirtests" / "77654033" / "CR1" / "6154"
    if not path.exists():
        pytest.skip("pydicom has no film")
    header = pydicom.dcmread(path)
    assert header.PhotometricInterpretation == "MONOCHROME1"
    units = pydicom.pixels.apply_rescale(header.pixel_array, header)
    found = dicom_file.read(path).values[0, ..., 0]
    assert np.corrcoef(units.ravel(), found.ravel())[0, 1] == pytest.approx(-1)
