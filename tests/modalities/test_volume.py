"""Volumes: values and places. Oracles: nibabel's own reading and turning of the files in its wheel, and
volumes whose values are a known function of where they are."""

import gzip
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archives import member_of
from dicoms import inside_wheel, scan, write_dicom
from numpy.typing import NDArray

from modaloom.core.errors import BadFile, BadValue
from modaloom.data.folder import open_folder
from modaloom.modalities.volume import VOLUME
from modaloom.modalities.volume_grid import VolumeLimits, on_grid
from modaloom.modalities.volume_value import Volume

nibabel = pytest.importorskip("nibabel")


def in_wheel(name: str) -> Path:
    path = Path(nibabel.__file__).parent / "tests" / "data" / name
    if not path.exists():
        pytest.skip(f"nibabel has no {name}")
    return path


def places(volume: Volume) -> NDArray[np.float64]:
    """(Z, Y, X, 3): where each voxel is, mm."""
    z, y, x = np.indices(volume.shape)
    found: NDArray[np.float64] = np.stack([x, y, z, np.ones_like(x)], -1) @ volume.affine.T
    return found[..., :3]


def ramp(mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """A value that tells a place."""
    return 3 * mm[..., 0] + 50 * mm[..., 1] - 700 * mm[..., 2]


def blob(shape: tuple[int, int, int], spacing: tuple[float, float, float], centre: float = 0.0) -> Volume:
    """A ball of 12 mm (standard deviation) at (centre, 0, 0) of a grid around the origin."""
    affine = np.diag([*spacing[::-1], 1.0])
    affine[:3, 3] = [-(n - 1) / 2 * mm for n, mm in zip(shape[::-1], spacing[::-1])]
    empty = Volume(np.zeros(shape, np.float32), affine)
    off = places(empty) - [centre, 0, 0]
    return Volume(1000 * np.exp(-(off**2).sum(-1) / 2 / 12**2).astype(np.float32), affine)


@pytest.mark.parametrize("name", ["anatomical.nii", "example4d.nii.gz", "reoriented_anat_moved.nii"])
def test_real_files_have_their_values_at_their_places(name: str, tmp_path: Path) -> None:
    path = in_wheel(name)
    expected = nibabel.as_closest_canonical(nibabel.load(path))
    found = VOLUME.read(path)
    assert found.values.dtype == nibabel.load(path).get_data_dtype().newbyteorder("=")
    assert np.array_equal(found.values.transpose(2, 1, 0, 3).squeeze(), expected.get_fdata())
    np.testing.assert_allclose(found.affine, expected.affine)
    for suffix in VOLUME.suffixes:
        VOLUME.write(found, tmp_path / f"a.{suffix}")
        again = nibabel.load(tmp_path / f"a.{suffix}")
        assert again.get_data_dtype() == found.values.dtype
        assert again.header.get_xyzt_units()[0] == "mm"
        assert nibabel.aff2axcodes(again.affine) == ("R", "A", "S")
        np.testing.assert_allclose(again.affine, expected.affine, atol=1e-4)
        assert np.array_equal(again.get_fdata(), expected.get_fdata())


def test_every_orientation_is_turned_with_its_places(tmp_path: Path) -> None:
    """The 48 ways to store a volume, each with voxels whose values tell where they are."""
    for axes, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        affine = np.eye(4)
        affine[:3, :3] = np.diag([1.0, 2, 4])[:, axes] * signs
        affine[:3, 3] = [5, -6, 7]
        i, j, k = np.indices((3, 4, 5))
        mm = np.stack([i, j, k, np.ones_like(i)], -1) @ affine.T
        nibabel.save(nibabel.Nifti1Image(ramp(mm[..., :3]).astype(np.float32), affine), tmp_path / "a.nii")
        found = VOLUME.read(tmp_path / "a.nii")
        np.testing.assert_allclose(found.values[..., 0], ramp(places(found)), rtol=1e-5)
        np.testing.assert_allclose(found.spacing, [4, 2, 1])
        assert (np.diag(found.affine)[:3] > 0).all()


def test_types_units_and_scales(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-2000, 4000, (3, 4, 5))
    for kind, kept in {"int16": "int16", "int32": "float32", "float64": "float32", "uint8": "uint8"}.items():
        stored = (values % 200 if kind == "uint8" else values).astype(kind)
        image = nibabel.Nifti1Image(stored, np.eye(4))
        image.header.set_xyzt_units("meter")
        nibabel.save(image, tmp_path / f"{kind}.nii.gz")
        found = VOLUME.read(tmp_path / f"{kind}.nii.gz")
        assert found.values.dtype == kept
        assert np.array_equal(found.values[..., 0], stored.transpose(2, 1, 0))
        assert found.spacing.tolist() == [1000, 1000, 1000]
    image = nibabel.Nifti1Image(values.astype(np.int16), np.eye(4))
    image.header.set_slope_inter(0.5, -100)
    nibabel.save(image, tmp_path / "scaled.nii")
    scaled = nibabel.load(tmp_path / "scaled.nii").get_fdata().transpose(2, 1, 0)
    np.testing.assert_allclose(VOLUME.read(tmp_path / "scaled.nii").values[..., 0], scaled, rtol=1e-6)


def test_what_is_no_volume_is_refused(tmp_path: Path) -> None:
    data = gzip.decompress(in_wheel("example_nifti2.nii.gz").read_bytes())
    whole = in_wheel("anatomical.nii").read_bytes()
    files = {
        "short.nii": (whole[:30_000], r"is cut short or damaged \(OSError\)"),
        "short.nii.gz": (gzip.compress(data)[:9000], r"is cut short or damaged \(EOFError\)"),
        "header.nii": (whole[:200], "is no file of NIfTI"),
        "text.nii.gz": (b"three", "is no file of NIfTI: its header is another one"),
        "packed text.nii.gz": (gzip.compress(b"three" * 999), "is no file of NIfTI: its header is another"),
        "bad.nii.gz": (gzip.compress(data)[:20] + bytes(99), r"is no file of NIfTI \(\w*[eE]rror\)"),
    }
    for name, (content, reason) in files.items():
        (tmp_path / name).write_bytes(content)
        path, member = tmp_path / name, member_of(tmp_path / name)
        for file in (path, member):
            with pytest.raises(BadFile, match=reason):
                VOLUME.read(file)
        assert VOLUME.remarks([member]) == VOLUME.remarks([path])
    with pytest.raises(BadFile, match=r"an array of shape \[3, 21, 17, 20\] is no volume .* 16 channels"):
        VOLUME.read(in_wheel("functional.nii"))
    with pytest.raises(BadFile, match="holds CIFTI, which is no volume of voxels"):
        VOLUME.read(in_wheel("row_major.dconn.nii"))
    nibabel.save(nibabel.Nifti1Image(np.full((3, 3, 3), np.nan), np.eye(4)), tmp_path / "nan.nii")
    with pytest.raises(BadFile, match="has 27 values that are NaN or infinite"):
        VOLUME.read(tmp_path / "nan.nii")
    with pytest.raises(BadValue, match="affine that maps voxels to no places"):
        Volume(np.zeros((2, 2, 2), np.uint8), np.zeros((4, 4)))
    image = nibabel.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4))
    image.set_sform(np.diag([1, 0, 1, 1]), code=2)
    nibabel.save(image, tmp_path / "flat.nii")
    with pytest.raises(BadFile, match="affine that maps voxels to no places"):
        VOLUME.read(tmp_path / "flat.nii")


