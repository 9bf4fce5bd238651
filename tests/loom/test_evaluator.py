"""Rows of stand-in models whose scores are known beforehand."""

import random
from collections import Counter

import pytest
from toy_models import ToyModel, small_world

from modaloom.core.errors import BadValue
from modaloom.core.types import Sample
from modaloom.evaluation import Direction, ParsedJudge, PlainJudge
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.evaluation.evaluator import evaluate
from modaloom.modalities.record import RECORD
from modaloom.world import VISIBLE

WORLD = small_world(train=500, test=60)
JUDGE = ParsedJudge(WORLD.facts)
I2C, C2I = Direction(("image",), ("caption",)), Direction(("caption",), ("image",))
IQ2A, JOINT = Direction(("image", "question"), ("answer",)), Direction((), ("image", "caption"))
ALL = (I2C, C2I, IQ2A, JOINT)


def truth(name, want):
    return WORLD.truths[name.removesuffix("/again")].streams


def constant(name, want):
    return WORLD.train[0].streams


def rows(model, directions=ALL, *, train=WORLD.train, tests=WORLD.tests, **options):
    found = evaluate(model, train, tests, judge=JUDGE, directions=directions, **options)
    return {(row.row, row.split, row.metric): row for row in found}


@pytest.fixture(scope="module")
def perfect():
    return rows(ToyModel(truth), n=40)


def test_a_perfect_model_reaches_the_ceiling_everywhere(perfect):
    missed = {
        key: row
        for key, row in perfect.items()
        if row.value != pytest.approx(1)
        and key[2].split(".")[0] not in ("diversity", "near_duplicates", "verbatim")
    }
    assert not missed
    assert all(row.ceiling == pytest.approx(row.value) for row in perfect.values() if row.ceiling is not None)
    assert {key[2] for key, row in perfect.items() if row.ceiling is None} == {"diversity.background"}
    copies = [row for row in perfect.values() if row.metric == "near_duplicates.image"]
    assert {row.value for row in copies} == {0.05}  # two of 40 real pictures are among the nearest 5%
    assert {key[:2] for key in perfect} == {
        *((d.name, s) for d in (I2C, C2I, IQ2A) for s in ("seen", "level1", "level2")),
        (JOINT.name, "seen"),
    }


def test_a_given_that_does_not_say_a_slot_is_not_asked_for_it(perfect):
    slots = {key[2] for key in perfect if key[0] == C2I.name and key[2].startswith("slot.")}
    assert slots == {f"slot.{s}" for s in ("shape", "colour", "size", "position", "mean", "worst")}
    assert perfect[C2I.name, "seen", "diversity.background"].value == 0  # both draws are the truth


def test_retrieval_knows_what_was_seen_and_no_new_combination(perfect):
    def combination(sample):
        return tuple(WORLD.facts[sample.key][factor] for factor in VISIBLE)

    known = {combination(sample) for sample in WORLD.train}
    seen = {"seen": [sample for sample in WORLD.tests["test-seen"] if combination(sample) in known]}
    assert rows(ToyModel(truth), [I2C], tests=seen)[I2C.name, "seen", "exact"].retrieval > 0.85
    assert perfect[I2C.name, "level1", "exact"].retrieval == 0
    assert perfect[I2C.name, "level1", "slot.position"].retrieval > 0.9


def test_a_linear_readout_beats_a_guess_and_no_more(perfect):
    row = perfect[I2C.name, "seen", "slot.mean"]
    assert row.floor + 0.15 < row.baseline < row.retrieval
    row = perfect[IQ2A.name, "seen", "exact"]
    assert row.floor < row.baseline < 0.9


def test_nothing_is_compared_where_nothing_is_given(perfect):
    row = perfect[JOINT.name, "seen", "agree.all"]
    assert (row.baseline, row.retrieval) == (None, None)
    assert 0 < row.floor < 0.05


def test_a_constant_model_scores_as_a_guess():
    found = rows(ToyModel(constant), [I2C, C2I, JOINT], tests={"seen": WORLD.tests["test-seen"]})
    for direction in (I2C, C2I):
        row = found[direction.name, "seen", "slot.mean"]
        assert row.value == pytest.approx(row.floor, abs=0.15)
        assert found[direction.name, "seen", "exact"].value < 0.05
    assert found[C2I.name, "seen", "diversity.background"].value == 0
    assert found[C2I.name, "seen", "novelty.image"].value == 0
    taken = found[I2C.name, "seen", "verbatim.caption"]
    assert (taken.value, taken.retrieval) == (1, 1)
    assert taken.ceiling < 0.2  # so many real captions stand in the training data
    assert found[JOINT.name, "seen", "agree.all"].value == 1
    assert all(found[JOINT.name, "seen", f"entropy.{slot}"].value == 0 for slot in (*VISIBLE, "mean"))


