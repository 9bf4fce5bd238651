"""The video modality: clips as `Video` values.

A clip's signal has three axes, time, height and width, and the channels of its frames.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modaloom.core.errors import BadValue, shown
from modaloom.metrics.flicker import flicker
from modaloom.metrics.psnr import mse, psnr
from modaloom.metrics.ssim import ssim
from modaloom.modalities import image
from modaloom.modalities.base import DataSpec, Modality, Tracks
from modaloom.modalities.colours import outline
from modaloom.modalities.files import File
from modaloom.modalities.signal_codec import Pieces, SignalCodec, Stretches
from modaloom.modalities.video_encode import suffix_of, write, write_like, write_with
from modaloom.modalities.video_facts import describe
from modaloom.modalities.video_file import parts, read
from modaloom.modalities.video_format import PICTURES, SUFFIXES
from modaloom.modalities.video_rate import at_rate
from modaloom.modalities.video_remarks import remarks
from modaloom.modalities.video_spec import (
    VideoLimits,
    infer_spec,
    kept_frames,
    of_pictures,
    shortened,
    usual_rate,
)
from modaloom.modalities.video_value import MAX_VALUES, Frame, Video
from modaloom.modalities.video_view import picture, to_html
from modaloom.transforms import brightness, flip

FPS = Fraction(8)
"""Frames a second of a picture."""


def coerce(value: object) -> Video:
    """`Video`, a path as str, (array, fps), or a PIL image → clip. Raises `BadValue` and `BadFile`.

    An array is uint8 (T, H, W, 3), or (T, H, W) for grey.
    """
    if isinstance(value, Video):
        return value
    if isinstance(value, str):
        return read(Path(value))
    if isinstance(value, Image.Image):
        return Video.of(np.asarray(image.to_rgb(value))[None], FPS)
    match value:
        case (np.ndarray() as array, int() | float() | Fraction() as fps):
            return Video.of(array, fps)
    raise BadValue(
        f"{shown(value)} is no video; give a (NumPy array (T, H, W, 3), frames a second), a Video, a PIL "
        "image, or the path of a file"
    )


def pack(clip: Video, spec: DataSpec) -> NDArray[np.uint8]:
    """Clip → uint8 (C, T, H, W), each frame fitted into the content box; with `VARIABLE`, T is its own."""
    return np.stack([_packed(frame, spec) for frame in kept_frames(clip, spec)], 1)


def pack_file(path: File, spec: DataSpec) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """File → its packed frames, one by one, each with 1: all of `pack`, without a limit of the length.

    Raises `BadFile`.
    """
    for frame in at_rate(read(path), Fraction(spec["fps"])).scan():
        yield _packed(frame, spec)[:, None], 1


def _packed(frame: Frame, spec: DataSpec) -> NDArray[np.uint8]:
    return image.pack(Image.fromarray(frame), of_pictures(spec))


def unpack(packed: NDArray[np.uint8], spec: DataSpec) -> Video:
    """uint8 (C, T, H, W) → the content box of every frame; of none, a black one."""
    whole = packed if packed.shape[1] else np.zeros_like(packed, shape=(len(packed), 1, *packed.shape[2:]))
    return Video.of(np.stack([*_unpacked([whole], spec)]), Fraction(spec["fps"]))


def unpack_file(packed: Iterable[NDArray[np.uint8]], n: int, spec: DataSpec, path: Path) -> None:
    """Writes the first n frames of packed pieces of a clip, one by one."""
    frames = islice(_unpacked(packed, spec), n)
    height, width = spec["content"]
    write(Video(lambda: frames, n, height, width, Fraction(spec["fps"])), path)


def _unpacked(packed: Iterable[NDArray[np.uint8]], spec: DataSpec) -> Iterator[Frame]:
    for piece in packed:
        for frame in piece.swapaxes(0, 1):
            yield np.asarray(image.unpack(frame, of_pictures(spec)))


def to_array(clip: Video) -> NDArray[np.uint8]:
    """Clip → uint8 (3, T, H, W), at its own rate. Raises `BadValue` for one that the memory does not hold."""
    return np.ascontiguousarray(clip.frames.transpose(3, 0, 1, 2))


def from_array(packed: NDArray[np.uint8], facts: DataSpec) -> Video:
    """uint8 (3, T, H, W) → clip of the stream's rate, `fps` of the facts."""
    return Video.of(np.ascontiguousarray(packed.transpose(1, 2, 3, 0)), Fraction(facts["fps"]))


