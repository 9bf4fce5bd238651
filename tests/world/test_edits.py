"""Edits: one factor changes, nothing is held out into training, and parsers read the ground truth."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from modaloom import api
from modaloom.core.errors import BadValue
from modaloom.evaluation.parsed import ParsedJudge, read_facts
from modaloom.world.edits import EDITED, STREAMS
from modaloom.world.edits.parsers import PARSERS, parse_instruction
from modaloom.world.edits.scene import check_fixed, scene
from modaloom.world.edits.words import INSTRUCTIONS
from modaloom.world.image import coverage
from modaloom.world.scene import FACTORS, INVALID, VISIBLE
from modaloom.world.shapes import place
from modaloom.world.splits import SPLITS, group

SCENES = {split: [scene(0, split, i) for i in range(1, 61)] for split in SPLITS}


@pytest.mark.parametrize("split", SPLITS)
def test_one_factor_changes_and_the_picture_stays_in_its_group(split: str) -> None:
    for one in SCENES[split]:
        before, after = one.before.factors, one.after.factors
        assert {name for name in before if before[name] != after[name]} == {one.changed}
        assert after[one.changed] == one.to != before[one.changed]
        assert group(before) == group(after) == SPLITS[split]


def test_every_factor_and_value_is_asked_for_in_training() -> None:
    many = [scene(1, "train", i) for i in range(600)]
    counts = Counter(one.changed for one in many)
    assert {*counts} == {*VISIBLE}
    assert min(counts.values()) > 40
    assert {(one.changed, one.to) for one in many} == {(f, v) for f in VISIBLE for v in FACTORS[f]}


def test_what_is_not_edited_has_the_same_pixels() -> None:
    """Outside both objects, unless the background changes: nuisance is the same."""
    for one in [one for one in SCENES["train"] if one.changed != "background"][:20]:
        before, after = (np.asarray(STREAMS[name].render(one)) for name in ("image", "image.edited"))
        empty = (coverage(place(one.before)) == 0) & (coverage(place(one.after)) == 0)
        assert empty.mean() > 0.4
        assert (before[empty] == after[empty]).all()
        assert (before != after).any()


@pytest.mark.parametrize("split", SPLITS)
def test_parsers_read_the_ground_truth(split: str) -> None:
    for one in SCENES[split]:
        for name, rule in STREAMS.items():
            parsed = PARSERS[name](rule.render(one))
            assert {slot: parsed[slot] for slot in rule.determines} == {
                s: one.facts[s] for s in rule.determines
            }


def test_every_instruction_is_read_and_nothing_else() -> None:
    for factor, templates in INSTRUCTIONS.items():
        for value in FACTORS[factor]:
            for template in templates:
                assert parse_instruction(template.format(to=value)) == {"changed": factor, "to": value}
    for text in ("", "make it nicer", "make it red or blue"):
        assert parse_instruction(text) == {"changed": INVALID, "to": INVALID}


def test_the_written_world_is_scored_from_picture_and_instruction_alone(tmp_path: Path) -> None:
    api.world(tmp_path / "edits", n=3, world="edits", seed=2)
    judge = ParsedJudge(read_facts(tmp_path / "edits" / "_world.jsonl"))
    assert judge.related(("image", "instruction"), "image.edited")
    assert not judge.related(("instruction",), "image.edited")
    assert not judge.related(("image",), "image.edited")
    assert {*judge.world.answers} == {*EDITED}
    names = {path.name for path in (tmp_path / "edits" / "train").iterdir()}
    assert "000001.image.edited.png" in names
    assert "000001.instruction.txt" in names


def test_fixed_factors_are_those_before_the_edit() -> None:
    assert all(scene(0, "train", i, {"size": "large"}).before.size == "large" for i in range(10))
    check_fixed({"size": "large"})
    with pytest.raises(BadValue, match="factor"):
        check_fixed({"to": "blue"})
