"""The judge on two objects: written, read, chosen by the facts, and evaluated with models of known score."""

import pytest
from toy_models import ToyModel

from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.evaluation import Direction, ParsedJudge, all_directions, judge_of
from modaloom.loom.evaluation.evaluator import evaluate
from modaloom.world.worlds import DUO, SOLO
from modaloom.world.write import write_world

NAMES = tuple(DUO.streams)
MODALITIES = {name: rule.modality for name, rule in DUO.streams.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("duo") / "w"
    assert list(write_world(path, 120, world="duo", held_out=12))
    return path


@pytest.fixture(scope="module")
def samples(folder):
    index = open_folder(folder)
    reader, found = Reader(index, streams=list(NAMES)), {}
    for one in index.samples:
        found.setdefault(index.splits[one.key], []).append(reader.read(one))
    return found


@pytest.fixture(scope="module")
def judge(folder, samples):
    return judge_of(folder, samples["train"], {"test-seen": samples["test-seen"]}, MODALITIES, {})


def test_the_facts_choose_the_world(judge):
    assert isinstance(judge, ParsedJudge)
    assert judge.world is DUO


def test_what_is_asked_and_what_fixes_an_answer(judge):
    names = [d.name for d in all_directions(list(NAMES), judge)]
    assert names[:4] == [
        "caption->image",
        "caption+question+answer->image",
        "image->caption",
        "image+question+answer->caption",
    ]
    assert {"image+question->answer", "caption+question->answer", "->image+caption"} <= set(names)
    assert not judge.related(["image"], "answer")
    assert judge.free(Direction(("caption",), ("image",))) == ("background",)


def rows(judge, samples, rule):
    tests = {"test-level1": samples["test-level1"]}
    truths = {sample.key: sample for sample in tests["test-level1"]}
    model = ToyModel(lambda key, want: rule(truths, key).streams, modality_of=MODALITIES)
    directions = [Direction(("image",), ("caption",)), Direction(("caption", "question"), ("answer",))]
    found = evaluate(model, samples["train"], tests, judge=judge, directions=directions)
    return {(row.row, row.metric): row for row in found}


def test_a_model_that_knows_is_right_and_beats_all_others(judge, samples):
    found = rows(judge, samples, lambda truths, key: truths[key])
    exact = found["image->caption", "exact"]
    assert exact.value == exact.ceiling == 1
    assert exact.floor < 0.2
    assert exact.retrieval < 0.5  # level 1 pairs are in no training caption
    answer = found["caption+question->answer", "exact"]
    assert answer.value == 1 > answer.floor


def test_a_model_that_answers_for_another_scene_is_wrong(judge, samples):
    def other(truths, key):
        keys = sorted(truths)
        return truths[keys[(keys.index(key) + 1) % len(keys)]]

    found = rows(judge, samples, other)
    assert found["image->caption", "exact"].value == 0
    assert 0 < found["image->caption", "slot.mean"].value < 0.7


def test_facts_without_a_world_are_those_of_one_object():
    assert ParsedJudge({"a": {"shape": "star"}}).world is SOLO
