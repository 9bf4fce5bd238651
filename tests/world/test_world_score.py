"""Scores, agreement and floors."""

import pytest

from modaloom.core.errors import BadValue
from modaloom.world import STREAMS
from modaloom.world.image import image
from modaloom.world.parsers import PARSERS
from modaloom.world.score import agree, floor, score
from modaloom.world.splits import scene
from modaloom.world.words import caption

ONE = scene(0, "train", 1)
FACTS = [scene(0, "train", i).facts for i in range(1000)]


def test_every_stream_has_a_parser_for_just_what_it_determines():
    assert set(PARSERS) == set(STREAMS)
    for name, rule in STREAMS.items():
        assert set(score(name, rule.render(ONE), ONE.facts)) == set(rule.determines)


def test_a_wrong_word_costs_its_slot_alone():
    text = caption(ONE).replace(ONE.colour, "red" if ONE.colour != "red" else "blue")
    assert score("caption", text, ONE.facts) == {
        "shape": True,
        "colour": False,
        "size": True,
        "position": True,
        "motion": True,
    }


def test_agreement_needs_two_valid_values():
    assert all(agree("image", image(ONE), "caption", caption(ONE)).values())
    shared = {"shape", "colour", "size", "position"}
    assert set(agree("image", image(ONE), "caption", caption(ONE))) == shared
    other = next(s for s in (scene(0, "train", i) for i in range(99)) if s.shape != ONE.shape)
    assert not agree("image", image(ONE), "caption", caption(other))["shape"]
    assert not any(agree("caption", "", "caption", "").values())


def test_an_unknown_stream_is_named():
    with pytest.raises(BadValue, match="did you mean 'caption'"):
        score("captoin", "", ONE.facts)


def test_floors_are_majorities():
    floors = floor(STREAMS["image"].determines, FACTS, FACTS)
    for slot, accuracy in floors.items():
        counts = [sum(f[slot] == value for f in FACTS) for value in {f[slot] for f in FACTS}]
        assert accuracy == max(counts) / len(FACTS)


def test_the_question_only_floor_is_above_the_blind_one():
    by_question = floor(["answer"], FACTS, FACTS)["answer"]
    blind = max(sum(f["answer"] == value for f in FACTS) for value in {f["answer"] for f in FACTS}) / len(
        FACTS
    )
    assert blind + 0.1 < by_question < 0.45


def test_a_floor_uses_nothing_of_the_test():
    test = [{**facts, "shape": "none seen"} for facts in FACTS]
    assert floor(["shape"], FACTS, test)["shape"] == 0
