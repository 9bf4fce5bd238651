"""Clips and files of clips for tests: written by PyAV and Pillow, apart from the code that is tested."""

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from modaloom.modalities.video_value import Video

SIDE = 32
KINDS = {
    "mp4": ("mp4", "libx264"),
    "mov": ("mov", "libx264"),
    "mkv": ("matroska", "libx264"),
    "webm": ("webm", "libvpx-vp9"),
    "avi": ("avi", "mpeg4"),
}
"""Suffix → (FFmpeg's format, codec)."""


def levels(n: int, height: int = SIDE, width: int = SIDE) -> np.ndarray:
    """Grey frames (n, H, W, 3) that get brighter by 12 from one to the next: each tells its number."""
    grey = (20 + 12 * np.arange(n) % 200).astype(np.uint8)
    return np.broadcast_to(grey[:, None, None, None], (n, height, width, 3)).copy()


def numbers(frames: np.ndarray) -> list[int]:
    """The numbers that frames of `levels` tell."""
    return [round((float(frame.mean()) - 20) / 12) for frame in frames]


def square(n: int = 8, side: int = SIDE, colour: Sequence[int] = (230, 60, 20), step: int = 2) -> Video:
    """A square that moves to the right by `step` pixels a frame, at 8 frames a second."""
    frames = np.full((n, side, side, 3), 40, np.uint8)
    for k, frame in enumerate(frames):
        left = (step * k) % (side - 8)
        frame[10:18, left : left + 8] = colour
    return Video.of(frames, 8)


def muxed(
    suffix: str,
    frames: np.ndarray,
    fps: Fraction | int = 10,
    *,
    times: Sequence[int] | None = None,
    codec: str = "",
    pix_fmt: str = "yuv420p",
    turn: int = 0,
    options: dict[str, str] | None = None,
    mux: dict[str, str] | None = None,
    tracks: int = 1,
    comment: str = "",
    path: Path | None = None,
) -> bytes:
    """A file by FFmpeg.

    Args:
        suffix: one of `KINDS`.
        frames: uint8 (T, H, W, 3), or (T, H, W, 4) with alpha.
        fps: frames a second.
        times: place of each frame on the grid of `fps`; None: one after the other.
        codec: another one than of `KINDS`.
        pix_fmt: how pixels are stored.
        turn: degrees by which players turn it.
        options: of the codec.
        mux: of the container.
        tracks: tracks of pictures; further ones are inverted.
        comment: in the container.
        path: a file to write first, for containers that are written twice.
    """
    container, usual = KINDS[suffix]
    buffer = io.BytesIO()
    with av.open(buffer if path is None else str(path), "w", format=container, options=mux or {}) as file:
        facts = codec or usual, frames, Fraction(fps), pix_fmt, options or {}
        streams = [_track(file, *facts) for _ in range(tracks)]
        if comment:
            file.metadata["comment"] = comment
        if turn:
            streams[0].set_display_rotation(turn)
        for i, stream in enumerate(streams):
            for k, frame in enumerate(frames if i == 0 else 255 - frames):
                one = av.VideoFrame.from_ndarray(frame, format="rgb24" if frame.shape[-1] == 3 else "rgba")
                one.pts, one.time_base = k if times is None else times[k], 1 / Fraction(fps)
                file.mux(stream.encode(one))
            file.mux(stream.encode())
    return buffer.getvalue() if path is None else path.read_bytes()


def _track(file: Any, codec: str, frames: np.ndarray, fps: Fraction, pix_fmt: str, options: Any) -> Any:
    stream = file.add_stream(codec, rate=fps, options=options)
    stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pix_fmt
    stream.codec_context.thread_count, stream.codec_context.time_base = 1, 1 / fps
    return stream


def sounding(
    suffix: str, codec: str, heard: Sequence[tuple[float, np.ndarray]], shown: float | None = 0.0, n: int = 30
) -> bytes:
    """A file by FFmpeg of sound at 48 kHz, and n frames of `levels` at 10 a second.

    Args:
        suffix: one of `KINDS`.
        codec: of the sound.
        heard: when parts of it begin, in seconds, and their samples (1, n).
        shown: when the pictures begin, in seconds; None: there are none.
        n: frames.
    """
    container, pictures = KINDS[suffix]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        seen = None if shown is None else _track(file, pictures, levels(n), Fraction(10), "yuv420p", {})
        stream = file.add_stream(codec, rate=48_000, layout="mono")
        for k, frame in enumerate(levels(n) if seen is not None else ()):
            one = av.VideoFrame.from_ndarray(frame, format="rgb24")
            one.pts, one.time_base = k + round(10 * (shown or 0)), Fraction(1, 10)
            file.mux(seen.encode(one))
        file.mux([] if seen is None else seen.encode())
        for start, samples in heard:
            wave = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="mono")
            wave.sample_rate, wave.pts, wave.time_base = 48_000, round(48_000 * start), Fraction(1, 48_000)
            file.mux(stream.encode(wave))
        file.mux(stream.encode())
    return buffer.getvalue()


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
