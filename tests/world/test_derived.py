"""Derived pictures: functions of the picture alone, made from one rendering, honest about what they tell."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from modaloom.world import STREAMS
from modaloom.world.parsers import PARSERS
from modaloom.world.rule import StreamRule, render_all
from modaloom.world.scene import FACTORS, INVALID, TONES
from modaloom.world.score import score
from modaloom.world.splits import SPLITS, scene

DERIVED = [name for name, rule in STREAMS.items() if rule.source is STREAMS["image"]]
ONE = scene(3, "train", 1)


@pytest.mark.parametrize("name", DERIVED)
def test_it_is_a_function_of_the_picture(name):
    """Another scene with the same picture gives the same derived one."""
    rule = STREAMS[name]
    assert rule.render(ONE).tobytes() == rule.make(STREAMS["image"].render(ONE)).tobytes()
    assert rule.render(ONE).tobytes() == rule.render(replace(ONE, asked="size", novel_words=True)).tobytes()


def test_what_several_streams_derive_from_is_rendered_once():
    calls = []
    source = StreamRule("text", lambda shown: calls.append(shown) or "ab", ())
    rules = {
        "upper": StreamRule("text", str.upper, (), source=source),
        "source": source,
        "twice": StreamRule("text", lambda text: 2 * text, (), source=source),
    }
    assert render_all(rules, rules, "scene") == {"upper": "AB", "source": "ab", "twice": "abab"}
    assert calls == ["scene"]


def test_sizes_and_channels():
    shown = render_all(STREAMS, ["image", *DERIVED], replace(ONE, side=64))
    assert {name: picture.size for name, picture in shown.items()} == {
        "image": (64, 64),
        "image.gray": (64, 64),
        "image.small": (16, 16),
        "image.paint": (64, 64),
        "image.mosaic": (64, 64),
    }
    grey = np.asarray(shown["image.gray"])
    assert (grey == grey[..., :1]).all()


@pytest.mark.parametrize("name", ["image", *DERIVED])
def test_the_gate_holds_at_64_pixels(name):
    shown = [replace(scene(5, split, i), side=64) for split in SPLITS for i in range(60)]
    right = [score(name, STREAMS[name].render(one), one.facts) for one in shown]
    assert min(np.mean([r[slot] for r in right]) for slot in right[0]) >= 0.99


def test_a_larger_picture_shows_the_same_scene():
    """Averaged over 2 × 2 pixels it is the small one, but for the noise and the outline's curvature."""
    large = STREAMS["image"].render(replace(ONE, side=64)).resize((32, 32), Image.Resampling.BOX)
    apart = np.abs(np.asarray(large, float) - np.asarray(STREAMS["image"].render(ONE), float))
    assert apart.mean() < 3


def test_grey_tells_the_tone_and_no_more():
    for colour in FACTORS["colour"]:
        shown = STREAMS["image.gray"].render(replace(ONE, colour=colour))
        found = PARSERS["image.gray"](shown)
        assert found["tone"] == TONES[colour]
        assert "colour" not in found


@pytest.mark.parametrize("name", DERIVED)
def test_what_shows_no_single_shape_is_invalid(name):
    blank = Image.new("RGB", (32, 32), (40, 40, 40))
    halves = Image.fromarray(
        np.hstack([np.asarray(STREAMS["image"].render(ONE))[:, :16], np.full((32, 16, 3), 40, np.uint8)])
    )
    halves.paste((230, 60, 60), (20, 4, 31, 12))
    for picture in (blank, halves):
        assert PARSERS[name](STREAMS[name].make(picture))["shape"] == INVALID


def test_a_coloured_picture_has_no_tone():
    assert PARSERS["image.gray"](STREAMS["image"].render(ONE))["tone"] == INVALID
