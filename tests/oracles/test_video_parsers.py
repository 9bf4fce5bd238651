"""The parser of clips: at least 99% of every slot on true files, and what is nothing is invalid.

Oracles: the scene itself; discs and squares that are drawn and moved here.
"""

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image, ImageDraw

from modaloom.modalities import MODALITIES
from modaloom.modalities.video_value import Video
from modaloom.world import FACTORS, STREAMS
from modaloom.world.on_beat import on_beat
from modaloom.world.parsers import PARSERS
from modaloom.world.parsers.video import find_pulses
from modaloom.world.scene import INVALID
from modaloom.world.splits import SPLITS, scene

TRUE = {
    "shape": "circle",
    "colour": "red",
    "size": "large",
    "position": "middle centre",
    "background": "dark",
    "motion": "right slow",
    "tempo": "medium",
}


def written(clip, folder):
    path = folder / "clip.mp4"
    MODALITIES["video"].write(clip, path)
    return MODALITIES["video"].read(path)


def check_gate(scenes, folder):
    """At least 99% of each slot and of the pulses are those of the scenes, in files."""
    right = defaultdict(list)
    for one in scenes:
        clip = written(STREAMS["video"].render(one), folder)
        for slot, found in PARSERS["video"](clip).items():
            right[slot].append(found == one.facts[slot])
        right["on beat"].append(on_beat(clip, STREAMS["music"].render(one)))
    assert {*right} == {*STREAMS["video"].determines, "on beat"}
    assert min(map(np.mean, right.values())) >= 0.99


def test_gate_on_a_few_scenes_of_every_split(tmp_path):
    """100 scenes: one miss in a slot is allowed, two are not."""
    check_gate((scene(5, split, i) for split in SPLITS for i in range(20)), tmp_path)


@pytest.mark.full
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("split", [name for name in SPLITS if name.startswith("test")])
def test_full_gate_of_clips(split, tmp_path):
    check_gate((scene(6, split, i) for i in range(500)), tmp_path)


@pytest.mark.parametrize("name", TRUE)
def test_every_value_is_read_on_its_own(name):
    """A value that is common in no split could fail unseen in the average."""
    plain = replace(scene(0, "train", 0), **TRUE)
    for value in FACTORS[name]:
        for nuisance in range(2):
            one = replace(plain, **{name: value}, nuisance=nuisance)
            assert PARSERS["video"](STREAMS["video"].render(one))[name] == value


def drawn(x=16.0, y=16.0, radius=9.5, colour=(220, 50, 60), side=32, method="ellipse"):
    """A frame (side, side, 3), drawn at 8 times the size, that goes on beyond its edges."""
    zoom = 8 * side / 32
    large = Image.new("RGB", (8 * side, 8 * side), (40, 40, 40))
    for left in (x - 32, x, x + 32):
        for top in (y - 32, y, y + 32):
            box = [zoom * v for v in (left - radius, top - radius, left + radius, top + radius)]
            getattr(ImageDraw.Draw(large), method)(box, fill=colour)
    return np.asarray(large.resize((side, side), Image.Resampling.BOX))


def clip(speed=(2.0, 0.0), rate=2.0, *, frames=16, fps=8, swing=0.1, start=0.3, at=(16, 16), **how):
    """A disc with a speed in pixels a second, and its radius a wave with a maximum at `start`."""
    times = np.arange(frames) / fps
    radii = 9.0 * np.exp(swing * np.cos(2 * np.pi * rate * (times - start)))
    places = [[(x + v * time) % 32 for x, v in zip(at, speed)] for time in times]
    made = [drawn(x, y, radius, **how) for (x, y), radius in zip(places, radii)]
    return Video.of(np.stack(made), Fraction(fps))


@pytest.mark.parametrize("how", [{}, {"side": 64}, {"frames": 32, "fps": 16}, {"frames": 12}])
def test_clips_of_another_renderer_are_read(how):
    assert PARSERS["video"](clip(**how)) == TRUE


@pytest.mark.parametrize(
    ("speed", "motion"),
    [
        ((0, 0), "still"),
        ((-2, 0), "left slow"),
        ((5, 0), "right fast"),
        ((0, -5), "up fast"),
        ((0, 2), "down slow"),
        ((0.3, 2), "down slow"),
        ((3.4, 0), INVALID),
        ((8, 0), INVALID),
        ((1.1, 0), INVALID),
        ((1.5, 1.5), INVALID),
        ((4, 3), INVALID),
    ],
)
def test_speeds_between_the_known_ones_are_invalid(speed, motion):
    found = PARSERS["video"](clip(speed))
    assert found == TRUE | {"motion": motion}


