"""Files of clips: every format, what is cut short, odd, turned, clear, or of variable rate."""

import io
import struct
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modaloom.core.errors import BadFile, BadValue
from modaloom.modalities import video_container, video_encode, video_file
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.container import HINT
from modaloom.modalities.video import VIDEO
from modaloom.modalities.video_container import CROP
from modaloom.modalities.video_encode import ENCODINGS, GIF, write, write_like, write_with
from modaloom.modalities.video_file import parts, read
from modaloom.modalities.video_remarks import remarks
from modaloom.modalities.video_value import Video

pytest.importorskip("av")

from clips import KINDS, SIDE, levels, muxed, numbers, put, sounding, square

NTSC = Fraction(30_000, 1001)
RATE = 48_000


def animation(kind: str, frames: np.ndarray, ms: int | list[int] = 100, **options: Any) -> bytes:
    """An animated GIF or WebP by Pillow."""
    images, buffer = [Image.fromarray(frame) for frame in frames], io.BytesIO()
    images[0].save(buffer, kind, save_all=True, append_images=images[1:], duration=ms, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("fps", [8, NTSC, 30])
@pytest.mark.parametrize("suffix", KINDS)
def test_every_container_has_its_frames_at_its_rate(suffix: str, fps: Fraction | int, tmp_path: Path) -> None:
    """29.97 frames a second are not 30."""
    found = read(put(tmp_path, f"a.{suffix}", muxed(suffix, levels(11), fps)))
    assert found.facts == (11, SIDE, SIDE, fps)
    assert numbers(found.frames) == [*range(11)]
    assert numbers(found.frames) == [*range(11)]


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_animations_are_clips(kind: str, tmp_path: Path) -> None:
    lossless = {"lossless": True} if kind == "WEBP" else {}
    found = read(put(tmp_path, f"a.{kind.lower()}", animation(kind, levels(7), 125, **lossless)))
    assert found.facts == (7, SIDE, SIDE, 8)
    assert np.array_equal(found.frames, levels(7))


def test_8_frames_a_second_of_a_gif_stay_8(tmp_path: Path) -> None:
    """Its times are multiples of 10 ms; FFmpeg makes 25/3 of them."""
    for fps in (8, 12, 24, 30):
        path = tmp_path / "a.gif"
        write(Video.of(levels(16), fps), path)
        assert read(path).facts == (16, SIDE, SIDE, fps)


@pytest.mark.parametrize("fps", [8, 24, 30])
def test_a_gif_that_stands_still_keeps_its_frames_and_its_rate(fps: int, tmp_path: Path) -> None:
    """All of it, or for two frames."""
    for frames in (levels(1).repeat(16, 0), levels(16)[[*range(9), *range(8, 15)]]):
        write(Video.of(frames, fps), tmp_path / "a.gif")
        found = read(tmp_path / "a.gif")
        assert found.facts == (16, SIDE, SIDE, fps)
        assert np.array_equal(found.frames, frames)


def test_a_faster_gif_has_the_frames_that_it_can_have(tmp_path: Path) -> None:
    """Browsers show 10 ms as 100 ms."""
    write(Video.of(levels(10), 100), tmp_path / "a.gif")
    found = read(tmp_path / "a.gif")
    assert (found.length, found.fps) == (5, 50)
    assert numbers(found.frames) == [1, 3, 5, 7, 9]


def test_a_still_picture_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    for suffix in ("gif", "webp", "png", "jpg"):
        Image.fromarray(levels(1)[0]).save(tmp_path / f"a.{suffix}")
        assert read(tmp_path / f"a.{suffix}").length == 1


def test_pages_and_views_are_no_frames(tmp_path: Path) -> None:
    """The first of a TIFF's pages and of a camera's pictures, which may differ in size; those of an animated
    PNG are frames."""
    first, *more = (Image.fromarray(frame) for frame in levels(3))
    more[0] = more[0].resize((8, 8))
    for suffix, kind in (("tif", "TIFF"), ("jpg", "MPO")):
        first.save(tmp_path / f"a.{suffix}", kind, save_all=True, append_images=more)
        assert read(tmp_path / f"a.{suffix}").facts == (1, SIDE, SIDE, 10)
    found = read(put(tmp_path, "a.png", animation("PNG", levels(3), 125)))
    assert found.facts == (3, SIDE, SIDE, 8)
    assert np.array_equal(found.frames, levels(3))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_variable_rates_go_onto_a_fixed_grid_by_presentation_time(suffix: str, tmp_path: Path) -> None:
    """Frame 2 is shown for four places and frame 4 for two; the average rate would show each for two."""
    times = [0, 1, 2, 6, 7, 9, 10, 11]
    path = put(tmp_path, f"a.{suffix}", muxed(suffix, levels(8), 10, times=times))
    found = read(path)
    assert (found.length, found.fps) == (12, 10)
    assert numbers(found.frames) == [0, 1, 2, 2, 2, 2, 3, 4, 4, 5, 6, 7]
    (remark,) = remarks([path])
    assert remark.startswith("1 of 1 videos looked at have a variable rate")


def test_the_times_of_an_animation_are_kept(tmp_path: Path) -> None:
    found = read(put(tmp_path, "a.gif", animation("GIF", levels(4), [100, 100, 300, 100])))
    assert found.fps == 10
    assert numbers(found.frames) == [0, 1, 2, 2, 2, 3]


@pytest.mark.parametrize("turn", [90, 180, -90])
def test_a_turned_clip_is_upright(turn: int, tmp_path: Path) -> None:
    """Oracle: the turned array. The upper left is white."""
    frames = np.zeros((4, 32, 48, 3), np.uint8)
    frames[:, :16, :16] = 255
    path = put(tmp_path, "a.mp4", muxed("mp4", frames, turn=turn))
    found = read(path)
    wanted = np.rot90(frames, turn // 90, (1, 2))
    assert (found.height, found.width) == wanted.shape[1:3]
    assert np.abs(found.frames.astype(int) - wanted).mean() < 2


@pytest.mark.parametrize("suffix", [*ENCODINGS, GIF])
@pytest.mark.parametrize("size", [(32, 48), (17, 33), (1, 1), (2, 5)])
def test_odd_sizes_come_back_exactly(size: tuple[int, int], suffix: str, tmp_path: Path) -> None:
    frames = levels(5, *size)
    write(Video.of(frames, 10), tmp_path / f"a.{suffix}")
    found = read(tmp_path / f"a.{suffix}")
    assert found.facts == (5, *size, 10)
    assert np.abs(found.frames.astype(int) - frames).max() <= 3


def test_a_comment_on_another_size_cuts_nothing(tmp_path: Path) -> None:
    """A file that another program has scaled keeps it."""
    comment = CROP.format(width=31, height=31)
    for side, wanted in ((32, 31), (30, 30), (64, 64)):
        path = put(tmp_path, "a.mp4", muxed("mp4", levels(5, side, side), comment=comment))
        assert read(path).facts == (5, wanted, wanted, 10)


def test_a_written_clip_has_the_colours_and_the_same_bytes(tmp_path: Path) -> None:
    clip = square()
    for suffix in (*ENCODINGS, GIF):
        a, b = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
        write(clip, a)
        write(clip, b)
        assert a.read_bytes() == b.read_bytes()
        found = read(a)
        assert found.facts == clip.facts
        assert np.abs(found.frames.astype(int) - clip.frames).mean() < 3
        assert np.abs(found.frames[0, 12:16, 2:6].astype(int) - (230, 60, 20)).max() < 20


@pytest.mark.parametrize("n", range(1, 21))
def test_any_number_of_frames_is_written_and_read(n: int, tmp_path: Path) -> None:
    write(Video.of(levels(n), NTSC), tmp_path / "a.mp4")
    assert numbers(read(tmp_path / "a.mp4").frames) == [k % 17 for k in range(n)]


def test_alpha_is_white(tmp_path: Path) -> None:
    """Left half red, right half nothing."""
    frames = np.zeros((3, SIDE, SIDE, 4), np.uint8)
    frames[:, :, :16] = (200, 0, 0, 255)
    paths = [
        put(tmp_path, "a.mov", muxed("mov", frames, codec="qtrle", pix_fmt="argb")),
        put(tmp_path, "a.webp", animation("WEBP", frames, lossless=True)),
        put(tmp_path, "a.gif", animation("GIF", frames, disposal=2)),
    ]
    for path in paths:
        frame = read(path).frames[-1]
        assert (frame[8, 4] == (200, 0, 0)).all()
        assert (frame[8, 28] == 255).all()


CUT: dict[str, Callable[[bytes], bytes]] = {
    "mp4": lambda data: data[: len(data) // 2],
    "faststart": lambda data: data[: len(data) * 2 // 3],
    "fragments": lambda data: data[:-100],
    "mov": lambda data: data[: len(data) // 2],
    "webm": lambda data: data[: len(data) // 2],
    "mkv": lambda data: data[: len(data) * 3 // 4],
    "avi": lambda data: data[: len(data) // 2],
    "gif": lambda data: data[: len(data) // 2],
    "webp": lambda data: data[: len(data) // 2],
}


MOVFLAGS = {"faststart": "faststart", "fragments": "frag_keyframe+empty_moov"}
"""MPEG-4 that begins with its index, and that has one for each of its parts."""


@pytest.mark.parametrize("kind", CUT)
def test_what_is_cut_short_is_refused(kind: str, tmp_path: Path) -> None:
    suffix = "mp4" if kind in MOVFLAGS else kind
    frames = np.random.default_rng(0).integers(0, 256, (20, SIDE, SIDE, 3)).astype(np.uint8)
    if suffix in KINDS:
        mux = {"movflags": MOVFLAGS[kind]} if kind in MOVFLAGS else {}
        data = muxed(suffix, frames, mux=mux, options={"g": "1"}, path=tmp_path / f"first.{suffix}")
    else:
        data = animation(suffix.upper(), frames)
    assert read(put(tmp_path, f"whole.{suffix}", data)).length == 20
    with pytest.raises(BadFile, match=r"cut short|cannot be decoded"):
        read(put(tmp_path, f"cut.{suffix}", CUT[kind](data)))


def test_a_gif_that_ends_between_two_frames_is_refused(tmp_path: Path) -> None:
    """Pillow reads those that are left without an error. What follows the end is no part of it."""
    data = animation("GIF", levels(9))
    assert data.endswith(b";")
    for cut in (1, 2, 3):
        with pytest.raises(BadFile, match="its end is missing"):
            read(put(tmp_path, "a.gif", data[:-cut]))
    assert read(put(tmp_path, "b.gif", data + b"a note")).length == 9


def test_what_follows_the_boxes_of_an_mp4_does_no_harm(tmp_path: Path) -> None:
    data = muxed("mp4", levels(5))
    assert read(put(tmp_path, "a.mp4", data + b"\0\0\0")).length == 5
    assert read(put(tmp_path, "b.mp4", data + bytes(64))).length == 5


def test_a_header_that_promises_a_million_frames_is_refused(tmp_path: Path) -> None:
    """In the number of frames of the file and of the track."""
    data = bytearray(muxed("avi", levels(12)))
    main, track = data.index(b"avih"), data.index(b"strh")
    data[main + 24 : main + 28] = data[track + 40 : track + 44] = struct.pack("<I", 1_000_000)
    with pytest.raises(BadFile, match=r"is cut short: 1.20 s are left of the 100000.00 s"):
        read(put(tmp_path, "a.avi", bytes(data)))


def test_zero_frames_and_no_pictures_are_refused(tmp_path: Path) -> None:
    header = muxed("mkv", levels(3))
    cluster = header.index(b"\x1fC\xb6u")
    with pytest.raises(BadFile, match=r"holds no frames|cannot be decoded"):
        read(put(tmp_path, "a.mkv", header[:cluster]))
    AUDIO.write(Audio(np.zeros((1, 100), np.float32), RATE), tmp_path / "a.wav")
    with pytest.raises(BadFile, match="no known format"):
        read((tmp_path / "a.wav").rename(tmp_path / "a.mp4"))


def test_a_file_of_sound_alone_has_no_pictures(tmp_path: Path) -> None:
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=RATE)
        wave = av.AudioFrame.from_ndarray(np.zeros((1, RATE), np.float32), format="fltp", layout="mono")
        wave.sample_rate = RATE
        file.mux([*stream.encode(wave), *stream.encode()])
    with pytest.raises(BadFile, match="has no pictures"):
        read(put(tmp_path, "a.mp4", buffer.getvalue()))


def test_one_frame_is_a_clip(tmp_path: Path) -> None:
    for suffix in KINDS:
        assert read(put(tmp_path, f"a.{suffix}", muxed(suffix, levels(1), 25))).length == 1


def test_of_two_tracks_the_first_is_read_and_it_is_said(tmp_path: Path) -> None:
    path = put(tmp_path, "a.mkv", muxed("mkv", levels(6), tracks=2))
    assert numbers(read(path).frames) == [*range(6)]
    assert remarks([path]) == [
        "1 of 1 videos looked at have several tracks of pictures, of which the first is read"
    ]


def test_10_bits_are_read_as_8_and_it_is_said(tmp_path: Path) -> None:
    path = put(tmp_path, "a.mkv", muxed("mkv", levels(6), codec="ffv1", pix_fmt="yuv420p10le"))
    assert numbers(read(path).frames) == [*range(6)]
    assert remarks([path]) == ["1 of 1 videos looked at have 10 bits a channel, of which 8 are kept"]


def test_interlaced_frames_are_said(tmp_path: Path) -> None:
    options = {"x264-params": "interlaced=1:threads=1"}
    path = put(tmp_path, "a.mp4", muxed("mp4", levels(6, 64, 64), options=options))
    assert read(path).length == 6
    assert any("are interlaced" in remark for remark in remarks([path, path]))


def test_files_are_read_by_content_and_mislabelled_ones_told(tmp_path: Path) -> None:
    path = put(tmp_path, "a.mp4", muxed("webm", levels(3)))
    assert read(path).length == 3
    assert remarks([path]) == [
        "1 of 1 videos looked at hold Matroska data under another suffix, and are read by their content"
    ]
    with pytest.raises(BadFile, match="its name ends in no suffix of a video"):
        read(put(tmp_path, "a.dat", muxed("mp4", levels(3))))


def test_nothing_but_the_file_is_opened(tmp_path: Path) -> None:
    for data in (b"ffconcat version 1.0\nfile /etc/passwd\n", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"):
        with pytest.raises(BadFile, match="no known format"):
            read(put(tmp_path, "a.mp4", data))
    with pytest.raises(BadFile, match="cannot be read"):
        read(Path("http://127.0.0.1/a.mp4"))


def test_frames_are_decoded_one_by_one_and_the_file_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a clip that is left after two frames, no more is decoded."""
    path = put(tmp_path, "a.mp4", muxed("mp4", levels(50)))
    clip, decoded, opened = read(path), list[float](), list[Any]()
    shown, open_file = video_container._Shown.rgb, Path.open

    def counted(one: Any, told: Any) -> Any:
        decoded.append(one.time)
        return shown(one, told)

    def kept(*given: Any) -> Any:
        opened.append(open_file(*given))
        return opened[-1]

    monkeypatch.setattr(video_container._Shown, "rgb", counted)
    monkeypatch.setattr(Path, "open", kept)
    frames = clip.scan()
    next(frames)
    next(frames)
    assert len(decoded) <= 3
    (file,) = opened
    assert not file.closed
    frames.close()  # type: ignore[attr-defined]
    assert file.closed


def test_what_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "a.mp4", muxed("mp4", levels(30)))
    monkeypatch.setattr(video_container, "MAX_FRAMES", 20)
    with pytest.raises(BadFile, match="more than 20 frames"):
        read(path)
    monkeypatch.setattr(video_container, "MAX_PIXELS", 100)
    with pytest.raises(BadFile, match="32×32 pixels; at most 100"):
        read(path)
    monkeypatch.setattr(video_file, "MAX_BYTES", 100)
    with pytest.raises(BadFile, match="at most 100 are read"):
        read(path)


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "a.mp4", muxed("mp4", levels(3)))
    monkeypatch.setitem(sys.modules, "av", None)
    for act in (lambda: read(path), lambda: write(square(), tmp_path / "b.mp4")):
        with pytest.raises(BadFile, match=r"pip install 'modaloom\[media\]'") as caught:
            act()
        assert HINT in caught.value.reason
    assert not (tmp_path / "b.mp4").exists()
    assert not parts(path)


def noise(n: int) -> np.ndarray:
    """Noise below 3 kHz at 48 kHz, which tells time to the sample."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=n))
    spectrum[int(3000 / RATE * n) :] = 0
    wave = np.fft.irfft(spectrum, n)
    return (0.3 * wave / np.abs(wave).max())[None].astype(np.float32)


@pytest.mark.parametrize("suffix", ENCODINGS)
def test_sound_and_pictures_go_into_one_file_and_come_out_together(suffix: str, tmp_path: Path) -> None:
    """Within 1 ms, by the peak of the correlation; a last block of sound may be followed by zeros. Frame k is
    where it was."""
    wave, clip = noise(2 * RATE + 1), Video.of(levels(16), 8)
    a, b = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    for path in (a, b):
        write_with(clip, {"sound": Audio(wave, RATE)}, path)
    assert [*parts(a)] == ["sound"]
    sound, again = AUDIO.read(a), AUDIO.read(b)
    np.testing.assert_allclose(
        sound.samples, again.samples, atol=1e-2
    )  # once in many runs, not the same bits
    assert np.array_equal(read(a).frames, read(b).frames)
    found = np.fft.irfft(np.fft.rfft(sound.samples[0], 2**18) * np.fft.rfft(wave[0], 2**18).conj())
    assert abs((int(found.argmax()) + 2**17) % 2**18 - 2**17) <= RATE // 1000
    assert 0 <= sound.samples.shape[1] - wave.shape[1] <= 1024
    assert numbers(read(a).frames) == [*range(16)]


def delay(found: np.ndarray, wave: np.ndarray) -> float:
    """Seconds by which a sound (n,) at 48 kHz is later, by the peak of the correlation."""
    match = np.fft.irfft(np.fft.rfft(found, 2**19) * np.fft.rfft(wave, 2**19).conj())
    return float((int(match.argmax()) + 2**18) % 2**19 - 2**18) / RATE


TRACKS = [("mp4", "aac"), ("mov", "pcm_s16le"), ("mkv", "libopus"), ("mkv", "pcm_s16le"), ("webm", "libopus")]


@pytest.mark.parametrize(("heard", "shown"), [(1.0, 0.0), (0.0, 1.0), (2.0, 2.5), (1.0, 1.0)])
@pytest.mark.parametrize(("suffix", "codec"), TRACKS)
def test_sound_begins_with_the_pictures(
    suffix: str, codec: str, heard: float, shown: float, tmp_path: Path
) -> None:
    """Whatever the times of both tracks are, none of which is cut short."""
    wave = noise(2 * RATE)
    path = put(tmp_path, f"a.{suffix}", sounding(suffix, codec, [(heard, wave)], shown))
    assert numbers(read(path).frames) == [k % 17 for k in range(30)]
    found, late = AUDIO.read(path).samples[0], heard - shown
    assert abs(delay(found, wave[0]) - late) <= 0.001
    assert found.size / RATE == pytest.approx(2 + late, abs=0.025)
    assert np.abs(found[: max(0, round((late - 0.03) * RATE))]).max(initial=0) < 1e-3


def test_gaps_in_a_sound_are_silent_and_what_is_heard_twice_is_cut(tmp_path: Path) -> None:
    wave, half = noise(2 * RATE), RATE // 2
    first, last = wave[:, :RATE], wave[:, RATE:]
    for at, wanted in ((1.5, [first, 0 * last[:, :half], last]), (0.5, [first, last[:, half:]])):
        path = put(tmp_path, "a.mkv", sounding("mkv", "pcm_s16le", [(0, first), (at, last)]))
        np.testing.assert_allclose(AUDIO.read(path).samples, np.concatenate(wanted, 1), atol=1e-4)


def test_a_gap_in_blocks_that_count_samples_is_as_long(tmp_path: Path) -> None:
    wave, n = noise(92 * 1024), 46 * 1024
    heard = [(0, wave[:, :n]), (n / RATE + 0.5, wave[:, n:])]
    found = AUDIO.read(put(tmp_path, "a.mp4", sounding("mp4", "aac", heard))).samples[0]
    assert abs(delay(found[n:], wave[0, n:]) - 0.5) <= 0.001
    assert np.abs(found[n + RATE // 10 : n + 4 * RATE // 10]).max() == 0
    assert found.size == pytest.approx(92 * 1024 + RATE // 2, abs=1024)


def packets(wave: np.ndarray, start: float = 0.0) -> list[tuple[float, np.ndarray]]:
    """A sound in parts of 20 ms, and when each begins."""
    return [(start + at / RATE, wave[:, at : at + 960]) for at in range(0, wave.shape[1], 960)]


def test_times_that_are_not_exact_move_no_sample(tmp_path: Path) -> None:
    """Recorders write down when a packet came."""
    wave, rng = noise(RATE), np.random.default_rng(0)
    first, *more = packets(wave)
    late = [first, *((time + rng.uniform(0, 0.006), part) for time, part in more)]
    path = put(tmp_path, "a.mkv", sounding("mkv", "pcm_s16le", late))
    np.testing.assert_allclose(AUDIO.read(path).samples, wave, atol=1e-4)


def test_a_sound_that_ends_before_the_pictures_is_named(tmp_path: Path) -> None:
    path = put(tmp_path, "a.mkv", sounding("mkv", "pcm_s16le", [(0, noise(RATE))], 2.0))
    with pytest.raises(BadFile, match="no sound beside its pictures"):
        AUDIO.read(path)


def test_a_sound_alone_that_begins_late_is_whole(tmp_path: Path) -> None:
    wave = noise(RATE)
    data = sounding("mkv", "pcm_s16le", packets(wave, 5), None)
    np.testing.assert_allclose(AUDIO.read(put(tmp_path, "a.mka", data)).samples, wave, atol=1e-4)
    with pytest.raises(BadFile, match=r"is cut short: 0\.\d\d s are left of the 1\.00 s"):
        AUDIO.read(put(tmp_path, "b.mka", data[: len(data) * 3 // 4]))


def test_pictures_that_begin_late_and_are_cut_short_are_told(tmp_path: Path) -> None:
    data = sounding("mkv", "pcm_s16le", [(0, noise(RATE))], 5.0)
    assert read(put(tmp_path, "a.mkv", data)).facts == (30, SIDE, SIDE, 10)
    frames = np.random.default_rng(0).integers(0, 256, (20, SIDE, SIDE, 3)).astype(np.uint8)
    late = muxed("mkv", frames, times=range(50, 70), options={"g": "1"}, path=tmp_path / "first.mkv")
    assert read(put(tmp_path, "b.mkv", late)).length == 20
    with pytest.raises(BadFile, match=r"is cut short: .* of the 2\.00 s"):
        read(put(tmp_path, "c.mkv", late[: len(late) * 3 // 4]))


def test_an_avi_has_its_pictures_and_its_sound(tmp_path: Path) -> None:
    wave = noise(RATE)
    path = put(tmp_path, "a.avi", sounding("avi", "pcm_s16le", [(0, wave)]))
    assert [*parts(path)] == ["sound"]
    assert numbers(read(path).frames) == [k % 17 for k in range(30)]
    np.testing.assert_allclose(AUDIO.read(path).samples, wave, atol=1e-4)
    with pytest.raises(BadFile, match="cut short"):
        AUDIO.read(put(tmp_path, "b.avi", path.read_bytes()[:-1000]))


@pytest.mark.parametrize("rate", [22_050, RATE])
@pytest.mark.parametrize("suffix", ENCODINGS)
def test_sound_in_pieces_is_that_of_the_whole_and_taken_as_it_is_needed(
    suffix: str, rate: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sound of 2 s in pieces of a fifth, of a clip of 1 s."""
    wave, taken = Audio(noise(2 * rate), rate), list[float]()

    def pieces(path: Path) -> Iterator[Audio]:
        for i in range(10):
            taken.append(i / 5)
            yield Audio(wave.samples[:, i * rate // 5 : (i + 1) * rate // 5], rate)

    def scan() -> Iterator[np.ndarray]:
        for k, frame in enumerate(levels(8)):
            assert not taken or taken[-1] <= k / 8 + 0.4
            yield frame

    monkeypatch.setattr(video_encode, "read_pieces", pieces)
    monkeypatch.setattr(video_encode, "parts", lambda path: ["sound"])
    clip, whole, made = (
        Video(scan, 8, SIDE, SIDE, Fraction(8)),
        tmp_path / f"a.{suffix}",
        tmp_path / f"b.{suffix}",
    )
    write_like(clip, tmp_path / "source.avi", made, pytest.fail)
    write_with(Video.of(levels(8), 8), {"sound": wave}, whole)
    assert np.array_equal(read(whole).frames, read(made).frames)
    np.testing.assert_allclose(AUDIO.read(whole).samples, AUDIO.read(made).samples, atol=1e-2)


@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_a_sound_is_mixed_resampled_and_encoded_in_the_memory_of_a_piece(suffix: str, tmp_path: Path) -> None:
    """Of 22 s, of which a clip shows the first one; arrays alone are counted."""
    sound = Audio(np.tile(noise(RATE), (3, 10)), 22_050)
    clip, path = Video.of(levels(8), 8), tmp_path / f"a.{suffix}"
    tracemalloc.start()
    write_with(clip, {"sound": sound}, path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < sound.samples.nbytes / 3
    assert AUDIO.read(path).seconds == pytest.approx(sound.seconds, abs=0.05)


def test_sound_is_kept_up_to_where_it_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A track that holds nothing is left out, and so is the sound of a file that has none."""
    source, path = tmp_path / "a.mp4", tmp_path / "b.mp4"
    write(square(), source)
    write_like(square(), source, path, pytest.fail)
    assert not parts(path)
    monkeypatch.setattr(video_encode, "parts", lambda path: ["sound"])
    for n in (0, 1):

        def pieces(path: Path, n: int = n) -> Iterator[Audio]:
            yield from [Audio(noise(RATE), RATE)] * n
            raise BadFile(path, "holds no more")

        said: list[str] = []
        monkeypatch.setattr(video_encode, "read_pieces", pieces)
        write_like(square(), source, path, said.append)
        assert said == ["the sound is kept as far as it can be read, since it holds no more"]
        assert read(path).length == 8
        assert [*parts(path)] == ["sound"] * n
    assert AUDIO.read(path).seconds == pytest.approx(1, abs=0.03)


@pytest.mark.full
@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_after_ten_minutes_sound_and_pictures_are_together(suffix: str, tmp_path: Path) -> None:
    """17,982 frames at 29.97 a second; oracles: correlation at both ends, the numbers of the frames."""
    n, samples = 17_982, 600 * RATE
    shown = levels(17, 16, 16)
    clip = Video(lambda: (shown[k % 17] for k in range(n)), n, 16, 16, NTSC)
    wave = np.tile(noise(4 * RATE), 150)
    wave[:, ::97] *= -1  # no period of 4 s
    write_with(clip, {"sound": Audio(wave, RATE)}, tmp_path / f"a.{suffix}")
    found, sound = read(tmp_path / f"a.{suffix}"), AUDIO.read(tmp_path / f"a.{suffix}").samples[0]
    assert (found.length, found.fps) == (n, NTSC)
    assert numbers(np.stack([*found.scan()][-34:])) == [k % 17 for k in range(n - 34, n)]
    for at in (0, samples - 2 * RATE):
        a, b = sound[at : at + 2 * RATE], wave[0, at : at + 2 * RATE]
        match = np.fft.irfft(np.fft.rfft(a, 2**18) * np.fft.rfft(b, 2**18).conj())
        assert abs((int(match.argmax()) + 2**17) % 2**18 - 2**17) <= RATE // 1000


def test_sound_that_the_codec_has_not_is_resampled_and_mixed(tmp_path: Path) -> None:
    for suffix, rate in (("mp4", 22_050), ("webm", 24_000)):
        path = tmp_path / f"a.{suffix}"
        write_with(square(), {"sound": Audio(np.zeros((3, 22_050), np.float32), 22_050)}, path)
        found = AUDIO.read(path)
        assert found.channels == 2
        assert found.rate in (rate, RATE)
        assert found.seconds == pytest.approx(1, abs=0.03)


def test_a_clip_without_sound_has_no_part(tmp_path: Path) -> None:
    write(square(), tmp_path / "a.mp4")
    assert not parts(tmp_path / "a.mp4")
    assert not parts(put(tmp_path, "b.mp4", b"garbage"))
    assert not parts(put(tmp_path, "c.gif", animation("GIF", levels(3))))
    assert not parts(tmp_path / "missing.mp4")


def test_a_suffix_that_is_not_written_becomes_the_first() -> None:
    assert [VIDEO.suffix(square(), like) for like in ("", "avi", "webm", "gif")] == [
        "mp4",
        "mp4",
        "webm",
        "gif",
    ]


@pytest.mark.parametrize(
    ("frames", "fps", "match"),
    [
        (np.zeros((4, 8, 8, 4), np.uint8), 8, r"\(T, H, W, 3\)"),
        (np.zeros((4, 8, 8, 3)), 8, "float64"),
        (np.zeros((0, 8, 8, 3), np.uint8), 8, "0 frames"),
        (np.zeros((4, 0, 8, 3), np.uint8), 8, "not empty"),
        (np.zeros((4, 8, 8, 3), np.uint8), 0, "0 frames a second"),
        (np.zeros((4, 8, 8, 3), np.uint8), 2000, "2000 frames a second"),
    ],
)
def test_a_value_is_checked(frames: np.ndarray, fps: float, match: str) -> None:
    with pytest.raises(BadValue, match=match):
        Video.of(frames, fps)
