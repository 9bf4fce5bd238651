"""The scene and its splits: no combination leaks, values stay common, nuisance is independent of factors."""

from collections import Counter
from itertools import combinations as pairs_of

import numpy as np
import pytest

from modaloom.world import FACTORS, STREAMS
from modaloom.world.splits import LEVEL1, SPLITS, combinations, scene

GROUPS = ("train", "val", "level1", "level2")


def triples(group):
    return {(shape, colour, position) for shape, colour, _, position, _ in combinations(group)}


def test_a_triple_occurs_in_one_group_alone():
    for one, other in pairs_of(GROUPS, 2):
        assert not triples(one) & triples(other)
    assert sum(len(combinations(group)) for group in GROUPS) == np.prod([len(v) for v in FACTORS.values()])


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_draws_from_its_group_alone(split):
    allowed = set(combinations(SPLITS[split]))
    drawn = [scene(0, split, i) for i in range(400)]
    assert all(tuple(one.factors.values()) in allowed for one in drawn)
    in_level1 = {(one.shape, one.colour) in LEVEL1 for one in drawn}
    assert in_level1 == {split == "test-level1"}
    assert {one.novel_words for one in drawn} == {split == "test-level2"}


def test_level1_is_a_latin_square_and_every_value_stays_common_in_train():
    assert len(LEVEL1) == 5
    assert max(Counter(colour for _, colour in LEVEL1).values()) == 1
    assert {shape for shape, _ in LEVEL1} == set(FACTORS["shape"])
    train = combinations("train")
    for column, values in enumerate(FACTORS.values()):
        counts = Counter(c[column] for c in train)
        assert min(counts[value] for value in values) > 0.7 * len(train) / len(values)


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
    groups = Counter(tuple(one.factors.values()) for one in seen)
    common = groups.most_common(1)[0][0]
    alike = [one for one in seen if tuple(one.factors.values()) == common]
    assert len({STREAMS["image"].render(one).tobytes() for one in alike}) == len(alike) > 2


def test_the_factors_say_nothing_about_the_nuisance():
    seen = [scene(0, "train", i) for i in range(2000)]
    low = np.array([one.random("place").uniform() < 0.5 for one in seen])
    for name, values in FACTORS.items():
        for value in values:
            chosen = np.array([getattr(one, name) == value for one in seen])
            assert abs(low[chosen].mean() - 0.5) < 4 * 0.5 / chosen.sum() ** 0.5


def test_the_question_is_independent_of_the_factors():
    seen = [scene(0, "train", i) for i in range(4000)]
    for value in FACTORS["shape"]:
        asked = Counter(one.asked for one in seen if one.shape == value)
        assert set(asked) == set(FACTORS)
        assert max(asked.values()) < 1.35 * min(asked.values())
