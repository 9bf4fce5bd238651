"""Files of clips, alone or with their sound: MPEG-4, QuickTime, Matroska (H.264), WebM (VP9), and GIF."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from modaloom.core.errors import BadFile
from modaloom.modalities.audio_channels import mixed
from modaloom.modalities.audio_file import read_pieces
from modaloom.modalities.audio_rate import resampled_pieces
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.base import Value
from modaloom.modalities.container import converted, pyav
from modaloom.modalities.files import File
from modaloom.modalities.gif import write_gif
from modaloom.modalities.video_container import CROP
from modaloom.modalities.video_file import parts
from modaloom.modalities.video_rate import at_rate
from modaloom.modalities.video_value import Frame, Video

SOUND = "sound"
PIECE = 2**14
"""Samples of each channel that are mixed, resampled and encoded at once."""
PIXELS, BT_601 = "yuv420p", 6
"""The format of pixels; the matrix of luma and chroma, told to players, as swscale takes it by default."""
GIF_TICK, GIF_FPS = Fraction(1, 100), Fraction(50)
"""Seconds of which durations of a GIF are multiples, and the most frames a second that are shown so fast."""


@dataclass(frozen=True)
class Encoding:
    """How a format is written."""

    container: str
    video: str
    sound: str
    rates: tuple[int, ...]
    """Rates that its sound may have, in Hz."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Of the codec of pictures."""


AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
H264, VP9 = {"crf": "16"}, {"crf": "16", "b": "0", "cpu-used": "4"}
ENCODINGS: Mapping[str, Encoding] = {
    "mp4": Encoding("mp4", "libx264", "aac", AAC_RATES, H264),
    "mov": Encoding("mov", "libx264", "aac", AAC_RATES, H264),
    "mkv": Encoding("matroska", "libx264", "libopus", OPUS_RATES, H264),
    "webm": Encoding("webm", "libvpx-vp9", "libopus", OPUS_RATES, VP9),
}
"""Suffix → how it is written; GIF is written without sound."""
GIF = "gif"
LAYOUTS: Mapping[int, str] = {1: "mono", 2: "stereo", 6: "5.1"}


def suffix_of(clip: Video, like: str = "") -> str:
    """The suffix of a file: `like` if it is written, else the first."""
    return like if like in (*ENCODINGS, GIF) else next(iter(ENCODINGS))


def write(clip: Video, path: Path) -> None:
    """Writes a clip in the format that the suffix says, without sound."""
    write_with(clip, {}, path)


def write_with(clip: Video, tracks: Mapping[str, Value], path: Path) -> None:
    """Writes a clip with its `sound`, an `Audio`, if there is one. Nothing of the time is stored. Its frames
    are taken once, one by one.

    Colours are stored for blocks of 2 × 2 pixels (yuv420p). Odd sizes are lengthened by the last row or
    column, which a comment in the file tells, so that reading cuts them off again. Sound has a rate, and one,
    two or six channels, that the codec has. Raises `BadFile` without PyAV.
    """
    _write(clip, _pieces(tracks), path)


def write_like(clip: Video, source: File, path: Path, notify: Callable[[str], None]) -> None:
    """`write_with` the sound of another file, of any length, as far as it can be read; `notify` gets what
    cannot."""
    _write(clip, _sound_of(source, notify), path)


def encoded(clip: Video, tracks: Mapping[str, Value], suffix: str) -> bytes:
    """The bytes of a file."""
    buffer = io.BytesIO()
    encode(clip, tracks, suffix, buffer)
    return buffer.getvalue()


def encode(clip: Video, tracks: Mapping[str, Value], suffix: str, file: BinaryIO) -> None:
    """Writes a file, frame by frame."""
    _encode(clip, _pieces(tracks), suffix, file)


def _pieces(tracks: Mapping[str, Value]) -> Iterator[Audio]:
    for sound in [tracks[SOUND]] if SOUND in tracks else []:
        for first in range(0, sound.samples.shape[1], PIECE):
            yield replace(sound, samples=sound.samples[:, first : first + PIECE])


def _sound_of(source: File, notify: Callable[[str], None]) -> Iterator[Audio]:
    """The pieces of a file's sound, if it has one, up to where it cannot be read."""
    try:
        if SOUND in parts(source):
            yield from read_pieces(source)
    except BadFile as error:
        notify(f"the sound is kept as far as it can be read, since it {error.reason}")


