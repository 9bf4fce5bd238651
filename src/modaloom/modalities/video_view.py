"""Clips to look at."""

import base64
import io
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from PIL import Image

from modaloom.modalities.codec import DataSpec
from modaloom.modalities.video_encode import encoded
from modaloom.modalities.video_rate import at_rate
from modaloom.modalities.video_value import Frame, Video

MAX_SIDE = 192
"""Pixels of the longer side of the player; smaller clips are enlarged by an integer factor."""
MAX_PLAYED = 20
"""Seconds of a clip that a page holds."""
MAX_PLAYED_FPS = 30
NUM_STILLS, STILL = 8, 48
"""Frames of a contact sheet, and the pixels of their longer side."""
JPEG_QUALITY = 80


def to_html(clip: Video, spec: DataSpec) -> str:
    """Returns a player with inline MPEG-4 and its first frame as poster, a contact sheet of frames spread
    over the clip, and what the clip is; of a longer one, the first `MAX_PLAYED` seconds are played.

    A clip of one frame is a picture.
    """
    facts = f"{clip.seconds:.2f} s, {float(clip.fps):.5g} fps, {clip.width}×{clip.height}"
    fps = min(clip.fps, Fraction(MAX_PLAYED_FPS))
    shown = at_rate(clip, fps, max(1, round(MAX_PLAYED * fps)))
    played, n = [_sized(frame, MAX_SIDE) for frame in shown.scan()], shown.length
    height, width, _ = played[0].shape
    sheet, poster = _uri("image/jpeg", _jpeg(_sheet(played))), _uri("image/jpeg", _jpeg(played[0]))
    if n == 1:
        return f'<div><img src="{poster}" alt="{facts}"><br><small>{facts}</small></div>'
    source = _uri("video/mp4", encoded(Video.of(np.stack(played), fps), {}, "mp4"))
    return (
        f'<div><video controls loop muted playsinline width="{width}" height="{height}" poster="{poster}" '
        f'src="{source}"></video>'
        f'<img src="{sheet}" style="display: block" alt="frames of a video, {facts}">'
        f"<small>{facts}</small></div>"
    )


def picture(clip: Video, spec: DataSpec) -> Image.Image:
    """Returns a contact sheet of frames spread over the clip."""
    return Image.fromarray(_sheet([*clip.scan()]))


def _sheet(frames: Sequence[Frame]) -> Frame:
    n = len(frames)
    stills = [_sized(frames[i], STILL) for i in np.linspace(0, n - 1, min(n, NUM_STILLS)).astype(int)]
    return np.concatenate(stills, 1)


def _sized(frame: Frame, side: int) -> Frame:
    """A frame whose longer side is at most `side`, or nearly so by an integer factor."""
    longest = max(frame.shape[:2])
    if longest <= side:
        zoom = side // longest
        return frame.repeat(zoom, 0).repeat(zoom, 1)
    size = [max(1, round(n * side / longest)) for n in frame.shape[1::-1]]
    return np.asarray(Image.fromarray(frame).resize((size[0], size[1]), Image.Resampling.LANCZOS))


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _jpeg(pixels: Frame) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
