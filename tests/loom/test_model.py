"""Values in, values out: what is refused, and what a sample depends on."""

import pytest
from toy_tokens import SHAPES, codes, model

from modaloom.core.errors import BadValue
from modaloom.loom import model as module
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.mixture import TrainingMixture

FAST = CodeSamplingConfig(steps=4)
GIVEN = ("00012341", "43210123", "11112222", "01010101", "44444444")


@pytest.fixture(scope="module")
def toy():
    return model()


def drawn(toy, rows, **options):
    given = {"middle": [GIVEN[i] for i in rows]}
    return toy.generate(given, ["long", "short"], n=len(rows), options=FAST, **options)


def test_values_come_back_from_codes(toy):
    assert toy.decode("middle", toy.encode("middle", GIVEN)) == [*GIVEN]
    assert toy.encode("middle", GIVEN).shape == (5, 4, 2)


def test_generated_are_the_wanted_streams_as_values(toy):
    rows = drawn(toy, range(5))
    assert [[*row] for row in rows] == [["long", "short"]] * 5
    assert {len(row["long"]) for row in rows} == {12}
    assert {len(row["short"]) for row in rows} == {3}
    assert len({row["long"] for row in rows}) == 5


def test_a_sample_depends_on_its_name_and_not_on_its_neighbours(toy, monkeypatch):
    everyone = drawn(toy, range(5))
    assert drawn(toy, range(5)) == everyone
    assert drawn(toy, range(2)) == everyone[:2]
    assert drawn(toy, [4, 2], names=[4, 2]) == [everyone[4], everyone[2]]
    monkeypatch.setattr(module, "BATCH_SIZE", 2)
    assert drawn(toy, range(5)) == everyone


def test_another_name_or_seed_is_another_sample(toy):
    everyone = drawn(toy, range(5))
    for other in (drawn(toy, range(5), names="abcde"), drawn(toy, range(5), seed=1)):
        assert all(a != b for a, b in zip(everyone, other))


def test_what_is_given_matters(toy):
    same_name = drawn(toy, range(5), names=["x"] * 5)
    assert len({str(row) for row in same_name}) > 2
    assert len({str(row) for row in drawn(toy, [0, 0], names=["x", "x"])}) == 1


def test_nothing_given_is_fine(toy):
    rows = toy.generate({}, [*SHAPES], n=3, options=FAST)
    assert [[*row] for row in rows] == [[*SHAPES]] * 3


@pytest.mark.parametrize(
    ("given", "want", "message"),
    [
        ({}, ["shrt"], "unknown stream 'shrt' .did you mean 'short'"),
        ({"midle": ["0" * 8]}, ["short"], "unknown stream 'midle' .did you mean 'middle'"),
        ({"short": ["012"]}, ["short", "long"], "short is both given and wanted"),
        ({"short": ["012"]}, [], "nothing is wanted"),
    ],
)
def test_questions_without_sense_are_refused(toy, given, want, message):
    with pytest.raises(BadValue, match=message):
        toy.generate(given, want, n=1, options=FAST)


def test_streams_that_were_never_wanted_can_only_be_given():
    given_only = model(mixture=TrainingMixture(wanted=("short", "middle")))
    assert given_only.wanted == ("short", "middle")
    assert len(given_only.generate({"long": ["0" * 12]}, ["short"], n=1, options=FAST)) == 1
    with pytest.raises(BadValue, match="stream to want 'long'"):
        given_only.generate({}, ["long"], n=1)


def test_codes_too_are_checked(toy):
    with pytest.raises(BadValue, match="both given and wanted"):
        toy.stream({"short": codes(1)["short"]}, ["short"], n=1)
