"""The scene and its splits: no combination leaks, values stay common, nuisance is independent of factors."""

from collections import Counter
from itertools import combinations as pairs_of

import numpy as np
import pytest

from modaloom.core.errors import BadValue
from modaloom.world import FACTORS, STREAMS, VISIBLE
from modaloom.world.scene import DIRECTIONS, RESTING, STILL
from modaloom.world.splits import LEVEL1, SPLITS, VOICES, check_fixed, combinations, scene, unseen

OLD_CAPTIONS = [
    "middle left: a large square in yellow",
    "a star at the top right, huge and orange",
    "in the top centre sits a tiny triangle that is yellow",
    "a circle at the bottom right, huge and red",
    "a tiny blue circle sits in the top centre",
]
GROUPS = ("train", "val", "level1", "level2")


def triples(group):
    return {(shape, colour, position) for shape, colour, _, position, _ in combinations(group)}


def moving(group):
    """Every shape × colour × direction triple that a group can draw."""
    pairs = {triple[:2] for triple in triples(group)}
    return {
        (*pair, move.split()[0]) for pair in pairs for move in unseen(group, *pair)["motion"] if move != STILL
    }


def shown(one):
    return tuple(one.factors[name] for name in VISIBLE)


def test_a_triple_occurs_in_one_group_alone():
    for one, other in pairs_of(GROUPS, 2):
        assert not triples(one) & triples(other)
    assert sum(len(combinations(group)) for group in GROUPS) == np.prod(
        [len(FACTORS[name]) for name in VISIBLE]
    )


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_draws_from_its_group_alone(split):
    allowed = set(combinations(SPLITS[split]))
    drawn = [scene(0, split, i) for i in range(400)]
    assert all(shown(one) in allowed for one in drawn)
    triples = {(one.shape, one.colour, one.direction) for one in drawn if one.motion != STILL}
    assert triples <= moving(SPLITS[split])
    in_level1 = {(one.shape, one.colour) in LEVEL1 for one in drawn}
    assert in_level1 == {split == "test-level1"}
    assert {one.novel_words for one in drawn} == {split == "test-level2"}


def test_level1_is_a_latin_square_and_every_value_stays_common_in_train():
    assert len(LEVEL1) == 5
    assert max(Counter(colour for _, colour in LEVEL1).values()) == 1
    assert {shape for shape, _ in LEVEL1} == set(FACTORS["shape"])
    train = combinations("train")
    for column, values in enumerate(FACTORS[name] for name in VISIBLE):
        counts = Counter(c[column] for c in train)
        assert min(counts[value] for value in values) > 0.7 * len(train) / len(values)


def test_a_direction_triple_of_level2_occurs_nowhere_else():
    """Enumerated: one direction of every known pair is level 2's, the others are train's and validation's."""
    known, every = {triple[:2] for triple in triples("train")}, set(DIRECTIONS)
    for pair in known:
        held = {way for *one, way in moving("level2") if tuple(one) == pair}
        assert len(held) == 1
        for group in ("train", "val"):
            assert {way for *one, way in moving(group) if tuple(one) == pair} == every - held
    assert {triple[:2] for triple in moving("level1")} == LEVEL1
    assert len(moving("level1")) == len(LEVEL1) * len(every)


def test_every_direction_stays_common_with_every_shape_and_colour():
    for column in (0, 1):
        counts = Counter((triple[column], triple[2]) for triple in moving("train"))
        pairs = Counter(triple[column] for triple in moving("train"))
        assert all(counts[value, way] > 0.1 * n for value, n in pairs.items() for way in DIRECTIONS)
    ways = Counter(way for _, _, way in moving("train"))
    assert min(ways.values()) > 0.8 * ways.total() / 4


def test_half_of_the_scenes_rest_and_what_is_heard_is_uniform():
    seen = [scene(0, "train", i) for i in range(4000)]
    assert np.mean([one.motion == STILL for one in seen]) == pytest.approx(0.5, abs=0.03)
    for name in ("tempo", "instrument", "register", "voice"):
        values = [value for value in FACTORS[name] if value not in VOICES]
        counts = Counter(getattr(one, name) for one in seen)
        assert set(counts) == set(values)
        assert min(counts.values()) > 0.75 * 4000 / len(values)


