"""The video modality: specification, packing, comparison, what is said."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modaloom.core.errors import BadFile, BadValue
from modaloom.evaluation.headline import sign
from modaloom.modalities.base import VARIABLE
from modaloom.modalities.video import FPS, VIDEO, coerce
from modaloom.modalities.video_spec import VideoLimits
from modaloom.modalities.video_value import Frame, Video

pytest.importorskip("av")

from clips import levels, muxed, numbers, put, square


def clip(n: int = 16, height: int = 24, width: int = 32, fps: Fraction | float = 8) -> Video:
    return Video.of(levels(n, height, width), fps)


def spec_of(*clips: Video, **limits: int) -> dict[str, Any]:
    return VIDEO.infer_spec(clips, VideoLimits(**limits))


def test_the_spec_is_that_of_the_longest_and_commonest() -> None:
    spec = spec_of(clip(8), clip(20), clip(10, fps=4))
    assert spec == {"size": [20, 24, 32], "content": [24, 32], "channels": 1, "fps": "8"}
    assert spec_of(square(5))["channels"] == 3
    assert spec_of(clip(10, fps=Fraction(30_000, 1001)), max_fps=30)["fps"] == "30000/1001"


def test_limits_bound_it_and_are_told() -> None:
    long = clip(100, 90, 120, 25)
    spec = spec_of(long, max_seconds=2)
    assert (spec["size"], spec["fps"]) == ([16, 24, 32], "8")
    told = [(one.how, one.limit, one.kept, one.needed) for one in VIDEO.shortened(long, spec)]
    assert told == [
        ("are cut after 2 seconds", "max_seconds", 2, 4),
        ("are reduced to 8 frames a second", "max_fps", 8, 25),
        ("are reduced to fit into 32×24 pixels", "max_side", 32, 120),
    ]
    assert [one.is_resolution for one in VIDEO.shortened(long, spec)] == [False, True, True]
    assert not VIDEO.shortened(clip(16), spec)
    wide = spec_of(long, max_side=120, max_fps=25)
    assert (wide["size"], wide["fps"]) == ([100, 96, 120], "25")
    assert not VIDEO.shortened(long, wide)


@pytest.mark.parametrize("limits", [{"max_side": 0}, {"max_seconds": 0}, {"max_fps": 0}, {"max_fps": 2000}])
def test_limits_are_checked(limits: dict[str, int]) -> None:
    with pytest.raises(BadValue, match=next(iter(limits))):
        VideoLimits(**limits)


def test_a_shorter_clip_repeats_its_last_frame_or_keeps_its_length() -> None:
    spec = spec_of(clip(16))
    found = VIDEO.signal.fitted(clip(5), spec)
    assert numbers(found.frames) == [0, 1, 2, 3, 4, *[4] * 11]
    own = VIDEO.signal.fitted(clip(5), {**spec, VARIABLE: True})
    assert own == clip(5)
    cut = VIDEO.signal.fitted(clip(40), {**spec, VARIABLE: True})
    assert cut == clip(16)


def test_frames_are_fitted_as_images_are() -> None:
    """Oracle: the image modality, frame by frame."""
    from modaloom.modalities.image import IMAGE

    source = square(6, side=50)
    spec = spec_of(source)
    packed = VIDEO.signal.pack(source, spec)
    assert packed.shape == (3, 6, 32, 32)
    flat = {"size": [32, 32], "content": spec["content"], "channels": 3}
    for k, frame in enumerate(source.frames):
        assert np.array_equal(packed[:, k], IMAGE.signal.pack(Image.fromarray(frame), flat))


def test_30_frames_a_second_and_29_97_are_one_stream() -> None:
    spec = spec_of(clip(30, fps=30), clip(30, fps=Fraction(30_000, 1001)), max_fps=30)
    assert spec["fps"] == "30"
    packed = [VIDEO.signal.pack(clip(30, fps=fps), spec) for fps in (30, Fraction(30_000, 1001))]
    assert np.array_equal(*packed)


def test_a_signal_without_frames_is_one_black_frame() -> None:
    spec = spec_of(clip(8))
    found = VIDEO.signal.unpack(np.zeros((1, 0, 24, 32), np.uint8), spec)
    assert found.facts == (1, 24, 32, 8)
    assert not found.frames.any()


def test_compare_has_known_values() -> None:
    """A difference of 51 of 255 everywhere is an error of 0.04, 13.98 dB, and does not flicker."""
    truth = Video.of(np.full((8, 24, 32, 3), 100, np.uint8), 8)
    bright = Video.of(np.full((8, 24, 32, 3), 151, np.uint8), 8)
    spec = spec_of(truth)
    found = VIDEO.compare(bright, truth, spec)
    assert found["mse"] == pytest.approx(0.04)
    assert found["psnr"] == pytest.approx(13.979, abs=0.001)
    assert (found["flicker"], found["duration_error"]) == (0, 0)
    alternating = Video.of(np.where(np.arange(8)[:, None, None, None] % 2, truth.frames, bright.frames), 8)
    assert VIDEO.compare(alternating, truth, spec)["flicker"] == pytest.approx(0.2)
    assert VIDEO.compare(truth, truth, spec) == {
        **{"psnr": 100.0, "ssim": 1.0, "mse": 0.0},
        **{"flicker": 0.0, "duration_error": 0.0},
    }


def test_durations_are_compared_and_the_last_frame_stays() -> None:
    spec = {**spec_of(clip(16)), VARIABLE: True}
    found = VIDEO.compare(clip(4), clip(12), spec)
    assert found["duration_error"] == 1
    still = Video.of(np.concatenate([levels(4, 24, 32), levels(4, 24, 32)[[-1] * 8]]), 8)
    assert VIDEO.compare(clip(4), still, spec)["mse"] == 0
    assert VIDEO.compare(clip(4), still, {})["mse"] == 0


def test_facts_are_measured() -> None:
    facts = VIDEO.describe([clip(16), clip(8, fps=4), clip(40, 10, 20), clip(30, fps=Fraction(30_000, 1001))])
    assert facts == {
        "shortest": "1.00 s",
        "median": "2.00 s",
        "longest": "5.00 s",
        "total": "0.2 minutes",
        "smallest": "20×10",
        "largest": "32×24",
        "sizes": 2,
        "rate": "4 fps (1), 8 fps (2), 29.97 fps (1)",
        "frames": "8 to 40",
    }
    assert VIDEO.length is not None
    assert VIDEO.length(clip(12)) == 1.5


def test_arrays_with_a_rate_and_pictures_are_taken() -> None:
    frames = levels(4)
    assert coerce((frames, 10)) == Video.of(frames, 10)
    assert coerce((frames[..., 0], 29.97)).fps == Fraction(2997, 100)
    picture = coerce(Image.fromarray(frames[0]))
    assert (picture.length, picture.fps) == (1, FPS)
    assert np.array_equal(picture.frames[0], frames[0])
    for bad, match in (
        ((frames, "fast"), "is no video"),
        ((frames / 2, 8), "float64"),
        (frames, "is no video"),
    ):
        with pytest.raises(BadValue, match=match):
            coerce(bad)


def test_a_page_has_player_poster_sheet_and_facts() -> None:
    fragment = VIDEO.to_html(clip(16), {})
    assert re.search(
        r'<video controls [^>]*poster="data:image/jpeg;base64,[\w+/=]+" src="data:video/mp4;base64', fragment
    )
    assert re.search(r'<img src="data:image/jpeg;base64,[\w+/=]+"', fragment)
    assert "2.00 s, 8 fps, 32×24" in fragment
    assert fragment == VIDEO.to_html(clip(16), {})
    assert len(fragment) < 40_000
    assert len(VIDEO.to_html(clip(3000, 24, 32, 30), {})) < 400_000
    assert "<video" not in VIDEO.to_html(clip(1), {})


def test_a_long_clip_is_never_whole_in_memory() -> None:
    """200,000 frames of 6 megapixels, of which 16 are looked at."""
    scanned = []

    def scan() -> Any:
        for k in range(200_000):
            scanned.append(k)
            yield np.full((2000, 3000, 3), k % 255, np.uint8)

    long = Video(scan, 200_000, 2000, 3000, Fraction(8))
    spec = spec_of(square(16))
    assert VIDEO.signal.pack(long, {**spec, VARIABLE: True}).shape == (3, 16, 32, 32)
    assert len(scanned) <= 17
    with pytest.raises(BadValue, match="cut or reduce it"):
        long.frames.sum()


def test_arrays_at_their_own_size_come_back_to_the_bit() -> None:
    source = square(6)
    assert VIDEO.signal.from_array(VIDEO.signal.to_array(source), {"fps": "8"}) == source


def test_a_file_that_was_taken_away_is_named(tmp_path: Path) -> None:
    path = put(tmp_path, "a.mp4", muxed("mp4", levels(6)))
    found = VIDEO.read(path)
    path.unlink()
    with pytest.raises((BadFile, FileNotFoundError), match=r"a\.mp4"):
        found.frames.sum()


def test_equality_is_of_frames_and_facts() -> None:
    assert clip(4) == clip(4)
    assert clip(4) != clip(5)
    assert clip(4) != clip(4, fps=9)
    assert clip(4) != Video.of(255 - levels(4, 24, 32), 8)
    assert clip(4) != "clip"
    frame: Frame = clip(1).frames[0]
    assert frame.dtype == np.uint8


def test_lower_is_better_is_said_by_the_modality() -> None:
    assert [sign(name) for name in ("mse", "flicker", "duration_error", "psnr")] == [-1, -1, -1, 1]
