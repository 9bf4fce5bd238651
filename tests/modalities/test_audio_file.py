"""Files of sounds: every format, what is cut short, mislabelled, or out of range."""

import io
import struct
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from modaloom.core.errors import BadFile, BadValue
from modaloom.modalities import audio_file
from modaloom.modalities.audio_file import read, write
from modaloom.modalities.audio_format import FORMATS, format_of
from modaloom.modalities.audio_remarks import remarks
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.container import HINT

av = pytest.importorskip("av")

RATE = 16_000
SUBTYPES = {"wav": "PCM_16", "flac": "PCM_16", "ogg": "VORBIS", "opus": "OPUS", "mp3": "MPEG_LAYER_III"}
KINDS = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG", "opus": "OGG", "mp3": "MP3"}
CODECS = {
    "m4a": ("ipod", "aac"),
    "aac": ("adts", "aac"),
    "mka": ("matroska", "libopus"),
    "webm": ("webm", "libopus"),
    "mov": ("mov", "aac"),
    "mkv": ("matroska", "aac"),
    "avi": ("avi", "pcm_s16le"),
}
"""Suffix → (FFmpeg's format, codec)."""


def tone(n: int = 32_000, channels: int = 1, rate: int = RATE, hz: float = 440) -> np.ndarray:
    """A rising tone in each channel, float32 (channels, n): 440 Hz, 880 Hz, …"""
    t = np.arange(n) / rate
    rise = np.linspace(0.1, 0.5, n)
    waves = [rise * np.sin(2 * np.pi * hz * (1 + c) * t) for c in range(channels)]
    return np.stack(waves).astype(np.float32)


def encoded(suffix: str, samples: np.ndarray, rate: int = RATE, subtype: str | None = None) -> bytes:
    """By libsndfile."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.T, rate, subtype or SUBTYPES[suffix], format=KINDS[suffix])
    return buffer.getvalue()


def muxed(suffix: str, samples: np.ndarray, rate: int = RATE, *, video: bool = False) -> bytes:
    """By FFmpeg."""
    kind, codec = CODECS[suffix]
    buffer = io.BytesIO()
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(samples)]
    with av.open(buffer, "w", format=kind) as container:
        pictures = picture_track(container) if video else None
        stream = container.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        packets = [*stream.encode(frame), *stream.encode()]
        if pictures is not None:
            packets += pictures.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8)))
            packets += pictures.encode()
        container.mux(packets)
    return buffer.getvalue()


def picture_track(container: Any) -> Any:
    """A track of small pictures in a container."""
    stream = container.add_stream("mpeg4", rate=10)
    stream.width = stream.height = 32
    stream.pix_fmt = "yuv420p"
    return stream


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def loudest(sound: Audio) -> list[int]:
    """Hz of the strongest frequency of each channel."""
    spectrum = np.abs(np.fft.rfft(sound.samples))
    return [round(float(at) * sound.rate / sound.samples.shape[1] / 20) * 20 for at in spectrum.argmax(1)]


def lag(a: np.ndarray, b: np.ndarray, most: int = 3000) -> int:
    """Samples that a is later than b, by the peak of their correlation."""
    found = np.fft.irfft(np.fft.rfft(a, 2**17) * np.fft.rfft(b, 2**17).conj())
    return int(np.concatenate([found[-most:], found[:most]]).argmax()) - most


def noise(n: int, rate: int = RATE) -> np.ndarray:
    """Noise below 3 kHz, which tells time to the sample."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=n))
    spectrum[int(3000 / rate * n) :] = 0
    wave = np.fft.irfft(spectrum, n)
    return (0.3 * wave / np.abs(wave).max())[None].astype(np.float32)