def test_a_motion_is_its_direction_and_its_speed():
    for move in FACTORS["motion"]:
        one = scene(0, "test-level1", 0, {"motion": move})
        assert one.motion == move
        assert move in (f"{one.direction} {one.speed}", one.direction)
        assert (one.speed == STILL) == (one.direction == STILL) == (move == STILL)


@pytest.mark.parametrize("split", SPLITS)
def test_only_level2_has_the_held_out_voices(split):
    drawn = {scene(0, split, i).voice for i in range(200)}
    assert drawn == (VOICES if split == "test-level2" else {*FACTORS["voice"]} - VOICES)


def test_fixing_a_factor_changes_no_other():
    for split in SPLITS:
        for i in range(100):
            free, rests = scene(0, split, i), scene(0, split, i, {"motion": STILL, "tempo": "slow"})
            assert rests.factors == free.factors | {"motion": STILL, "tempo": "slow"}
            assert rests.nuisance == free.nuisance


def test_a_fixed_factor_keeps_the_splits_apart():
    fixed = {"motion": "left slow", "shape": "star"}
    check_fixed(fixed)
    for split, group in SPLITS.items():
        for i in range(100):
            one = scene(0, split, i, fixed)
            assert (one.motion, one.shape) == ("left slow", "star")
            assert (one.shape, one.colour, "left") in moving(group)
            assert shown(one) in combinations(group)


@pytest.mark.parametrize(
    ("fixed", "why"),
    [
        ({"motoin": "still"}, "did you mean 'motion'"),
        ({"motion": "left"}, "unknown value of motion 'left'"),
        ({"colour": "orange"}, "test-level1 has no scene with colour=orange"),
        ({"shape": "circle", "colour": "red"}, "train has no scene with shape=circle, colour=red"),
        ({"voice": "en+max"}, "train has no scene"),
        ({"voice": "en-us"}, "test-level2 has no scene"),
    ],
)
def test_what_cannot_be_fixed_is_refused(fixed, why):
    with pytest.raises(BadValue, match=why):
        check_fixed(fixed)


def test_a_scene_has_a_value_of_every_factor():
    assert {*VISIBLE} | {*RESTING} == set(FACTORS)
    assert not {*VISIBLE} & {*RESTING}
    assert all(RESTING[name] in FACTORS[name] for name in RESTING)


def test_scenes_are_those_of_earlier_versions():
    """What was measured on them stays comparable: drawn before there was motion."""
    old = scene(0, "train", 2, {"motion": STILL})
    assert shown(old) == ("square", "yellow", "large", "middle left", "light")
    assert (old.asked, old.nuisance) == ("size", 3727523170040450403)
    texts = [STREAMS["caption"].render(scene(0, split, 2, {"motion": STILL})) for split in SPLITS]
    assert texts == OLD_CAPTIONS


def test_level2_and_validation_take_known_pairs():
    known = {triple[:2] for triple in triples("train")}
    for group in ("level2", "val"):
        assert {triple[:2] for triple in triples(group)} == known
        assert {triple[2] for triple in triples(group)} == set(FACTORS["position"])


def test_scenes_differ_between_indices_splits_and_seeds():
    nuisance = {scene(s, split, i).nuisance for s in (0, 1) for split in SPLITS for i in range(50)}
    assert len(nuisance) == 2 * len(SPLITS) * 50


def test_same_factors_look_different():
    seen = [scene(0, "train", i) for i in range(2000)]
    groups = Counter(map(shown, seen))
    common = groups.most_common(1)[0][0]
    alike = [one for one in seen if shown(one) == common]
    assert len({STREAMS["image"].render(one).tobytes() for one in alike}) == len(alike) > 2


def test_the_factors_say_nothing_about_the_nuisance():
    seen = [scene(0, "train", i) for i in range(2000)]
    low = np.array([one.random("place").uniform() < 0.5 for one in seen])
    for name, values in FACTORS.items():
        for value in values:
            chosen = np.array([getattr(one, name) == value for one in seen])
            if value in VOICES:
                assert not chosen.any()
                continue
            assert abs(low[chosen].mean() - 0.5) < 4 * 0.5 / chosen.sum() ** 0.5


def test_the_question_is_independent_of_the_factors():
    seen = [scene(0, "train", i) for i in range(4000)]
    for value in FACTORS["shape"]:
        asked = Counter(one.asked for one in seen if one.shape == value)
        assert set(asked) == set(VISIBLE)
        assert max(asked.values()) < 1.35 * min(asked.values())
