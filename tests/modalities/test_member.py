"""Files inside archives, beside the same files on their own."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from archives import member_of
from dicoms import scan, write_dicom
from numpy.typing import NDArray
from PIL import Image

from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Modality
from modaloom.modalities.mp3 import mp3_samples

RATE = 16_000
SOUNDS = {"wav": ("WAV", "PCM_24"), "flac": ("FLAC", "PCM_16"), "mp3": ("MP3", None), "ogg": ("OGG", None)}


@pytest.mark.parametrize("suffix", SOUNDS)
def test_sounds_of_every_kind_are_read(suffix: str, tmp_path: Path) -> None:
    """MP3s are mapped and counted: frames that begin before or go on after them are not theirs."""
    kind, subtype = SOUNDS[suffix]
    wave = 0.3 * np.sin(np.arange(3 * RATE) / 9)
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, wave, RATE, format=kind, subtype=subtype)
    member = member_of(path, before=path.read_bytes() if suffix == "mp3" else b"RIFF" * 99)
    audio = MODALITIES["audio"]
    assert audio.read(member) == audio.read(path)
    assert audio.remarks([member]) == audio.remarks([path])
    if suffix == "mp3":
        assert mp3_samples(member) == mp3_samples(path)


def test_an_animation_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (9, 7), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=100)
    member, video = member_of(tmp_path / "a.gif"), MODALITIES["video"]
    assert video.read(member) == video.read(tmp_path / "a.gif")
    assert MODALITIES["image"].exact is not None
    assert MODALITIES["image"].exact([member]) == MODALITIES["image"].exact([tmp_path / "a.gif"])


def encoded(array: NDArray[Any], kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind)
    return buffer.getvalue()


def saved(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def nifti(version: int) -> bytes:
    nibabel = pytest.importorskip("nibabel")
    kind = (nibabel.Nifti1Image, nibabel.Nifti2Image)[version - 1]
    made: bytes = kind(scan(0, 3, 4, 5), np.diag([-2.0, 1, 3, 1])).to_bytes()
    return made


GREY, COLOURS = scan(), np.arange(8 * 9 * 4, dtype=np.uint8).reshape(8, 9, 4)
KINDS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a.png": ("image", lambda: encoded(COLOURS[..., :3], "PNG")),
    "grey.PNG": ("image", lambda: encoded(COLOURS[..., 0], "PNG")),
    "clear.png": ("raster", lambda: encoded(COLOURS, "PNG")),
    "16.tif": ("raster", lambda: encoded(GREY, "TIFF")),
    "a.npy": ("raster", lambda: saved(COLOURS[..., :2])),
    "a.txt": ("text", lambda: b"a text"),
    "a.json": ("record", lambda: b'{"x": 1.5}'),
    "a.fa": ("sequence", lambda: b">x\r\nACgt\r\n"),
    "a.nii": ("volume", lambda: nifti(1)),
    "2.nii": ("volume", lambda: nifti(2)),
    "a.nii.gz": ("volume", lambda: gzip.compress(nifti(1))),
    "A.NII.GZ": ("volume", lambda: gzip.compress(nifti(2))),
    "packed.nii": ("volume", lambda: gzip.compress(nifti(1))),
}
"""Name → (modality, makes its bytes)."""


def same(a: Any, b: Any) -> bool:
    return np.array_equal(a, b) if isinstance(a, np.ndarray | Image.Image) else bool(a == b)


def check_read_alike(modality: Modality, path: Path) -> None:
    """The value, what is said of it, and what is made of it for its source."""
    member = member_of(path)
    value = modality.read(path)
    assert same(modality.read(member), value)
    assert modality.remarks([member]) == modality.remarks([path])
    assert modality.exact is None or modality.exact([member]) == modality.exact([path])
    a, b = (modality.conform(source, value, True, False).value for source in (member, path))
    assert same(a, b)


@pytest.mark.parametrize("name", KINDS)
def test_files_of_every_kind_are_read(name: str, tmp_path: Path) -> None:
    """The same file on its own is the oracle."""
    modality, made = KINDS[name]
    (tmp_path / name).write_bytes(made())
    check_read_alike(MODALITIES[modality], tmp_path / name)


@pytest.mark.parametrize("modality", ["raster", "volume"])
def test_files_of_dicom_are_read_and_split(modality: str, tmp_path: Path) -> None:
    values = scan() if modality == "raster" else scan(0, 3, 4, 5)
    path = write_dicom(tmp_path / "a.dcm", values, PatientID="7", WindowCenter=9, WindowWidth=5)
    check_read_alike(MODALITIES[modality], path)
    fields = MODALITIES[modality].fields
    assert fields is not None
    assert fields(member_of(path), ["PatientID"]) == {"PatientID": "7"}
    assert MODALITIES["raster"].exact is not None
    assert MODALITIES["raster"].exact([member_of(path)]) == modality


def test_it_is_a_file_that_can_be_sought(tmp_path: Path) -> None:
    """An `io.BytesIO` of the same bytes is the oracle of every move."""
    data = bytes(range(256)) * 90
    (tmp_path / "a.bin").write_bytes(data)
    member, oracle = member_of(tmp_path / "a.bin"), io.BytesIO(data)
    assert (member.name, member.suffix, str(member)) == ("a.bin", ".bin", f"{tmp_path}/a.tar/some/a.bin")
    assert member.read_bytes() == data
    assert member.stat().st_size == len(data)
    assert member.stat().st_mtime_ns == member.archive.stat().st_mtime_ns
    with member.open("rb") as file:
        for offset, whence, n in [(5, 0, 9), (-7, 1, 20_000), (-3, 2, 99), (9, 2, 5), (0, 0, -1), (3, 0, 1)]:
            assert file.seek(offset, whence) == oracle.seek(offset, whence)
            assert file.read(n) == oracle.read(n)
        with pytest.raises(OSError, match="before its start"):
            file.raw.seek(-1)


def test_an_archive_that_became_shorter_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a text")
    member = member_of(tmp_path / "a.txt")
    with member.archive.open("r+b") as file:
        file.truncate(member.offset + 2)
    with pytest.raises(OSError, match="shorter than it was"):
        member.read_bytes()
