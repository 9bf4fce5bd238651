"""Files of clips, alone or with their sound: MPEG-4, QuickTime, Matroska (H.264), WebM (VP9), and GIF."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from modaloom.modalities.audio_channels import mixed
from modaloom.modalities.audio_rate import resampled
from modaloom.modalities.audio_value import Audio, Samples
from modaloom.modalities.base import Value
from modaloom.modalities.container import converted, pyav
from modaloom.modalities.gif import write_gif
from modaloom.modalities.video_container import CROP
from modaloom.modalities.video_rate import at_rate
from modaloom.modalities.video_value import Frame, Video

SOUND = "sound"
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
    pyav(path)
    with path.open("wb") as file:
        encode(clip, tracks, suffix_of(clip, path.suffix[1:].lower()), file)


def encoded(clip: Video, tracks: Mapping[str, Value], suffix: str) -> bytes:
    """The bytes of a file."""
    buffer = io.BytesIO()
    encode(clip, tracks, suffix, buffer)
    return buffer.getvalue()


def encode(clip: Video, tracks: Mapping[str, Value], suffix: str, file: BinaryIO) -> None:
    """Writes a file, frame by frame."""
    if suffix == GIF:
        _gif(clip, file)
    else:
        _mux(clip, tracks.get(SOUND), ENCODINGS[suffix], file)


def _mux(clip: Video, sound: Audio | None, how: Encoding, file: BinaryIO) -> None:
    av = pyav(Path())
    with av.open(file, "w", format=how.container, options={"fflags": "+bitexact"}) as container:
        pictures = _picture_track(container, clip, how)
        track = None if sound is None else _SoundTrack(container, sound, how)
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
    """A track of sound while it is encoded."""

    def __init__(self, container: Any, sound: Audio, how: Encoding) -> None:
        self.rate = next((rate for rate in how.rates if rate >= sound.rate), how.rates[-1])
        channels = max(n for n in LAYOUTS if n <= sound.channels)
        self.layout = LAYOUTS[channels]
        self.samples: Samples = resampled(mixed(sound.samples, channels), sound.rate, self.rate)
        self.stream = container.add_stream(how.sound, rate=self.rate, layout=self.layout)
        self.done = 0

    def until(self, seconds: Fraction) -> list[Any]:
        """Packets of the samples up to a time."""
        return self._encoded(round(seconds * self.rate))

    def rest(self) -> list[Any]:
        """Packets of all samples that are left."""
        return [*self._encoded(self.samples.shape[1]), *self.stream.encode()]

    def _encoded(self, end: int) -> list[Any]:
        part = np.ascontiguousarray(self.samples[:, self.done : end])
        if not part.shape[1]:
            return []
        frame = pyav(Path()).AudioFrame.from_ndarray(part, format="fltp", layout=self.layout)
        frame.sample_rate, frame.pts, frame.time_base = self.rate, self.done, Fraction(1, self.rate)
        self.done += part.shape[1]
        found: list[Any] = self.stream.encode(frame)
        return found


def _gif(clip: Video, file: BinaryIO) -> None:
    """Times are rounded to `GIF_TICK`, so that none drifts."""
    shown = at_rate(clip, min(clip.fps, GIF_FPS))
    times = [round(k / shown.fps / GIF_TICK) for k in range(shown.length + 1)]
    durations = [int(1000 * GIF_TICK) * (later - time) for time, later in pairwise(times)]
    write_gif(zip(shown.scan(), durations), shown.height, shown.width, file)
