"""Files inside archives, beside the same files on their own."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from modaloom.modalities import MODALITIES
from modaloom.modalities.member import Member
from modaloom.modalities.mp3 import mp3_samples

RATE = 16_000
SOUNDS = {"wav": ("WAV", "PCM_24"), "flac": ("FLAC", "PCM_16"), "mp3": ("MP3", None), "ogg": ("OGG", None)}


def member_of(path: Path, before: bytes = b"\xff" * 777) -> Member:
    """The bytes of a file inside of another."""
    archive = path.with_suffix(".tar")
    archive.write_bytes(before + path.read_bytes() + b"\xff" * 5_000)
    return Member(archive, f"some/{path.name}", len(before), path.stat().st_size)


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
