"""Scenes of two objects: no combination leaks, values stay common, the relation is the layout's."""

from collections import Counter
from itertools import combinations as pairs_of

import numpy as np
import pytest

from modaloom.core.errors import BadValue
from modaloom.world.duo.ask import questions
from modaloom.world.duo.image import place
from modaloom.world.duo.scene import ALLOWED_LAYOUTS, CORNERS, FACTORS, INVERSE, Thing, beside
from modaloom.world.duo.splits import PAIRS, check_fixed, combinations, group, scene
from modaloom.world.image import coverage
from modaloom.world.splits import LEVEL1, SPLITS

GROUPS = ("train", "val", "level1", "level2")
MIDDLE = {"top": 8, "bottom": 24, "left": 8, "right": 24}
SCENES = {split: [scene(0, split, i) for i in range(400)] for split in SPLITS}


def triples(name):
    """Colour, relation, colour of a group."""
    return {(a[1], relation, b[1]) for relation in INVERSE for a, b in combinations(name, relation)}


def test_every_combination_has_one_group():
    for relation in INVERSE:
        sizes = [len(combinations(name, relation)) for name in GROUPS]
        assert sum(sizes) == 24 * 23
        assert min(sizes) > 24


def test_colour_triples_are_kept_apart():
    known = [triples(name) for name in ("train", "val", "level2")]
    assert all(not one & other for one, other in pairs_of(known, 2))
    assert len(set().union(*known)) == 6 * 3 * 6
    assert len(known[0]) == 4 * 18


def test_held_out_triples_are_the_same_from_either_side():
    for relation in INVERSE:
        for a, b in pairs_of(PAIRS, 2):
            assert group(a, relation, b) == group(b, relation, a)


def test_training_never_shows_a_held_out_pair_and_level1_always_does():
    for name in GROUPS:
        held = [{a, b} & LEVEL1 for relation in INVERSE for a, b in combinations(name, relation)]
        assert all(held) if name == "level1" else not any(held)


def test_every_value_stays_common_in_training():
    for factor, values in FACTORS.items():
        counts = Counter(one.factors[factor] for one in SCENES["train"])
        assert min(counts[value] for value in values) > 0.4 * 400 / len(values)


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_draws_from_its_group_alone(split):
    for one in SCENES[split]:
        pairs = [(thing.shape, thing.colour) for thing in (one.first, one.second)]
        assert group(pairs[0], one.relation, pairs[1]) == SPLITS[split]
        assert (one.first.size, one.second.size, one.position) in ALLOWED_LAYOUTS[one.relation]
        assert one.novel_words == (split == "test-level2")


def test_the_relation_is_that_of_the_places_and_areas():
    """As measured on what is rendered, without the tables."""
    for one in SCENES["train"]:
        first, second = place(one)
        right, down = second.x - first.x, second.y - first.y
        aside, under = right > 10, down > 10
        assert {
            "left of": aside and abs(down) < 5,
            "above": under and abs(right) < 5,
            "bigger than": min(abs(right), abs(down)) > 10 and one.first.size != one.second.size,
        } == {relation: relation == one.relation for relation in INVERSE}


def test_objects_never_touch():
    for one in SCENES["train"]:
        first, second = (coverage(placed) > 0 for placed in place(one))
        assert not (first & second).any()


def test_beside_is_symmetric_and_fits():
    for relation in INVERSE:
        for _, _, corner in ALLOWED_LAYOUTS[relation]:
            assert beside(relation, beside(relation, corner)) == corner != beside(relation, corner)
        assert {beside(relation, corner) for corner in CORNERS} == set(CORNERS)


def test_what_is_asked_is_answered_as_a_look_would():
    red, blue = Thing("circle", "red", "large"), Thing("circle", "blue", "small")
    kinds = questions(red, blue, "bigger than", "top right")
    answers = {(q.asked, q.about): q.answer for kind in kinds.values() for q in kind}
    assert answers["number", "circle"] == "two"
    assert answers["number", "red"] == answers["number", "blue"] == "one"
    assert answers["number", "star"] == answers["number", "green"] == "zero"
    assert answers["position", "red circle"] == "top right"
    assert answers["position", "blue circle"] == "bottom left"
    assert answers["bigger than", "blue circle"] == "red circle"
    assert answers["smaller than", "red circle"] == "blue circle"
    assert len(answers) == 10 + 2 + 2


def test_no_answer_is_the_usual_one():
    numbers = Counter(one.answer for one in SCENES["train"] if one.asked == "number")
    assert max(numbers.values()) < 0.65 * numbers.total()
    assert np.mean([one.asked == "number" for one in SCENES["train"]]) == pytest.approx(1 / 3, abs=0.1)


def test_fixed_factors_have_their_value_in_every_split():
    fixed = {"relation": "above", "first.size": "small", "background": "light", "second.shape": "star"}
    check_fixed(fixed)
    drawn = [scene(0, split, i, fixed) for split in SPLITS for i in range(40)]
    assert all(fixed.items() <= one.factors.items() for one in drawn)
    assert len({one.first.name for one in drawn}) > 10


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"motion": "still"}, "unknown factor 'motion'"),
        ({"first.shape": "stra"}, "did you mean 'star'"),
        ({"relation": "bigger than", "first.size": "small"}, "fix others"),
        ({"first.shape": "circle", "first.colour": "red"}, "fix others"),
    ],
)
def test_what_cannot_be_fixed_is_refused(fixed, message):
    with pytest.raises(BadValue, match=message):
        check_fixed(fixed)
