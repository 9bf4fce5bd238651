"""Size, rate and length of the clips of a stream, as measured on training clips, and their limits."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat

from PIL import Image

from modaloom.core.errors import check_range
from modaloom.modalities.base import VARIABLE, DataSpec, Shortened
from modaloom.modalities.image_spec import content_box, is_grey, padded_to_strides
from modaloom.modalities.image_spec import shortened as reduced
from modaloom.modalities.video_rate import at_rate
from modaloom.modalities.video_value import MAX_FPS, Frame, Video


@dataclass(frozen=True)
class VideoLimits:
    """Limits on the size of clips."""

    max_side: int = 32
    """Maximum side length in pixels, at least 1."""
    max_seconds: int = 4
    """Maximum duration in seconds, at least 1."""
    max_fps: int = 8
    """Maximum number of frames a second, at least 1."""

    def __post_init__(self) -> None:
        check_range("max_side", self.max_side, 1)
        check_range("max_seconds", self.max_seconds, 1)
        check_range("max_fps", self.max_fps, 1, MAX_FPS)


def infer_spec(clips: Iterable[Video], limits: VideoLimits) -> DataSpec:
    """Infers `fps`, the most common rate, as a fraction, `content` [H, W], the box that frames are fitted
    into, as of images, `channels`, 1 if all frames are grey, else 3, and `size`: [frames] of the longest clip
    and that box padded to whole strides.

    Rate, frames and sides are at most those of the limits.
    """
    seconds, shapes, grey = Fraction(0), list[tuple[int, int]](), True
    rates: Counter[Fraction] = Counter()
    for clip in clips:
        seconds = max(seconds, clip.length / clip.fps)
        shapes.append((clip.height, clip.width))
        rates[clip.fps] += 1
        grey = grey and all(is_grey(Image.fromarray(frame)) for frame in clip.scan())
    content = content_box(shapes, limits.max_side)
    fps = min(Fraction(limits.max_fps), usual_rate(rates))
    frames = max(1, round(min(seconds, Fraction(limits.max_seconds)) * fps))
    return {
        "size": [frames, *padded_to_strides(content)],
        "content": content,
        "channels": 1 if grey else 3,
        "fps": str(fps),
    }


def usual_rate(rates: Mapping[Fraction, int]) -> Fraction:
    """The most common of some rates, given how often each is; of several, the highest."""
    return max(rates, key=lambda rate: (rates[rate], rate))


def of_pictures(spec: DataSpec) -> DataSpec:
    """The spec of the frames."""
    return {"size": spec["size"][1:], "content": spec["content"], "channels": spec["channels"]}


def kept_frames(clip: Video, spec: DataSpec) -> Iterator[Frame]:
    """The frames of a clip at the spec's rate, at most as many as the spec has.

    Without `VARIABLE`, the last frame of a shorter one is repeated.
    """
    most, kept = spec["size"][0], at_rate(clip, Fraction(spec["fps"]), spec["size"][0])
    for frame in kept.scan():
        yield frame
    yield from repeat(frame, 0 if VARIABLE in spec else most - kept.length)


def shortened(clip: Video, spec: DataSpec) -> Sequence[Shortened]:
    """What a spec cuts from a clip: its end, frames, pixels."""
    fps, found = Fraction(spec["fps"]), list[Shortened]()
    seconds = spec["size"][0] / fps
    if clip.length / clip.fps * fps >= spec["size"][0] + Fraction(1, 2):
        how = f"are cut after {float(seconds):g} seconds"
        found.append(Shortened(how, "max_seconds", math.ceil(seconds), math.ceil(clip.seconds)))
    if clip.fps > fps:
        how = f"are reduced to {float(fps):g} frames a second"
        found.append(Shortened(how, "max_fps", math.ceil(fps), math.ceil(clip.fps), True))
    return [*found, *reduced(clip.height, clip.width, spec)]