@pytest.mark.parametrize(("speed", "motion"), [((5, 0), "right fast"), ((0, 2), "down slow")])
def test_motion_goes_on_beyond_the_edges(speed, motion):
    assert PARSERS["video"](clip(speed, at=(29, 30)))["motion"] == motion


@pytest.mark.parametrize(
    ("rate", "tempo"), [(1.5, "slow"), (2, "medium"), (3, "fast"), (1, INVALID), (2.5, INVALID)]
)
def test_rates_between_the_known_ones_are_invalid(rate, tempo):
    assert PARSERS["video"](clip(rate=rate))["tempo"] == tempo


def test_pulses_are_where_the_area_is_largest():
    for rate in (1.5, 2.0, 3.0):
        for start in (0.2, 0.3, 0.41):
            true = [t for t in start + np.arange(-2, 8) / rate if 0.1 < t < 1.75]
            found = [t for t in find_pulses(clip(rate=rate, start=start)) if 0.1 < t < 1.75]
            assert found == pytest.approx(true, abs=0.03)


def joined(*parts):
    return Video.of(np.concatenate(parts), 8)


RIGHT, LEFT, SQUARE = (clip(**how).frames for how in ({}, {"speed": (-2.0, 0.0)}, {"method": "rectangle"}))
SIZES = np.random.default_rng(2).uniform(8, 10, 16)
BROKEN = {
    "turns back": (joined(RIGHT[:9], LEFT[7::-1][:7]), "motion"),
    "jumps": (joined(RIGHT[:8], np.roll(RIGHT[8:], 6, 2)), "motion"),
    "another colour": (joined(RIGHT[:15], RIGHT[15:, ..., ::-1]), "colour"),
    "another shape": (joined(RIGHT[:8], SQUARE[8:]), "shape"),
    "another background": (joined(RIGHT[:8], 255 - RIGHT[8:]), "background"),
    "no pulse": (clip(swing=0), "tempo"),
    "random sizes": (joined(np.stack([drawn(radius=radius) for radius in SIZES])), "tempo"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_kept_is_invalid(name):
    made, slot = BROKEN[name]
    found = PARSERS["video"](made)
    assert found[slot] == INVALID
    assert found["size"] == "large"


def test_a_frame_without_the_object_breaks_what_must_be_kept_and_no_more():
    frames = RIGHT.copy()
    frames[9] = 40
    found = PARSERS["video"](joined(frames))
    assert found == TRUE | dict.fromkeys(("shape", "colour", "background"), INVALID)
    assert len(find_pulses(joined(frames))) == len(find_pulses(clip()))


def test_a_first_frame_without_the_object_has_no_size_and_no_position():
    frames = RIGHT.copy()
    frames[0] = 40
    gone = ("shape", "colour", "background", "size", "position")
    assert PARSERS["video"](joined(frames)) == TRUE | dict.fromkeys(gone, INVALID)


NOTHING = {
    "noise": np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3), np.uint8),
    "grey": np.full((16, 32, 32, 3), 40, np.uint8),
    "two objects": np.stack([np.maximum(drawn(8, 16, 5), drawn(24, 16, 5))] * 16),
    "gone for most frames": np.stack([drawn()] * 9 + [drawn(radius=0.1)] * 7),
    "one frame": drawn()[None],
}


@pytest.mark.parametrize("name", NOTHING)
def test_no_object_is_invalid(name):
    found = PARSERS["video"](Video.of(NOTHING[name], 8))
    assert found == dict.fromkeys(STREAMS["video"].determines, INVALID)
    assert find_pulses(Video.of(NOTHING[name], 8)) == []


@pytest.mark.parametrize(("tempo", "frames"), [("slow", 3), ("medium", 2)])
def test_a_clip_half_a_beat_late_is_off_the_beat(tempo, frames):
    found = []
    for i in range(8):
        one = replace(scene(9, "test-seen", i), tempo=tempo)
        sound, made = STREAMS["music"].render(one), STREAMS["video"].render(one)
        late = np.concatenate([made.frames[:1].repeat(frames, 0), made.frames[:-frames]])
        found.append(on_beat(Video.of(late, 8), sound))
        assert on_beat(made, sound) == 1
    assert np.mean(found) < 0.3