def test_volumes_of_one_grid_are_packed_exactly_and_come_back_to_their_places() -> None:
    affine = np.array([[0.0, -1, 0, 9], [1, 0, 0, -4], [0, 0, 3, 2], [0, 0, 0, 1]])
    volumes = [Volume(scan(i, 9, 10, 13)[..., None], affine) for i in range(3)]
    spec = VOLUME.infer_spec(volumes, VolumeLimits(32))
    assert (spec["content"], spec["size"], spec["type"]) == ([9, 10, 13], [12, 12, 16], "uint16")
    for volume in volumes:
        assert VOLUME.signal.unpack(VOLUME.signal.pack(volume, spec), spec) == volume
        assert VOLUME.shortened(volume, spec) == []


def test_volumes_of_different_spacing_are_one_size_in_mm() -> None:
    """A ball of 12 mm is one, whatever the voxels. Oracle: the formula on the grid that was inferred."""
    volumes = [
        blob((16, 40, 40), (5, 2, 2)), blob((40, 80, 80), (2, 1, 1)), blob((27, 27, 27), (3, 3, 3)),
    ]  # fmt: skip
    spec = VOLUME.infer_spec(volumes, VolumeLimits(40))
    assert spec["spacing"] == pytest.approx([3, 2.025, 2.025])
    assert spec["content"] == [27, 40, 40]
    grid = Volume(np.zeros(spec["content"], np.float32), np.array(spec["affine"]))
    expected = 1000 * np.exp(-(places(grid) ** 2).sum(-1) / 2 / 12**2)
    for volume in volumes:
        found = VOLUME.signal.unpack(VOLUME.signal.pack(volume, spec), spec)
        inside = expected > 300
        np.testing.assert_allclose(found.values[..., 0][inside], expected[inside], rtol=0.08)
    reduced = VOLUME.shortened(volumes[1], spec)
    assert [one.how for one in reduced] == ["are reduced to voxels of 2.025×2.025×3 mm"]
    (cut,) = VOLUME.shortened(blob((80, 40, 40), (3, 2.1, 2.1)), spec)
    assert cut.how == "reach beyond 81×81×81 mm, and are cut there"