def compare(generated: Video, truth: Video, spec: DataSpec) -> dict[str, float]:
    """Returns `psnr` (dB, of the mean squared error of all frames), `ssim` (mean of the frames'), `mse` and
    `flicker` (pixels in 0..1), and `duration_error` (s).

    Clips are fitted into the spec's size and rate, if it has a size; the last frame of the shorter one is
    repeated.
    """
    if "size" in spec:
        generated, truth = (unpack(pack(clip, spec), spec) for clip in (generated, truth))
    longest = max(generated.length, truth.length)
    a, b = (_lengthened(clip.frames, longest) / 255.0 for clip in (generated, truth))
    error = mse(a, b)
    return {
        "psnr": psnr(error),
        "ssim": float(np.mean([ssim(one, other) for one, other in zip(a, b)])),
        "mse": error,
        "flicker": flicker(a, b),
        "duration_error": abs(generated.seconds - truth.seconds),
    }


def _lengthened(frames: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    return np.pad(frames, [(0, length - len(frames)), (0, 0), (0, 0), (0, 0)], mode="edge")


def middle(clip: Video) -> Video:
    """The frames in the middle of a clip that the memory holds, which may be all."""
    most = max(1, MAX_VALUES // (3 * clip.height * clip.width))
    if clip.length <= most:
        return clip
    first = (clip.length - most) // 2
    return replace(clip, scan=lambda: islice(clip.scan(), first, first + most), length=most)


def measure(clips: Iterable[Video]) -> DataSpec:
    """`fps`, the most common rate, as a fraction."""
    return {"fps": str(usual_rate(Counter(clip.fps for clip in clips)))}


def pieces(clip: Video) -> Iterator[NDArray[np.uint8]]:
    """The frames of `to_array`, uint8 (3, 1, H, W) each."""
    return (frame.transpose(2, 0, 1)[:, None] for frame in clip.scan())


def of_pieces(made: Callable[[], Iterator[NDArray[np.uint8]]], source: Video, factor: int) -> Video:
    """A clip as long and as fast as its source, of pieces (3, n, H, W) that are made anew by each scan."""

    def scan() -> Iterator[Frame]:
        return (np.ascontiguousarray(frame) for piece in made() for frame in piece.transpose(1, 2, 3, 0))

    return Video(scan, source.length, factor * source.height, factor * source.width, source.fps)


VIDEO = Modality(
    name="video",
    feature="Video",
    suffixes=SUFFIXES,
    tokenizer="vqvae",
    read=read,
    write=write,
    coerce=coerce,
    infer_spec=infer_spec,
    compare=compare,
    to_html=to_html,
    picture=picture,
    tokenizer_options={
        **{"strides": [4, 8, 8], "crop_size": [16, 32, 32]},
        **{"variable_length": True, "exact_length": True},
    },
    lower_is_better=("mse", "flicker", "duration_error"),
    codec=SignalCodec(
        pack=pack,
        unpack=unpack,
        to_array=to_array,
        from_array=from_array,
        normalize=image.normalize,
        denormalize=image.denormalize,
        augmentations={"flip": flip, "brightness": brightness},
        outline=outline,
        pieces=Pieces(pack_file, unpack_file),
        measure=measure,
        stretches=Stretches(pieces, of_pieces, lambda clip: clip.length),
        middle=middle,
        axes=3,
    ),
    limits=VideoLimits(),
    shortened=shortened,
    describe=describe,
    length=lambda clip: clip.seconds,
    suffix_of=suffix_of,
    reads=PICTURES,
    remarks=remarks,
    kin=("image",),
    tracks=Tracks({"sound": "audio"}, parts, write_with, write_like),
)
