"""Files of pictures and sound: a stream of each, apart and together again."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modaloom.core.errors import BadFolder
from modaloom.core.types import Sample
from modaloom.data.folder import open_folder
from modaloom.data.inspect import inspect
from modaloom.data.reader import Reader
from modaloom.data.writer import file_names, writing
from modaloom.modalities import MODALITIES
from modaloom.modalities.audio_format import SOUNDS
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video_format import FORMATS as VIDEO_FORMATS
from modaloom.modalities.video_value import Video

av = pytest.importorskip("av")

RATE = 16_000
MODALITY_OF = {"video": "video", "video.sound": "audio", "caption": "text", "music": "audio"}
VIDEO, AUDIO = MODALITIES["video"], MODALITIES["audio"]


def clip(n: int = 8) -> Video:
    return Video.of(np.full((n, 16, 16, 3), 90, np.uint8), 8)


def tone(hz: float = 440.0) -> Audio:
    wave = 0.4 * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE)
    return Audio(wave[None].astype(np.float32), RATE)


def film(path: Path, sound: Audio | None = None) -> None:
    assert VIDEO.tracks is not None
    VIDEO.tracks.write(clip(), {} if sound is None else {"sound": sound}, path)


def test_a_file_feeds_a_stream_of_pictures_and_one_of_sound(tmp_path: Path) -> None:
    """A clip without sound lacks the stream."""
    for i in range(4):
        film(tmp_path / f"{i}.mp4", tone() if i != 2 else None)
        (tmp_path / f"{i}.txt").write_text("a word")
    folder = open_folder(tmp_path)
    assert folder.modality_of == {"text": "text", "video": "video", "video.sound": "audio"}
    assert [("video.sound" in sample.streams) for sample in folder.samples] == [True, True, False, True]
    assert "video.sound is the sound in 3 files of video" in folder.recognised
    found = Reader(folder).read(folder.samples[0]).streams
    assert found["video"].facts == (8, 16, 16, 8)
    assert found["video.sound"].seconds == pytest.approx(1, abs=0.07)
    assert Reader(folder).read(folder.samples[2]).streams.keys() == {"text", "video"}


def test_every_format_of_clips_with_sound_is_also_one_of_sounds(tmp_path: Path) -> None:
    """In a folder it is a clip, and no sound beside it; oracle: the table of formats of clips."""
    for one in VIDEO_FORMATS.values():
        if one.container:
            assert {*one.suffixes} <= {*SOUNDS.suffixes} - {*AUDIO.suffixes}
    film(tmp_path / "a.mkv", tone())
    with av.open(str(tmp_path / "a.mkv")) as source, av.open(str(tmp_path / "a.avi"), "w") as target:
        streams = {0: target.add_stream("mpeg4", rate=8), 1: target.add_stream("pcm_s16le", rate=48_000)}
        streams[0].width = streams[0].height = 16
        for frame in source.decode():
            target.mux(streams[int(isinstance(frame, av.AudioFrame))].encode(frame))
        for stream in streams.values():
            target.mux(stream.encode())
    (tmp_path / "a.mkv").unlink()
    for i in range(3):
        shutil.copy(tmp_path / "a.avi", tmp_path / f"{i}.avi")
    folder = open_folder(tmp_path)
    assert folder.modality_of == {"video": "video", "video.sound": "audio"}
    found = Reader(folder).read(folder.samples[0]).streams
    assert found["video.sound"].seconds == pytest.approx(1, abs=0.07)


def test_a_stream_with_a_name_has_its_sound_below_it(tmp_path: Path) -> None:
    for i in range(4):
        film(tmp_path / f"{i}.front.mp4", tone())
        film(tmp_path / f"{i}.back.webm", tone())
    folder = open_folder(tmp_path)
    assert {*folder.modality_of} == {"front", "front.sound", "back", "back.sound"}


def test_a_file_beside_it_is_the_sound(tmp_path: Path) -> None:
    for i in range(4):
        film(tmp_path / f"{i}.video.mp4", tone(440))
        AUDIO.write(tone(880), tmp_path / f"{i}.video.sound.wav")
    folder = open_folder(tmp_path)
    assert folder.samples[0].streams["video.sound"] == tmp_path / "0.video.sound.wav"
    assert not any("video.sound is" in sentence for sentence in folder.recognised)


def test_a_sound_whose_name_another_kind_has_is_refused(tmp_path: Path) -> None:
    for i in range(4):
        film(tmp_path / f"{i}.video.mp4", tone() if i else None)
        (tmp_path / f"{i}.caption.txt").write_text("a")
    (tmp_path / "0.video.sound.txt").write_text("bang")
    (tmp_path / "1.video.sound.txt").write_text("bang")
    (tmp_path / "2.video.sound.txt").write_text("bang")
    with pytest.raises(BadFolder, match=r"video\.sound"):
        open_folder(tmp_path)


def test_what_cannot_be_opened_has_no_sound_and_is_named_when_it_is_read(tmp_path: Path) -> None:
    for i in range(8):
        film(tmp_path / f"{i}.mp4", tone())
    (tmp_path / "7.mp4").write_bytes((tmp_path / "7.mp4").read_bytes()[:900])
    folder = open_folder(tmp_path)
    assert "video.sound" not in folder.samples[7].streams
    reader = Reader(folder)
    assert reader.value(folder.samples[7], "video") is None
    assert [*reader.skips] == [("7", "video")]


def test_a_damaged_file_is_lost_to_each_of_its_streams(tmp_path: Path) -> None:
    """2 of 8 files are 4 of 16 values: each stream counts its own, and what is wrong is named once."""
    for i in range(8):
        film(tmp_path / f"{i}.mp4", tone())
    folder = open_folder(tmp_path)
    for i in (3, 5):
        (tmp_path / f"{i}.mp4").write_bytes(b"")
    streams = inspect(folder).streams
    assert {name: (one.count, one.broken) for name, one in streams.items()} == {
        "video": (6, 2),
        "video.sound": (6, 2),
    }
    reader = Reader(folder, max_skipped_fraction=0.25)
    for _ in range(2):
        read = [{*reader.read(sample).streams} for sample in folder.samples]
    assert [len(one) for one in read] == [2, 2, 2, 0, 2, 0, 2, 2]
    assert reader.failures() == ["3.mp4: is empty", "5.mp4: is empty"]
    with pytest.raises(BadFolder, match=r"(?s)too many files.*3\.mp4: is empty\n  5\.mp4: is empty$"):
        [*map(Reader(folder).read, folder.samples)]
    for sample in folder.samples:
        (tmp_path / f"{sample.key}.mp4").write_bytes(b"")
    reader = Reader(folder, max_skipped_fraction=1)
    assert not any(reader.read(sample).streams for sample in folder.samples)
    with pytest.raises(BadFolder, match="no file can be read"):
        reader.failures()


def test_a_clip_and_its_sound_are_written_into_one_file_and_read_as_two(tmp_path: Path) -> None:
    samples = [
        Sample("0000", {"video": clip(), "video.sound": tone(), "caption": "a", "music": tone(880)}),
        Sample("0001", {"video": clip(), "caption": "b"}),
        Sample("0002", {"video.sound": tone()}),
    ]
    with writing(tmp_path / "out", MODALITY_OF) as writer:
        for sample in samples:
            writer.write(sample)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("0000.caption.txt", "0000.music.wav", "0000.video.mp4"),
        *("0001.caption.txt", "0001.video.mp4", "0002.video.sound.wav"),
    ]
    names = file_names(samples[0], MODALITY_OF)
    assert names["video"] == names["video.sound"] == "0000.video.mp4"
    folder = open_folder(tmp_path / "out")
    assert folder.modality_of == MODALITY_OF
    assert [{*one.streams} for one in folder.samples] == [{*one.streams} for one in samples]
    read = Reader(folder).read(folder.samples[0]).streams
    waves = [read[name].samples[0][:RATE] for name in ("video.sound", "music")]
    spectrum = [np.abs(np.fft.rfft(wave)).argmax() for wave in waves]
    assert spectrum == pytest.approx([440, 880], abs=2)


def test_a_stream_of_that_name_and_another_kind_is_a_file_of_its_own(tmp_path: Path) -> None:
    sample = Sample("0", {"video": clip(), "video.sound": "a bang"})
    assert file_names(sample, {"video": "video", "video.sound": "text"}) == {
        "video": "0.video.mp4",
        "video.sound": "0.video.sound.txt",
    }


@pytest.mark.parametrize("others", [0, 1])
def test_a_stream_of_gifs_is_video_where_one_has_several_frames(others: int, tmp_path: Path) -> None:
    """Still pictures stay images, and so does a stream with files that are no animations; a run of images has
    their first frames."""
    grey = np.arange(0, 120, 20, np.uint8)[:, None, None]
    still, moving = clip(1), Video.of(grey.repeat(8, 1).repeat(8, 2), 8)
    for i in range(4):
        VIDEO.write(still, tmp_path / f"{i}.gif")
    assert open_folder(tmp_path).modality_of == {"image": "image"}
    VIDEO.write(moving, tmp_path / "3.gif")
    for i in range(others):
        MODALITIES["image"].write(MODALITIES["image"].read(tmp_path / "0.gif"), tmp_path / f"9{i}.png")
    folder = open_folder(tmp_path)
    assert folder.modality_of == {"image": "image" if others else "video"}
    if not others:
        lengths = [Reader(folder).read(sample).streams["image"].length for sample in folder.samples]
        assert lengths == [1, 1, 1, 6]
        pictures = Reader(replace(folder, modality_of={"image": "image"}))
        assert {pictures.read(sample).streams["image"].size for sample in folder.samples[:3]} == {(16, 16)}
        assert pictures.read(folder.samples[3]).streams["image"].getpixel((0, 0)) == (0, 0, 0)
        assert {"video"} <= {*MODALITIES["image"].kin}