def test_what_is_cut_is_the_rim() -> None:
    small, large = blob((8, 8, 8), (4, 4, 4)), blob((16, 16, 16), (4, 4, 4))
    spec = VOLUME.infer_spec([small], VolumeLimits(32))
    np.testing.assert_allclose(on_grid(large, spec), on_grid(small, spec))


def test_other_types_and_channels_are_refused() -> None:
    spec = VOLUME.infer_spec([blob((8, 8, 8), (1, 1, 1))], VolumeLimits())
    with pytest.raises(BadValue, match="has 1 channels of uint16; the stream has 1 of float32"):
        VOLUME.signal.pack(Volume(scan(0, 8, 8, 8)), spec)
    with pytest.raises(BadValue, match="the files have 1 channels of float32 and 1 channels of uint16"):
        VOLUME.infer_spec([blob((8, 8, 8), (1, 1, 1)), Volume(scan(0, 8, 8, 8))], VolumeLimits())


def test_frames_of_dicom_are_a_volume_where_the_file_says(tmp_path: Path) -> None:
    """A dose of the wheel, in the patient's coordinates of DICOM: left, back, head."""
    pydicom = pytest.importorskip("pydicom")
    path = inside_wheel("rtdose.dcm")
    header = pydicom.dcmread(path)
    dose = header.pixel_array * float(header.DoseGridScaling)
    found = VOLUME.read(path)
    assert found.shape == dose.shape
    mm = places(found) * [-1, -1, 1]  # left, back, head
    column = (mm[..., 0] - header.ImagePositionPatient[0]) / header.PixelSpacing[1]
    row = (mm[..., 1] - header.ImagePositionPatient[1]) / header.PixelSpacing[0]
    frame = (mm[..., 2] - header.ImagePositionPatient[2]) / 5
    i, j, k = (np.round(one).astype(int) for one in (frame, row, column))
    np.testing.assert_allclose(found.values[..., 0], dose[i, j, k], rtol=1e-6)