@pytest.mark.parametrize("kind", ["int16", "int24", "float32"])
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_what_is_written_reads_back(kind: str, suffix: str, tmp_path: Path) -> None:
    """To half a step of the type; what was read from so many bits, to the bit."""
    samples = np.clip(noise(1001) * 4, -1, 1)
    sound = Audio(np.concatenate([samples, -samples[:, ::-1]]), 44_100, kind)
    write(sound, tmp_path / f"a.{suffix}")
    found = read(tmp_path / f"a.{suffix}")
    steps = {"int16": 2**15, "int24": 2**23, "float32": 2**23 if suffix == "flac" else np.inf}[kind]
    assert found.rate == 44_100
    assert found.type == ("int24" if suffix == "flac" and kind == "float32" else kind)
    assert np.abs(found.samples - sound.samples).max() <= 1 / steps
    write(found, tmp_path / f"b.{suffix}")
    assert read(tmp_path / f"b.{suffix}") == found
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_a_written_wav_is_libsndfiles(tmp_path: Path) -> None:
    for kind, subtype in (("int16", "PCM_16"), ("int24", "PCM_24"), ("float32", "FLOAT")):
        write(Audio(tone(channels=2), RATE, kind), tmp_path / "a.wav")
        facts = soundfile.info(tmp_path / "a.wav")
        assert (facts.subtype, facts.frames, facts.channels, facts.samplerate) == (subtype, 32_000, 2, RATE)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_every_type_of_wav_is_read(subtype: str, tmp_path: Path) -> None:
    wave = tone(channels=2)
    found = read(put(tmp_path, "a.wav", encoded("wav", wave, subtype=subtype)))
    assert found.type == {"PCM_24": "int24", **dict.fromkeys(("PCM_32", "FLOAT", "DOUBLE"), "float32")}.get(
        subtype, "int16"
    )
    steps = {"PCM_U8": 2**6, "ULAW": 2**5, "PCM_16": 2**14}.get(subtype, 2**22)
    assert np.abs(found.samples - wave).max() <= 1 / steps


@pytest.mark.parametrize("suffix", SUBTYPES)
def test_sounds_of_libsndfile_keep_length_and_time(suffix: str, tmp_path: Path) -> None:
    wave = noise(32_001)
    found = read(put(tmp_path, f"a.{suffix}", encoded(suffix, wave)))
    assert (found.rate, found.channels) == (RATE, 1)
    assert found.samples.shape == wave.shape
    assert lag(found.samples[0], wave[0]) == 0


@pytest.mark.parametrize(("suffix", "tail"), [("m4a", 0), ("mov", 0), ("mka", 0), ("webm", 0), ("mkv", 1024)])
def test_sounds_of_containers_keep_length_and_time(suffix: str, tail: int, tmp_path: Path) -> None:
    """To the sample; AAC in Matroska, which does not count samples, gains less than a block at the end."""
    rate = 48_000
    for n in (2 * rate + 1, 2 * rate + 700):
        wave = noise(n, rate)
        found = read(put(tmp_path, f"a.{suffix}", muxed(suffix, wave, rate)))
        assert (found.rate, found.channels) == (rate, 1)
        assert 0 <= found.samples.shape[1] - n <= tail
        assert lag(found.samples[0], wave[0]) == 0


def test_raw_aac_is_late_and_says_so(tmp_path: Path) -> None:
    wave = noise(44_100, 44_100)
    path = put(tmp_path, "a.aac", muxed("aac", wave, 44_100))
    assert 1000 <= lag(read(path).samples[0], wave[0]) <= 1100
    (remark,) = remarks([path])
    assert remark.startswith("1 of 1 sounds looked at are AAC without a container")


