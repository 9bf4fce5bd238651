"""The gate for two objects: at least 99% of every slot on ground truth; and the parsers do not flatter."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from modaloom.world.duo import FACTORS, STREAMS
from modaloom.world.duo.parsers import PARSERS
from modaloom.world.duo.parsers.image import parse_image
from modaloom.world.duo.parsers.words import parse_answer, parse_caption, parse_question
from modaloom.world.duo.splits import scene
from modaloom.world.scene import INVALID
from modaloom.world.splits import SPLITS

SCENES = [scene(13, split, i) for split in SPLITS for i in range(200)]
RED, BLUE = (230, 57, 57), (30, 118, 232)


@pytest.mark.parametrize("stream", PARSERS)
def test_gate_on_ground_truth(stream):
    rule = STREAMS[stream]
    found = [(PARSERS[stream](rule.render(one)), one.facts) for one in SCENES]
    assert set(found[0][0]) == set(rule.determines)
    for slot in rule.determines:
        assert np.mean([said[slot] == facts[slot] for said, facts in found]) >= 0.99


def test_gate_at_64_pixels():
    found = [
        (parse_image(STREAMS["image"].render(replace(one, side=64))), one.factors) for one in SCENES[::4]
    ]
    assert np.mean([said == factors for said, factors in found]) >= 0.99


def drawn(*commands, ground=(40, 40, 40)):
    """A picture of (method, box, colour) drawn at 8 times the size."""
    large = Image.new("RGB", (256, 256), ground)
    for method, box, colour in commands:
        getattr(ImageDraw.Draw(large), method)([8 * v for v in box], fill=colour)
    return large.resize((32, 32), Image.Resampling.BOX)


DISC, BLOCK = ("ellipse", (2, 2, 14, 14), RED), ("rectangle", (20.5, 20.5, 27.5, 27.5), BLUE)


def test_pictures_of_another_renderer_are_read():
    assert parse_image(drawn(DISC, BLOCK)) == {
        "first.shape": "circle", "first.colour": "red", "first.size": "large",
        "second.shape": "square", "second.colour": "blue", "second.size": "small",
        "relation": "bigger than", "position": "top left", "background": "dark",
    }  # fmt: skip
    beside = ("rectangle", (20.5, 4.5, 27.5, 11.5), BLUE)
    assert parse_image(drawn(DISC, beside))["relation"] == "left of"
    assert parse_image(drawn(beside, DISC))["first.colour"] == "red"  # the left one, whatever was drawn first


NO_PAIR = {
    "blank": drawn(),
    "one object": drawn(DISC),
    "three objects": drawn(DISC, BLOCK, ("ellipse", (20, 4, 28, 12), RED)),
    "touching": drawn(("ellipse", (4, 2, 17, 14), RED), ("ellipse", (16, 2, 28, 14), BLUE)),
    "of one size in opposite corners": drawn(DISC, ("ellipse", (18, 18, 30, 30), BLUE)),
    "in one corner": drawn(("ellipse", (1, 1, 7, 7), RED), ("ellipse", (9, 9, 15, 15), BLUE)),
    "two colours in one": drawn(DISC, BLOCK, ("rectangle", (24, 20.5, 27.5, 27.5), RED)),
    "noise": Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)),
}


@pytest.mark.parametrize("name", NO_PAIR)
def test_what_is_no_pair_has_no_objects(name):
    found = parse_image(NO_PAIR[name])
    assert {value for slot, value in found.items() if slot != "background"} == {INVALID}


def test_a_bar_is_no_shape():
    found = parse_image(drawn(("rectangle", (1, 6, 15, 10), RED), ("ellipse", (18, 2, 30, 14), BLUE)))
    assert (found["relation"], found["first.shape"], found["second.shape"]) == ("left of", INVALID, "circle")


def test_averages_of_pictures_are_rarely_read():
    renders = [np.asarray(STREAMS["image"].render(one), float) for one in SCENES[:120]]
    mixes = [Image.fromarray(((a + b) / 2).astype(np.uint8)) for a, b in zip(renders[::2], renders[1::2])]
    assert np.mean([INVALID not in parse_image(mix).values() for mix in mixes]) < 0.1


CAPTION = "a small red circle at the top left, left of a huge blue star"


def test_captions_from_either_object_say_the_same():
    same = "there is a large blue star at the top right, right of a tiny red circle"
    assert parse_caption(CAPTION) == parse_caption(same) == {
        "first.shape": "circle", "first.colour": "red", "first.size": "small",
        "second.shape": "star", "second.colour": "blue", "second.size": "large",
        "relation": "left of", "position": "top left",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a small red circle at the top left",
        "a small red circle left of a huge blue star",
        "a small red circle at the top left, by a huge blue star",
        "a small red at the top left, left of a huge blue star",
        f"{CAPTION} left of a tiny green square",
        CAPTION.replace("red", "rde"),
        CAPTION.replace("left of", "above"),
        f"{CAPTION} {CAPTION}",
    ],
)
def test_captions_are_exact(text):
    assert set(parse_caption(text).values()) == {INVALID}


def test_a_corner_that_the_relation_forbids_is_invalid_alone():
    wrong = parse_caption(CAPTION.replace("top left", "top right"))
    assert [slot for slot, value in wrong.items() if value == INVALID] == ["position"]


@pytest.mark.parametrize("text", ["", "three", "top", "red", "circle red", "a red circle", "red circle "])
def test_wrong_answers_are_invalid(text):
    assert parse_answer(text) == {"answer": INVALID}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "how many are there?",
        "how many red are there?",
        "where is it?",
        "what is left of?",
        "where is the star?",
    ],
)
def test_wrong_questions_are_invalid(text):
    assert parse_question(text) == {"asked": INVALID, "about": INVALID}


def test_every_factor_has_a_slot():
    assert set(parse_image(drawn())) == set(FACTORS)