def of_frames(path: Path, values: NDArray[Any], steps: list[float]) -> Path:
    """An enhanced file with the place, slope and window of each frame in groups of its own."""
    pydicom = pytest.importorskip("pydicom")

    def group(**fields: Any) -> Any:
        found = pydicom.Dataset()
        for name, value in fields.items():
            setattr(found, name, value)
        return found

    frames = [
        group(
            PlanePositionSequence=[group(ImagePositionPatient=[1, 2, z])],
            PixelValueTransformationSequence=[group(RescaleSlope=1 + i, RescaleIntercept=-i)],
        )
        for i, z in enumerate(steps)
    ]
    shared = group(
        PixelMeasuresSequence=[group(PixelSpacing=[2, 3])],
        PlaneOrientationSequence=[group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
        FrameVOILUTSequence=[group(WindowCenter=100, WindowWidth=50)],
    )
    groups = {"PerFrameFunctionalGroupsSequence": frames, "SharedFunctionalGroupsSequence": [shared]}
    return write_dicom(path, values, **groups)


def test_frames_have_places_and_units_of_their_own(tmp_path: Path) -> None:
    values = scan(0, 4, 5, 6)
    found = VOLUME.read(of_frames(tmp_path / "a.dcm", values, [0, -1.5, -3, -4.5]))
    expected = np.stack([frame * (1.0 + i) - i for i, frame in enumerate(values)])
    assert np.array_equal(found.values[..., 0], expected[::-1, ::-1, ::-1])  # from the feet, back and left on
    np.testing.assert_allclose(found.spacing, [1.5, 2, 3])
    np.testing.assert_allclose(places(found)[-1, -1, -1], [-1, -2, 0])
    assert found.window == (75, 125)
    assert "shown: 75 to 125" in VOLUME.to_html(found, {})
    for steps in ([0, 1, 2, 9], [3, 3, 3, 3]):  # a gap; over time, at one place
        assert np.array_equal(VOLUME.read(of_frames(tmp_path / "b.dcm", values, steps)).affine, np.eye(4))


def test_folders_of_frames_and_of_nifti_are_of_volumes(tmp_path: Path) -> None:
    for i in range(3):
        write_dicom(tmp_path / f"{i}.ct.dcm", scan(i, 4, 5, 6))
        turned = np.diag([-2.0, 2, 2 + i, 1])
        nibabel.save(nibabel.Nifti1Image(scan(i, 4, 5, 6), turned), tmp_path / f"{i}.mr.nii.gz")
    folder = open_folder(tmp_path)
    assert folder.modality_of == {"ct": "volume", "mr": "volume"}
    assert [sample.key for sample in folder.samples] == ["0", "1", "2"]
    said = "\n".join(folder.recognised)
    assert "mr: 3 of 3 files looked at are stored as LAS, and are turned to RAS" in said
    assert "mr: voxels have several sizes (2×2×2 and 2×2×3 mm …): all are resampled" in said


def test_oblique_volumes_are_told_and_keep_their_places(tmp_path: Path) -> None:
    """Turned about z. Oracle: the affine itself, and what is read of what is written."""
    for degrees in (0, 4, 6, 84, 86, -30):
        turn, path = np.deg2rad(degrees), tmp_path / f"{degrees}.nii.gz"
        affine = np.eye(4)
        affine[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
        affine[:3, :3] *= [0.002, 0.003, 0.004]
        affine[:3, 3] = [5, -7, 2]
        image = nibabel.Nifti1Image(scan(0, 4, 5, 6), affine)
        image.header.set_xyzt_units("meter")
        nibabel.save(image, path)
        said = [one for one in VOLUME.remarks([path]) if "oblique" in one]
        assert bool(said) == (degrees in (6, 84, -30))
        found = VOLUME.read(path)
        assert sorted(found.spacing) == pytest.approx([2, 3, 4])
        VOLUME.write(found, tmp_path / "again.nii.gz")
        assert VOLUME.read(tmp_path / "again.nii.gz") == found


def test_what_dicom_says_and_does_not_say_of_places_is_told(tmp_path: Path) -> None:
    def said(path: Path) -> set[str]:
        kinds = ("oblique", "films", "count as 1 mm", "stored as LPS")
        return {kind for kind in kinds if any(kind in one for one in VOLUME.remarks([path]))}

    values = scan(0, 4, 5, 6)
    turned = {"ImageOrientationPatient": [0.8, 0.6, 0, -0.6, 0.8, 0], "ImagePositionPatient": [0, 0, 0]}
    oblique = write_dicom(tmp_path / "a.dcm", values, PixelSpacing=[1, 1], SpacingBetweenSlices=2, **turned)
    assert said(oblique) == {"oblique", "stored as LPS"}
    assert said(of_frames(tmp_path / "b.dcm", values, [0, 1, 2, 3])) == {"stored as LPS"}
    assert said(write_dicom(tmp_path / "c.dcm", values, FrameTime=40)) == {"films", "count as 1 mm"}


def test_a_restored_volume_is_where_its_source_is() -> None:
    source = blob((4, 6, 8), (3, 2, 1), centre=5)
    made = VOLUME.conform(source, Volume(np.zeros((4, 12, 16), np.float32)), True, False).value
    np.testing.assert_allclose(made.spacing, [3, 1, 0.5])
    np.testing.assert_allclose(made.centre, source.centre)


def test_metrics_are_of_the_measured_range() -> None:
    volume = blob((8, 8, 8), (4, 4, 4))
    low, high = float(volume.values.min()), float(volume.values.max())
    other = Volume(volume.values[..., 0].clip(low, high - 100), volume.affine)
    for spec in (VOLUME.infer_spec([volume], VolumeLimits()), VOLUME.signal.measure([volume])):
        error = float((((other.values - volume.values) / (high - low)) ** 2).mean())
        assert VOLUME.compare(other, volume, spec)["mse"] == pytest.approx(error, rel=1e-2)
        assert VOLUME.compare(volume, volume, spec)["ssim"] == pytest.approx(1)
