"""A folder of odd and of damaged sounds: each is read for what it is, whole and in pieces, or named."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_audio_file import encoded, muxed, noise, tone

import modaloom
from modaloom.core.errors import BadFile
from modaloom.data.folder import open_folder
from modaloom.data.inspect import Inspection
from modaloom.data.reader import Reader
from modaloom.modalities import audio_file, mp3
from modaloom.modalities.audio_file import read, read_pieces
from modaloom.modalities.audio_value import Audio

pytest.importorskip("av")

RATE = 16_000
WHOLE = noise(2 * 48_000, 48_000)


def damaged(data: bytes, keep: float) -> bytes:
    return data[: int(len(data) * keep)]


def with_nan() -> np.ndarray:
    wave = tone()
    wave[0, 100] = np.nan
    return wave


@dataclass(frozen=True)
class Good:
    """A file and what it is read as."""

    data: Callable[[], bytes]
    rate: int = RATE
    channels: int = 1
    seconds: float = 2.0
    type: str = "int16"
    peak: float = 0.5
    """Nearly: the hundredth of the samples that are the loudest begins there."""
    suffix: str = "wav"


def wav(samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> Callable[[], bytes]:
    return lambda: encoded("wav", samples, rate, subtype)


GOOD = {
    "silence": Good(wav(np.zeros((1, 32_000), np.float32)), peak=0),
    "clipping": Good(wav((9 * tone()).clip(-1, 1)), peak=1),
    "offset": Good(wav(tone() / 2 + 0.5), peak=0.75),
    "8-bit": Good(wav(tone(), subtype="PCM_U8")),
    "24-bit": Good(wav(tone(), subtype="PCM_24"), type="int24"),
    "float": Good(wav(tone(), subtype="FLOAT"), type="float32"),
    "8-khz": Good(wav(tone(rate=8_000, n=16_000), 8_000), 8_000),
    "44-khz": Good(wav(tone(88_200, rate=44_100), 44_100), 44_100),
    "48-khz": Good(wav(tone(96_000, rate=48_000), 48_000), 48_000),
    "96-khz": Good(wav(tone(192_000, rate=96_000), 96_000), 96_000),
    "claims-128-khz": Good(wav(tone(), 128_000), 128_000, seconds=0.25),
    "stereo": Good(wav(tone(channels=2)), channels=2),
    "5.1": Good(wav(tone(channels=6, hz=200)), channels=6),
    "10-ms": Good(wav(tone(160)), seconds=0.01),
    "one-sample": Good(wav(np.full((1, 1), 0.5, np.float32)), seconds=1 / RATE),
    "flac": Good(lambda: encoded("flac", tone()), suffix="flac"),
    "ogg": Good(lambda: encoded("ogg", tone()), suffix="ogg"),
    "opus": Good(lambda: encoded("opus", tone()), suffix="opus"),
    "mp3": Good(lambda: encoded("mp3", tone()), suffix="mp3"),
    "m4a": Good(lambda: muxed("m4a", tone(96_000, rate=48_000), 48_000), 48_000, suffix="m4a"),
    "mka": Good(lambda: muxed("mka", tone(96_000, rate=48_000), 48_000), 48_000, suffix="mka"),
    "wav-called-mp3": Good(wav(tone()), suffix="mp3"),
    "m4a-called-wav": Good(lambda: muxed("m4a", tone(96_000, rate=48_000), 48_000), 48_000),
}
BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "zero.wav": (wav(np.zeros((1, 0), np.float32)), "holds no sound"),
    "zero.flac": (lambda: encoded("flac", np.zeros((1, 0), np.float32)), "is empty|cannot be decoded"),
    "zero.ogg": (lambda: encoded("ogg", np.zeros((1, 0), np.float32)), "is cut short|holds no sound"),
    "empty.wav": (lambda: b"", "is empty"),
    "cut.wav": (lambda: damaged(encoded("wav", WHOLE, 48_000), 0.9), "is cut short"),
    "cut.flac": (lambda: damaged(encoded("flac", WHOLE, 48_000), 0.5), "is cut short|cannot be decoded"),
    "cut.ogg": (lambda: damaged(encoded("ogg", WHOLE, 48_000), 0.5), "is cut short"),
    "cut.opus": (lambda: damaged(encoded("opus", WHOLE, 48_000), 0.9), "is cut short"),
    "cut.mp3": (lambda: damaged(encoded("mp3", WHOLE, 48_000), 0.5), "is cut short"),
    "cut.m4a": (lambda: damaged(muxed("m4a", WHOLE, 48_000), 0.9), "is cut short|cannot be decoded"),
    "cut.mka": (lambda: damaged(muxed("mka", WHOLE, 48_000), 0.5), "is cut short"),
    "webm-called.mka": (lambda: damaged(muxed("webm", WHOLE, 48_000), 0.8), "is cut short"),
    "nan.wav": (wav(with_nan(), subtype="FLOAT"), "NaN or infinite"),
    "integers.wav": (wav(30_000 * tone(), subtype="FLOAT"), "scale them to -1 to 1"),
    "picture.wav": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(200), "no known format"),
    "text.mp3": (lambda: b"this is no sound at all", "no known format"),
}


def file_name(name: str) -> str:
    """Every file is another sample."""
    suffix = GOOD[name].suffix if name in GOOD else Path(name).suffix[1:]
    return f"{name.replace('.', '-')}.{suffix}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sounds")
    for name, good in GOOD.items():
        (root / file_name(name)).write_bytes(good.data())
    for name, (data, _) in BAD.items():
        (root / file_name(name)).write_bytes(data())
    return root


@pytest.fixture(scope="module")
def inspected(folder: Path) -> Inspection:
    return modaloom.inspect(folder)


@pytest.fixture(scope="module")
def reader(folder: Path) -> Reader:
    return Reader(open_folder(folder), max_skipped_fraction=1)


def value(reader: Reader, stem: str) -> Audio | None:
    (sample,) = [sample for sample in reader.folder.samples if sample.key == stem]
    found: Audio | None = reader.value(sample, "audio")
    return found


def test_inspect_counts_them(inspected: Inspection) -> None:
    facts = inspected.streams["audio"]
    assert (facts.count, facts.broken) == (len(GOOD), len(BAD))
    assert (facts.facts["silent"], facts.facts["clipped"]) == (1, 1)
    assert (facts.facts["shortest"], facts.facts["longest"]) == ("0.00 s", "2.00 s")


@pytest.mark.parametrize("name", GOOD)
def test_an_odd_sound_is_what_it_is(name: str, reader: Reader) -> None:
    good, found = GOOD[name], value(reader, name.replace(".", "-"))
    assert found is not None
    assert (found.rate, found.channels, found.type) == (good.rate, good.channels, good.type)
    assert found.seconds == pytest.approx(good.seconds, abs=1e-9)
    assert float(np.quantile(np.abs(found.samples), 0.99)) == pytest.approx(good.peak, abs=0.06)


@pytest.mark.parametrize("name", GOOD)
def test_in_pieces_it_is_the_same(name: str, folder: Path) -> None:
    """Bit for bit: decoders go on where they were."""
    path = folder / file_name(name)
    whole = read(path)
    for size in (1_111, 30_000):
        pieces = [*read_pieces(path, size=size)]
        assert {piece.samples.shape[1] for piece in pieces[:-1]} <= {size}
        assert {(piece.rate, piece.type) for piece in pieces} == {(whole.rate, whole.type)}
        assert np.array_equal(np.concatenate([piece.samples for piece in pieces], 1), whole.samples)


@pytest.mark.parametrize("name", BAD)
def test_a_damaged_sound_is_named_with_its_reason(
    name: str, folder: Path, reader: Reader, inspected: Inspection
) -> None:
    path, (_, reason) = folder / file_name(name), BAD[name]
    (problem,) = [one for one in inspected.problems if one.path == path.name]
    with pytest.raises(BadFile, match=reason):
        raise BadFile(problem.path, problem.reason)
    assert value(reader, path.stem) is None
    assert any(str(skip.path) == path.name for skip in reader.skips.values())
    with pytest.raises(BadFile, match=reason):
        [*read_pieces(path, size=10_000)]


def test_a_truncated_webm_by_its_path_is_named(tmp_path: Path) -> None:
    """In a folder a webm is no sound."""
    path = tmp_path / "a.webm"
    path.write_bytes(damaged(muxed("webm", WHOLE, 48_000), 0.5))
    with pytest.raises(BadFile, match="is cut short"):
        read(path)


def test_two_hours_are_read_in_pieces_and_more_than_a_limit_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, n = tmp_path / "long.flac", 2 * 3600 * 8_000
    quiet = np.zeros(n // 100, np.int16)
    with soundfile.SoundFile(path, "w", 8_000, 1, "PCM_16") as file:
        for _ in range(100):
            file.write(quiet)
    assert sum(piece.samples.shape[1] for piece in read_pieces(path)) == n
    monkeypatch.setattr(audio_file, "MAX_VALUES", n - 1)
    with pytest.raises(BadFile, match=r"57,600,000 samples; at most 57,599,999 are decoded"):
        read(path)


def variable_mp3() -> bytes:
    """5 s, of which the first is silent, so that its frames are short."""
    wave = np.concatenate([np.zeros((1, 48_000), np.float32), noise(4 * 48_000, 48_000)], 1)
    buffer = io.BytesIO()
    soundfile.write(buffer, wave.T, 48_000, format="MP3", bitrate_mode="VARIABLE", compression_level=0.5)
    return buffer.getvalue()


def test_an_mp3_without_its_first_frame_or_of_two_files_is_read_whole(tmp_path: Path) -> None:
    """The first frame tells the number of samples, which libsndfile stops at or guesses."""
    whole = variable_mp3()
    found = mp3._frame(whole[: mp3.HEADER])
    assert found is not None
    for data, seconds in ((whole, 5), (whole[found[0] :], 5), (2 * whole, 10)):
        path = tmp_path / "a.mp3"
        path.write_bytes(data)
        assert mp3.mp3_samples(path).total == pytest.approx(48_000 * seconds, abs=6 * 1_152)
        assert read(path).seconds == pytest.approx(seconds, abs=0.12)
        assert sum(p.samples.shape[1] for p in read_pieces(path, size=10_000)) == read(path).samples.shape[1]


def test_bytes_that_begin_no_frame_are_given_up(tmp_path: Path) -> None:
    """Counting stops, however long the file is."""
    path = tmp_path / "a.mp3"
    path.write_bytes(variable_mp3() + b"\xff" * (mp3.MAX_JUNK + 10) + variable_mp3())
    assert mp3.mp3_samples(path).total == pytest.approx(5 * 48_000, abs=6 * 1_152)


def test_sounds_one_after_another_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    path.write_bytes(encoded("ogg", tone()) + encoded("ogg", tone(hz=300)))
    with pytest.raises(BadFile, match="several sounds, one after another"):
        read(path)


@pytest.mark.parametrize("kind", [{"format": "RF64"}, {"format": "WAV", "endian": "BIG"}])
def test_other_heads_of_a_wav_tell_its_end(kind: dict[str, str], tmp_path: Path) -> None:
    buffer, path = io.BytesIO(), tmp_path / "a.wav"
    soundfile.write(buffer, tone().T, RATE, "PCM_16", **kind)
    path.write_bytes(buffer.getvalue())
    assert read(path).samples.shape == (1, 2 * RATE)
    path.write_bytes(buffer.getvalue()[:-2])
    with pytest.raises(BadFile, match="is cut short"):
        read(path)
