"""The chance to name a colour from grey, against counting by hand and against drawn scenes."""

import random
from collections import Counter, defaultdict

import numpy as np
import pytest

from modaloom.world.palette import chance
from modaloom.world.parsers.sight import to_lab
from modaloom.world.scene import FACTORS, TONES, VISIBLE
from modaloom.world.shapes import PALETTE, turn_hue
from modaloom.world.splits import LEVEL1, combinations

SEEN = [dict(zip(VISIBLE, values)) for values in combinations("train")]


def drawn(n, seed):
    """What a grey picture shows (shape, size, position, background, lightness in bins) and its colour."""
    rng = random.Random(seed)
    for _ in range(n):
        facts = dict(rng.choice(SEEN))
        colour = facts.pop("colour")
        rgb = turn_hue(PALETTE[colour], np.radians(rng.uniform(-4, 4)))
        yield facts, int(to_lab(rgb)[0] * 10), colour


def test_pairs_by_hand():
    """Of the 19 pairs with 7 of 9 positions each, one of every shape and tone is named."""
    pairs = [
        pair for pair in ((s, c) for s in FACTORS["shape"] for c in FACTORS["colour"]) if pair not in LEVEL1
    ]
    assert chance().by_pair == pytest.approx(
        len({(shape, TONES[colour]) for shape, colour in pairs}) / len(pairs)
    )


def test_all_but_the_level_against_the_posterior_of_every_scene():
    """The mean over scenes of the largest posterior among the scenes that look alike."""
    views = defaultdict(Counter)
    for facts in SEEN:
        view = tuple(facts[name] for name in VISIBLE if name != "colour"), TONES[facts["colour"]]
        views[view][facts["colour"]] += 1
    posterior = [max(seen.values()) / seen.total() for seen in views.values() for _ in range(seen.total())]
    assert chance().by_tone == pytest.approx(np.mean(posterior))


def test_the_level_against_drawn_scenes():
    """An observer that learned each colour's lightness from other draws is about as good."""
    density = defaultdict(Counter)
    for _, level, colour in drawn(20_000, 1):
        density[colour][level] += 1
    shares = {colour: {k: n / c.total() for k, n in c.items()} for colour, c in density.items()}
    allowed = defaultdict(set)
    for facts in SEEN:
        allowed[tuple(facts[name] for name in VISIBLE if name != "colour")].add(facts["colour"])
    hits = [
        max(sorted(allowed[tuple(facts.values())]), key=lambda c: shares[c].get(level, 0)) == colour
        for facts, level, colour in drawn(8_000, 2)
    ]
    assert chance().by_level == pytest.approx(np.mean(hits), abs=0.03)
    assert chance().by_pair < chance().by_tone < chance().by_level < 1
