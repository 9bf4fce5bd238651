"""Clips of the world: they begin as the image, move and pulse as the scene says, and tell nothing else.

Oracles: the image and the music of the scene, and centroids by the phase of a Fourier coefficient.
"""

from dataclasses import replace

import numpy as np
import pytest

from modaloom.modalities import MODALITIES
from modaloom.world import FACTORS, STREAMS
from modaloom.world.image import image
from modaloom.world.information import exact_mutual_information
from modaloom.world.music import music
from modaloom.world.record import SPEEDS, TEMPOS
from modaloom.world.shapes import place
from modaloom.world.splits import SPLITS, scene
from modaloom.world.video import FPS, LENGTH, video
from modaloom.world.write import write_world

ONE = replace(scene(3, "train", 1), shape="circle", motion="still", position="middle centre")
RATE = 16_000
AHEAD = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1), "still": (0, 0)}


def contrast(clip):
    """(T, H, W): how far pixels are from the background."""
    frames = clip.frames.astype(float)
    return np.linalg.norm(frames - np.median(frames, axis=(1, 2), keepdims=True), axis=-1).clip(12) - 12


def areas(clip):
    return contrast(clip).sum((1, 2))


def track(clip):
    """(T, 2): x and y of the centre, in sides, by the phase of the first Fourier coefficient."""
    found = [np.fft.fft(contrast(clip).sum(axis))[:, 1] for axis in (1, 2)]
    return np.unwrap(np.stack([-np.angle(one) for one in found], 1) / (2 * np.pi), axis=0, period=1)


@pytest.mark.parametrize("split", SPLITS)
def test_a_clip_begins_with_the_image(split):
    for i in range(20):
        one = scene(4, split, i)
        first, placed = video(one).frames[0], place(one)
        margin = min(placed.x, 32 - placed.x, placed.y, 32 - placed.y) - placed.radius
        changed = (first != np.asarray(image(one))).any(-1)
        assert not changed[3:-3, 3:-3].any()
        assert margin < 0.5 or not changed.any()


@pytest.mark.parametrize("motion", FACTORS["motion"])
@pytest.mark.parametrize("position", ["top left", "middle centre", "bottom right"])
def test_the_object_goes_straight_on_and_enters_on_the_other_side(motion, position):
    one = replace(ONE, motion=motion, position=position)
    steps = 32 * np.diff(track(video(one)), axis=0)
    assert steps == pytest.approx(np.array([AHEAD[one.direction]] * 15) * SPEEDS[one.speed] / FPS, abs=0.06)
    assert 15 / FPS * SPEEDS["fast"] > 9


@pytest.mark.parametrize("tempo", FACTORS["tempo"])
def test_the_area_is_largest_when_notes_begin(tempo):
    for i in range(6):
        one = replace(ONE, tempo=tempo, instrument="square", nuisance=i)
        wave = np.log(areas(video(one)))
        samples = np.abs(music(one).samples[0])
        quiet = samples.reshape(-1, 16).max(1) < 0.1 * samples.max()
        note = (np.flatnonzero(quiet[:-1] & ~quiet[1:]) / 1000)[1]  # one that does not begin with the sound
        turns = 2 * np.pi * TEMPOS[tempo] * (np.arange(LENGTH) / FPS - note)
        assert np.corrcoef(wave, np.cos(turns))[0, 1] > 0.97


def test_motion_and_pulse_tell_nothing_of_each_other():
    still = areas(video(ONE))
    for motion in FACTORS["motion"]:
        assert areas(video(replace(ONE, motion=motion))) == pytest.approx(still, rel=0.02)
    for tempo in FACTORS["tempo"]:
        moves = replace(ONE, motion="up fast", tempo=tempo)
        assert np.diff(track(video(moves)), axis=0) == pytest.approx(
            np.diff(track(video(replace(moves, tempo="slow"))), axis=0), abs=0.003
        )


def test_a_clip_tells_nothing_else():
    determined = STREAMS["video"].determines
    others = {name: values[-1] for name, values in FACTORS.items() if name not in determined}
    assert set(others) == {"instrument", "register", "voice"}
    assert video(replace(ONE, **others)) == video(ONE)
    for name in determined:
        value = next(value for value in FACTORS[name] if value != getattr(ONE, name))
        assert video(replace(ONE, **{name: value})) != video(ONE)


def test_one_scene_never_looks_twice_the_same():
    clips = [video(replace(ONE, nuisance=i)).frames.tobytes() for i in range(12)]
    assert len({*clips}) == 12
    assert video(ONE) == video(ONE)


def test_clips_are_written_where_they_are_asked_for(tmp_path):
    [*write_world(tmp_path / "w", 2, streams=["image", "video"], held_out=1, side=64)]
    for split in SPLITS:
        read = MODALITIES["video"].read(tmp_path / "w" / split / "000001.video.mp4")
        made = video(replace(scene(0, split, 1), side=64))
        assert read.facts == made.facts == (LENGTH, 64, 64, FPS)
        assert np.abs(read.frames.astype(float) - made.frames).mean() < 5
    [*write_world(tmp_path / "usual", 1, held_out=1)]
    assert not [*(tmp_path / "usual").rglob("*.mp4")]


def test_what_clips_share_with_other_streams():
    assert exact_mutual_information("image", "video") is None  # one object, jittered
    assert exact_mutual_information("music", "video") is None  # one phase of the beat
    both = exact_mutual_information("caption", "video")
    assert both == exact_mutual_information("caption", "caption.zh")
    tempo = exact_mutual_information("video", "caption", fixed={"motion": "still"})
    assert tempo == exact_mutual_information("caption.zh", "caption", fixed={"motion": "still"})