def test_the_ceiling_is_the_tokenizers():
    def lossy(stream, value):
        return value.replace("star", "circle") if stream == "caption" else value

    row = rows(ToyModel(truth, lossy), [I2C])[I2C.name, "seen", "slot.shape"]
    stars = sum(WORLD.facts[s.key]["shape"] == "star" for s in WORLD.tests["test-seen"])
    assert row.ceiling == pytest.approx(1 - stars / 60)
    assert row.value == 1


def test_n_is_the_number_of_samples_that_have_the_streams():
    tests = [Sample(s.key, {"image": s.streams["image"]}) for s in WORLD.tests["test-seen"][:50]]
    tests = {"seen": tests + WORLD.tests["test-seen"][50:]}
    assert {row.n for row in rows(ToyModel(truth), [I2C], tests=tests).values()} == {10}
    model = ToyModel(truth)
    assert {row.n for row in rows(model, [I2C], tests=tests, n=7).values()} == {7}
    assert [len(call[2]) for call in model.calls] == [7]
    assert not rows(ToyModel(truth), [I2C], tests={"seen": tests["seen"][:50]})


def test_the_order_of_samples_changes_nothing():
    def shuffled(samples):
        return random.Random(0).sample(samples, len(samples))

    tests = {split: shuffled(samples) for split, samples in WORLD.tests.items()}
    there = rows(ToyModel(truth), [I2C, JOINT], n=20)
    back = rows(ToyModel(truth), [I2C, JOINT], n=20, train=shuffled(WORLD.train), tests=tests)
    assert there == back
    assert there != rows(ToyModel(truth), [I2C, JOINT], n=20, seed=1)


def test_options_go_by_direction_or_by_wanted_streams():
    model, quick, slow = ToyModel(truth), CodeSamplingConfig(steps=2), CodeSamplingConfig(steps=9)
    options = {"image": slow, "image->caption": quick}
    rows(model, [I2C, C2I, IQ2A], tests={"seen": WORLD.tests["test-seen"]}, n=3, options=options)
    assert [call[3] for call in model.calls] == [quick, slow, slow, None]
    assert model.calls[1][2] != model.calls[2][2]  # the second draw has names of its own


def test_each_value_is_encoded_once():
    """Given in one direction, wanted in two, and given once more for the diversity: 20 of each split."""
    model = ToyModel(truth)
    rows(model, [I2C, C2I, JOINT], n=20)
    assert Counter(model.encoded) == {"image": 60, "caption": 60}


def test_n_below_one_is_refused():
    with pytest.raises(BadValue, match="n is 0"):
        rows(ToyModel(truth), n=0)


def test_plain_data_by_hand():
    """Labels are a linear function of the numbers, except that training says `b` most often."""
    train = [
        Sample(f"t{i}", {"x": {"u": float(i)}, "y": label}) for i, label in enumerate(["a"] * 4 + ["b"] * 6)
    ]
    tests = {
        "test": [
            Sample(f"s{i}", {"x": {"u": u}, "y": y})
            for i, (u, y) in enumerate([(0.0, "a"), (1.0, "a"), (8.0, "b"), (9.0, "b")])
        ]
    }
    modality_of = {"x": "record", "y": "text"}
    specs = {
        "x": RECORD.infer_spec([sample.streams["x"] for sample in train], RECORD.limits),
        "y": {"tokens": 64},
    }
    model = ToyModel(lambda name, want: {"y": "a"}, modality_of=modality_of, specs=specs)
    judge = PlainJudge.fit(train, modality_of, specs)
    found = evaluate(model, train, tests, judge=judge, directions=[Direction(("x",), ("y",))])
    row = next(row for row in found if row.metric == "exact")
    assert row.to_dict() == {
        "row": "x->y",
        "split": "test",
        "metric": "exact",
        "value": 0.5,
        "low": pytest.approx(0.15, abs=1e-3),  # (0.5 + z²/8 ± z·√(1/16 + z²/64)) / (1 + z²/4)
        "high": pytest.approx(0.85, abs=1e-3),
        "floor": 0.5,
        "baseline": 1.0,
        "retrieval": 1.0,
        "ceiling": 1.0,
        "n": 4,
    }


def test_a_direction_that_nothing_can_score_is_refused():
    with pytest.raises(BadValue, match="cannot be scored"):
        Direction(("image",), ("caption", "answer"))
    with pytest.raises(BadValue, match="cannot be scored"):
        Direction(("image",), ())