def test_g722_is_told_by_its_suffix(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="g722") as container:
        stream = container.add_stream("g722", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray((tone() * 32_767).astype(np.int16), format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux([*stream.encode(frame), *stream.encode()])
    found = read(put(tmp_path, "a.g722", buffer.getvalue()))
    assert (found.rate, loudest(found)) == (RATE, [440])
    assert found.seconds == pytest.approx(2, abs=0.03)
    with pytest.raises(BadFile, match="no known format"):
        read(put(tmp_path, "a.wav", b"\x12\x34" * 500))


def test_the_sound_of_a_video_is_read(tmp_path: Path) -> None:
    for suffix in ("mov", "mkv"):
        found = read(put(tmp_path, f"a.{suffix}", muxed(suffix, tone(48_000, 2, 48_000), 48_000, video=True)))
        assert loudest(found) == [440, 880]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mov") as container:
        stream = picture_track(container)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        container.mux(stream.encode())
    with pytest.raises(BadFile, match="has no sound"):
        read(put(tmp_path, "mute.mov", buffer.getvalue()))


@pytest.mark.parametrize("channels", [3, 5, 6, 7, 8])
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_channels_are_in_the_order_of_wav(suffix: str, channels: int, tmp_path: Path) -> None:
    """Vorbis has left, centre, right, …; oracle: FFmpeg's order of the same file."""
    path = put(tmp_path, f"a.{suffix}", encoded(suffix, tone(channels=channels, hz=200)))
    found = loudest(read(path))
    with av.open(str(path)) as container:
        packed = av.AudioResampler(format="flt")
        frames = [one.to_ndarray() for f in container.decode(audio=0) for one in packed.resample(f)]
    planes = np.concatenate(frames, 1).reshape(-1, channels).T
    assert found == loudest(Audio((planes / np.abs(planes).max()).astype(np.float32), RATE))
    assert sorted(found) == [200 * k for k in range(1, 1 + channels)]


@pytest.mark.parametrize("channels", [6, 7, 8])
@pytest.mark.parametrize("suffix", ["mka", "mov"])
def test_a_container_holds_up_to_eight_channels(suffix: str, channels: int, tmp_path: Path) -> None:
    """The packets of a wav: PyAV has no encoder's frame of eight."""
    wave = put(tmp_path, "a.wav", encoded("wav", tone(channels=channels, hz=200)))
    path = tmp_path / f"a.{suffix}"
    with av.open(str(wave)) as source, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    assert read(path) == read(wave)


CUT: dict[str, Callable[[bytes], bytes]] = {
    "wav": lambda data: data[:-100],
    "flac": lambda data: data[: len(data) // 2],
    "ogg": lambda data: data[:-20],
    "opus": lambda data: data[:-20],
    "mp3": lambda data: data[: len(data) // 2],
    "m4a": lambda data: data[: len(data) // 2],
    "webm": lambda data: data[: len(data) // 2],
    "mka": lambda data: data[: len(data) * 9 // 10],
}


@pytest.mark.parametrize("suffix", CUT)
def test_what_is_cut_short_is_refused(suffix: str, tmp_path: Path) -> None:
    wave = noise(3 * 48_000, 48_000)
    make = encoded if suffix in SUBTYPES else muxed
    data = make(suffix, wave, 48_000)
    assert read(put(tmp_path, f"whole.{suffix}", data)).seconds == pytest.approx(3, abs=0.002)
    with pytest.raises(BadFile, match=r"cut short|cannot be decoded"):
        read(put(tmp_path, f"cut.{suffix}", CUT[suffix](data)))


def test_an_ogg_without_its_last_page_is_refused(tmp_path: Path) -> None:
    """libsndfile reads what is left without an error."""
    data = encoded("ogg", noise(10 * RATE))
    end = data.rindex(b"OggS")
    with pytest.raises(BadFile, match="its end is missing"):
        read(put(tmp_path, "cut.ogg", data[:end]))


def test_zero_frames_are_refused(tmp_path: Path) -> None:
    for suffix in ("wav", "flac", "ogg"):
        with pytest.raises(BadFile, match=r"holds no sound|cannot be decoded|is empty"):
            read(put(tmp_path, f"a.{suffix}", encoded(suffix, np.zeros((1, 0), np.float32))))


def test_a_wav_from_a_pipe_has_an_unknown_length(tmp_path: Path) -> None:
    data = bytearray(encoded("wav", tone()))
    data[40:44] = struct.pack("<I", 0xFFFFFFFF)
    assert read(put(tmp_path, "a.wav", bytes(data))).seconds == 2


def test_chunks_before_the_samples_are_skipped(tmp_path: Path) -> None:
    data = encoded("wav", tone())
    extra = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    path = put(tmp_path, "a.wav", data[:36] + extra + data[36:])
    assert read(path).seconds == 2
    with pytest.raises(BadFile, match="cut short"):
        read(put(tmp_path, "b.wav", path.read_bytes()[:-2]))


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    for bad in (np.nan, np.inf):
        wave = tone()
        wave[0, 5:8] = bad
        with pytest.raises(BadFile, match="3 samples that are NaN or infinite"):
            read(put(tmp_path, "a.wav", encoded("wav", wave, subtype="FLOAT")))


def test_floats_beyond_full_scale_are_clipped_and_of_another_scale_refused(tmp_path: Path) -> None:
    found = read(put(tmp_path, "a.wav", encoded("wav", 3 * tone(), subtype="FLOAT")))
    assert np.array_equal(found.samples, np.clip(3 * tone(), -1, 1))
    with pytest.raises(BadFile, match="scale them to -1 to 1"):
        read(put(tmp_path, "b.wav", encoded("wav", 32_767 * tone(), subtype="FLOAT")))


def test_absurd_rates_are_taken_at_their_word_and_told(tmp_path: Path) -> None:
    path = put(tmp_path, "a.wav", encoded("wav", tone(), rate=128_000))
    assert read(path).seconds == 0.25
    assert remarks([path]) == [
        "1 of 1 sounds looked at claim 128,000 samples a second, and are taken at their word"
    ]
    for rate in (0, 3, 0xFFFFFFF0):
        data = bytearray(encoded("wav", tone()))
        data[24:28] = struct.pack("<I", rate)
        with pytest.raises(BadFile, match=r"samples a second|cannot be decoded"):
            read(put(tmp_path, "b.wav", bytes(data)))


def test_files_are_read_by_content_and_mislabelled_ones_told(tmp_path: Path) -> None:
    path = put(tmp_path, "a.mp3", encoded("wav", tone()))
    assert read(path).seconds == 2
    assert remarks([path, path]) == [
        "2 of 2 sounds looked at hold wav data under another suffix, and are read by their content"
    ]
    with pytest.raises(BadFile, match=r"holds wav data, and its name ends in no suffix of a sound"):
        read(put(tmp_path, "a.dat", encoded("wav", tone())))
    for data in (b"\x89PNG\r\n\x1a\n" + bytes(100), b"RIFF\0\0\0\0WEBPVP8 ", b"#EXTM3U\nhttp://x/a.ts\n"):
        with pytest.raises(BadFile, match="no known format"):
            read(put(tmp_path, "b.wav", data))


def test_formats_are_told_by_their_first_bytes() -> None:
    wave = tone(9600, 1, 48_000)
    for suffix in (*SUBTYPES, *CODECS):
        data = encoded(suffix, wave) if suffix in SUBTYPES else muxed(suffix, wave, 48_000)
        name = format_of(data[:16], Path("sound"))
        assert name is not None
        assert suffix in FORMATS[name].suffixes


def test_nothing_but_the_file_is_opened(tmp_path: Path) -> None:
    """A playlist, a list of files and an address are no sounds, whatever their suffix."""
    for data in (b"ffconcat version 1.0\nfile /etc/passwd\n", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"):
        with pytest.raises(BadFile, match="no known format"):
            read(put(tmp_path, "a.m4a", data))
    with pytest.raises(BadFile, match="cannot be read"):
        read(Path("http://127.0.0.1/a.m4a"))


def from_a_pipe(data: bytes) -> bytes:
    """FLAC that does not tell how many samples it has (RFC 9639, 8.2: 36 bits of zeros)."""
    facts = int.from_bytes(data[18:26], "big") >> 36 << 36
    return data[:18] + facts.to_bytes(8, "big") + data[26:]


@pytest.mark.parametrize("channels", [1, 2])
def test_flac_that_does_not_tell_its_length_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channels: int
) -> None:
    wave = encoded("flac", tone(channels=channels))
    whole, path = read(put(tmp_path, "told.flac", wave)), put(tmp_path, "pipe.flac", from_a_pipe(wave))
    assert soundfile.info(path).frames == audio_file.UNTOLD
    assert read(path) == whole
    pieces = [piece.samples for piece in audio_file.read_pieces(path, size=1000)]
    assert np.array_equal(np.concatenate(pieces, 1), whole.samples)
    monkeypatch.setattr(audio_file, "MAX_VALUES", whole.samples.size)
    assert read(path) == whole
    monkeypatch.setattr(audio_file, "MAX_VALUES", whole.samples.size - 1)
    with pytest.raises(BadFile, match=f"more than {whole.samples.size - 1:,} samples"):
        read(path)


def test_what_is_too_long_is_refused_while_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio_file, "MAX_VALUES", 50_000)
    with pytest.raises(BadFile, match="at most 50,000 are decoded"):
        read(put(tmp_path, "a.wav", encoded("wav", tone(channels=2))))
    with pytest.raises(BadFile, match="more than 50,000"):
        read(put(tmp_path, "a.m4a", muxed("m4a", tone(48_000, 2, 48_000), 48_000)))
    monkeypatch.setattr(audio_file, "MAX_BYTES", 100)
    with pytest.raises(BadFile, match="at most 100 are read"):
        read(tmp_path / "a.wav")


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "a.m4a", muxed("m4a", tone()))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BadFile, match=r"pip install 'modaloom\[media\]'") as caught:
        read(path)
    assert HINT in caught.value.reason


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ({"samples": np.zeros(4, np.float32)}, r"\(channels, n\)"),
        ({"samples": np.zeros((1, 4))}, "float32"),
        ({"samples": np.zeros((1, 0), np.float32)}, "not empty"),
        ({"samples": np.zeros((9, 4), np.float32)}, "9 channels"),
        ({"samples": np.full((1, 4), 1.5, np.float32)}, "1.5"),
        ({"rate": 3}, "3 samples a second"),
        ({"type": "int8"}, "int16, int24, float32"),
    ],
)
def test_a_value_is_checked(value: dict[str, Any], match: str) -> None:
    with pytest.raises(BadValue, match=match):
        Audio(**{"samples": np.zeros((1, 4), np.float32), "rate": RATE, **value})


def test_sounds_of_other_rates_are_told(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.wav" for i in range(3)]
    for path, rate in zip(paths, (16_000, 8_000, 16_000), strict=True):
        write(Audio(np.zeros((1, 100), np.float32), rate), path)
    told = "1 of 3 sounds looked at have another rate than the most common one, 16,000 Hz, and are resampled"
    assert remarks(paths) == [told]
    assert not remarks(paths[::2])
