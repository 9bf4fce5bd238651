"""The parsers' gate: at least 99% of every slot on ground truth, with all nuisance; and they do not flatter.

The oracle is the scene itself: what was rendered is known exactly.
"""

from collections import defaultdict

import numpy as np
import pytest
from PIL import Image, ImageDraw

from modaloom.world import STREAMS, VISIBLE
from modaloom.world.image import image
from modaloom.world.parsers.image import parse_image
from modaloom.world.parsers.record import parse_record
from modaloom.world.parsers.words import parse_answer, parse_caption, parse_question
from modaloom.world.record import record
from modaloom.world.scene import FACTORS, INVALID, Scene
from modaloom.world.score import score
from modaloom.world.splits import SPLITS, scene

SCENES = [scene(11, split, index) for split in SPLITS for index in range(200)]
LARGE = Scene("circle", "red", "large", "middle centre", "dark", "size", 5)


def accuracies(stream, change=lambda value: value):
    right = defaultdict(list)
    for one in SCENES:
        for slot, ok in score(stream, change(STREAMS[stream].render(one)), one.facts).items():
            right[slot].append(ok)
    return {slot: np.mean(found) for slot, found in right.items()}


def visible(one):
    return {name: one.factors[name] for name in VISIBLE}


def pixels(picture):
    return np.asarray(picture, dtype=float)


def picture(values):
    return Image.fromarray(np.clip(np.round(values), 0, 255).astype(np.uint8))


def blurred(shown):
    """3 × 3 binomial blur and noise of standard deviation 4 of 255."""
    wide = np.pad(pixels(shown), ((1, 1), (1, 1), (0, 0)), mode="edge")
    tall = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
    soft = (tall[:, :-2] + 2 * tall[:, 1:-1] + tall[:, 2:]) / 4
    return picture(soft + np.random.default_rng(int(wide.sum())).normal(0, 4, soft.shape))


@pytest.mark.parametrize("stream", [name for name, rule in STREAMS.items() if rule.always])
def test_gate_on_ground_truth(stream):
    assert min(accuracies(stream).values()) >= 0.99


def test_gate_on_blurred_and_noisy_images():
    assert min(accuracies("image", blurred).values()) >= 0.97


@pytest.mark.parametrize("name", VISIBLE)
def test_every_value_is_read_on_its_own(name):
    """A value that is common in no split could fail unseen in the average."""
    for value in FACTORS[name]:
        for nuisance in range(10):
            shown = Scene(**{**LARGE.factors, name: value}, asked="size", nuisance=nuisance)
            assert parse_image(image(shown)) == visible(shown)


def drawn(*commands, ground=(40, 40, 40)):
    """A picture of (method, box, colour) drawn at 8 times the size."""
    large = Image.new("RGB", (256, 256), ground)
    for method, box, colour in commands:
        getattr(ImageDraw.Draw(large), method)([8 * v for v in box], fill=colour)
    return large.resize((32, 32), Image.Resampling.BOX)


def test_pictures_of_another_renderer_are_read():
    shown = drawn(("ellipse", (6, 6, 26, 26), (220, 50, 60)), ground=(210, 210, 210))
    expected = {"shape": "circle", "colour": "red", "size": "large"}
    assert parse_image(shown) == expected | {"position": "middle centre", "background": "light"}


NO_SHAPE = {
    "blank": drawn(),
    "two blobs": drawn(
        ("ellipse", (2, 2, 13, 13), (230, 60, 60)), ("ellipse", (19, 19, 30, 30), (230, 60, 60))
    ),
    "two colours": drawn(
        ("ellipse", (6, 6, 26, 26), (230, 60, 60)), ("rectangle", (6, 16, 26, 26), (30, 120, 230))
    ),
    "cut in half": drawn(
        ("ellipse", (6, 6, 26, 26), (230, 60, 60)), ("rectangle", (0, 0, 16, 32), (40, 40, 40))
    ),
    "quarter missing": drawn(
        ("ellipse", (6, 6, 26, 26), (230, 60, 60)), ("rectangle", (16, 16, 32, 32), (40, 40, 40))
    ),
    "a bar": drawn(("rectangle", (4, 13, 28, 19), (230, 60, 60))),
    "a ring": drawn(("ellipse", (6, 6, 26, 26), (230, 60, 60)), ("ellipse", (10, 10, 22, 22), (40, 40, 40))),
    "a frame": drawn(
        ("rectangle", (6, 6, 26, 26), (230, 60, 60)), ("rectangle", (10, 10, 22, 22), (40, 40, 40))
    ),
    "noise": picture(np.random.default_rng(0).uniform(0, 255, (32, 32, 3))),
    "grey object": drawn(("ellipse", (6, 6, 26, 26), (60, 60, 60))),
}


@pytest.mark.parametrize("name", NO_SHAPE)
def test_what_is_no_single_shape_is_invalid(name):
    assert parse_image(NO_SHAPE[name])["shape"] == INVALID