def _write(clip: Video, sound: Iterator[Audio], path: Path) -> None:
    pyav(path)
    with path.open("wb") as file:
        _encode(clip, sound, suffix_of(clip, path.suffix[1:].lower()), file)


def _encode(clip: Video, sound: Iterator[Audio], suffix: str, file: BinaryIO) -> None:
    """Writes a file, frame by frame, and its sound by its pieces."""
    if suffix == GIF:
        _gif(clip, file)
    else:
        _mux(clip, sound, ENCODINGS[suffix], file)


def _mux(clip: Video, sound: Iterator[Audio], how: Encoding, file: BinaryIO) -> None:
    av, first = pyav(Path()), next(sound, None)
    with av.open(file, "w", format=how.container, options={"fflags": "+bitexact"}) as container:
        pictures = _picture_track(container, clip, how)
        track = None if first is None else _SoundTrack(container, first, sound, how)
        for k, frame in enumerate(clip.scan()):
            shown = converted(av.VideoFrame.from_ndarray(_even(frame), format="rgb24"), PIXELS)
            shown.pts, shown.time_base = k, 1 / clip.fps
            container.mux(pictures.encode(shown))
            if track is not None:
                container.mux(track.until((k + 1) / clip.fps))
        container.mux(pictures.encode())
        if track is not None:
            container.mux(track.rest())


def _picture_track(container: Any, clip: Video, how: Encoding) -> Any:
    stream = container.add_stream(how.video, rate=clip.fps, options=dict(how.options))
    stream.height, stream.width = clip.height + clip.height % 2, clip.width + clip.width % 2
    stream.pix_fmt = PIXELS
    context = stream.codec_context
    context.thread_count, context.colorspace, context.time_base = 1, BT_601, 1 / clip.fps
    if clip.height % 2 or clip.width % 2:
        container.metadata["comment"] = CROP.format(width=clip.width, height=clip.height)
    return stream


def _even(frame: Frame) -> Frame:
    height, width, _ = frame.shape
    return np.pad(frame, [(0, height % 2), (0, width % 2), (0, 0)], mode="edge")


class _SoundTrack:
    """A track of sound while it is encoded, from the first of its pieces and the others."""

    def __init__(self, container: Any, first: Audio, rest: Iterable[Audio], how: Encoding) -> None:
        self.rate = next((rate for rate in how.rates if rate >= first.rate), how.rates[-1])
        channels = max(n for n in LAYOUTS if n <= first.channels)
        self.layout = LAYOUTS[channels]
        mixes = (mixed(sound.samples, channels) for sound in chain([first], rest))
        self.pieces = resampled_pieces(mixes, first.rate, self.rate)
        self.stream = container.add_stream(how.sound, rate=self.rate, layout=self.layout)
        self.waiting, self.done = next(self.pieces), 0

    def until(self, seconds: Fraction) -> Iterator[Any]:
        """Packets of the samples up to a time."""
        end = round(seconds * self.rate) - self.done
        while self.waiting.shape[1] < end and (piece := next(self.pieces, None)) is not None:
            self.waiting = np.concatenate([self.waiting, piece], 1)
        return self._encoded(end)

    def rest(self) -> Iterator[Any]:
        """Packets of all samples that are left."""
        for piece in chain([self.waiting], self.pieces):
            self.waiting = piece
            yield from self._encoded(piece.shape[1])
        yield from self.stream.encode()

    def _encoded(self, n: int) -> Iterator[Any]:
        part, self.waiting = np.hsplit(self.waiting, [n])
        if part.shape[1]:
            whole = np.ascontiguousarray(part)
            frame = pyav(Path()).AudioFrame.from_ndarray(whole, format="fltp", layout=self.layout)
            frame.sample_rate, frame.pts, frame.time_base = self.rate, self.done, Fraction(1, self.rate)
            self.done += part.shape[1]
            yield from self.stream.encode(frame)


def _gif(clip: Video, file: BinaryIO) -> None:
    """Times are rounded to `GIF_TICK`, so that none drifts."""
    shown = at_rate(clip, min(clip.fps, GIF_FPS))
    times = [round(k / shown.fps / GIF_TICK) for k in range(shown.length + 1)]
    durations = [int(1000 * GIF_TICK) * (later - time) for time, later in pairwise(times)]
    write_gif(zip(shown.scan(), durations), shown.height, shown.width, file)