@pytest.mark.parametrize(
    ("slot", "shown"),
    [
        ("size", drawn(("ellipse", (13, 13, 19, 19), (230, 60, 60)))),
        ("size", drawn(("ellipse", (3, 3, 29, 29), (230, 60, 60)))),
        ("colour", drawn(("ellipse", (6, 6, 26, 26), (40, 210, 210)))),
        ("colour", drawn(("ellipse", (6, 6, 26, 26), (230, 230, 230)))),
        ("colour", drawn(("ellipse", (6, 6, 26, 26), (150, 116, 112)))),
        ("position", drawn(("ellipse", (0, 13, 11, 24), (230, 60, 60)))),
        ("background", drawn(("ellipse", (6, 6, 26, 26), (230, 60, 60)), ground=(128, 128, 128))),
        ("background", drawn(("ellipse", (6, 6, 26, 26), (230, 60, 60)), ground=(20, 20, 90))),
    ],
)
def test_a_value_between_or_beyond_the_known_ones_is_invalid(slot, shown):
    assert parse_image(shown)[slot] == INVALID


def test_a_rough_background_is_neither_dark_nor_light():
    rough = np.random.default_rng(0).uniform(0, 90, (32, 32, 3))
    assert set(parse_image(picture(rough)).values()) == {INVALID}


def test_averages_of_pictures_are_rarely_read():
    """A model that hedges between two answers earns nothing."""
    renders = [image(one) for one in SCENES[:200]]
    mixes = [picture((pixels(a) + pixels(b)) / 2) for a, b in zip(renders[::2], renders[1::2])]
    readable = [INVALID not in parse_image(mix).values() for mix in mixes]
    assert np.mean(readable) < 0.1


EVERY = "shape colour size position motion"


@pytest.mark.parametrize(
    ("text", "invalid"),
    [
        ("a small red circle at the top left", ""),
        ("a red circle at the top left", "size"),
        ("a small circle at the top left", "colour"),
        ("a small red at the top left", "shape"),
        ("a small red circle", "position"),
        ("a small red red circle at the top left", EVERY),
        ("a small red blue circle at the top left", "colour"),
        ("a small red circle circle at the top left", EVERY),
        ("a small red circle at the left top", EVERY),
        ("a small red circle at the top", EVERY),
        ("a small rde circle at the top left", EVERY),
        ("a small redcircle at the top left", EVERY),
        ("a small red circle at the top left of the big black box", EVERY),
        ("a small red circle at the top left and it is there that it is", EVERY),
        ("a small red circle at the top left, moving left slowly", ""),
        ("a small red circle at the top left, moving left slowly moving up slowly", "motion"),
        ("a small red circle at the top left, moving left", EVERY),
        ("a small red circle at the top left, moving slowly", EVERY),
        ("a small red circle at the top left, left slowly", EVERY),
        ("a small red circle at the top left, moving slowly left", EVERY),
        ("moving left slowly", "shape colour size position"),
        ("", EVERY),
    ],
)
def test_captions_are_exact(text, invalid):
    found = parse_caption(text)
    assert {slot for slot, value in found.items() if value == INVALID} == set(invalid.split())


def test_synonyms_are_inverted():
    assert parse_caption("bottom right: a tiny star in red") == {
        "shape": "star", "colour": "red", "size": "small", "position": "bottom right", "motion": "still"
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "redd", "red ", "red blue", "top", "left top", "tiny", "the red", "Red", "red\n"]
)
def test_wrong_answers_are_invalid(text):
    assert parse_answer(text) == {"answer": INVALID}


@pytest.mark.parametrize("text", ["", "what is it?", "what shape colour is it?", "which shape xq is it?"])
def test_wrong_questions_are_invalid(text):
    assert parse_question(text) == {"asked": INVALID}


@pytest.mark.parametrize(
    ("change", "slot"),
    [
        ({"perimeter": 200.0}, "shape"),
        ({"area": -1.0}, "shape"),
        ({"area": float("nan")}, "shape"),
        ({"area": 900.0, "perimeter": 106.3}, "size"),
        ({"x": -5.0}, "position"),
        ({"red": 99.0, "green": 99.0, "blue": 99.0}, "colour"),
        ({"background": "striped"}, "background"),
        ({"speed": 3.5}, "speed"),
        ({"speed": 9.0}, "speed"),
        ({"speed": None}, "speed"),
        ({"beats_per_second": 2.5}, "tempo"),
        ({"beats_per_second": "2"}, "tempo"),
        ({"x": None}, "position"),
    ],
)
def test_impossible_records_are_invalid(change, slot):
    assert parse_record(record(LARGE)) == {**visible(LARGE), "speed": "still", "tempo": "medium"}
    assert parse_record(record(LARGE) | change)[slot] == INVALID
