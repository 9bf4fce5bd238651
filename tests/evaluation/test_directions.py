"""What is asked of some streams, by hand."""

import pytest

from modaloom.core.errors import BadValue
from modaloom.evaluation import Direction, ParsedJudge, PlainJudge, all_directions, named_directions
from modaloom.evaluation.directions import most_wanted
from modaloom.loom.evaluation.evaluator import shared

JUDGE = ParsedJudge({})
WORLD = ["image", "caption", "question", "answer"]


def plain(*streams):
    return PlainJudge(dict.fromkeys(streams, "text"), {name: {} for name in streams})


def test_directions_ask_only_what_can_be_known():
    names = [d.name for d in all_directions(WORLD, JUDGE)]
    assert names == [
        "caption->image",
        "caption+question+answer->image",
        "image->caption",
        "image+question+answer->caption",
        "image+question->answer",
        "image+caption+question->answer",
        "->image+caption",
    ]
    assert not JUDGE.related(["caption", "question"], "answer")  # a caption is silent on the background
    assert all_directions(["caption", "question"], JUDGE) == [Direction((), ("caption",))]


def test_a_stream_that_no_other_tells_of_is_wanted_from_nothing():
    names = [d.name for d in all_directions(["image", "caption", "music"], JUDGE)]
    assert names[-2:] == ["->image+caption", "->music"]
    assert [d.name for d in all_directions(["music", "record"], JUDGE)][-1] == "->music+record"


def test_plain_streams_are_asked_from_each_and_from_all():
    names = [d.name for d in all_directions(["picture", "word", "row"], plain("picture", "word", "row"))]
    assert names[:3] == ["word->picture", "row->picture", "word+row->picture"]
    assert len(names) == 9
    assert all_directions(["picture", "unseen"], plain("picture")) == [Direction(("unseen",), ("picture",))]


def test_a_stream_without_others_is_wanted_from_nothing():
    assert all_directions(["word"], plain("word")) == [Direction((), ("word",))]
    assert all_directions(["word", "row"], plain()) == []


def test_a_dozen_streams_stay_few_directions():
    streams = [f"s{i}" for i in range(12)]
    assert len(all_directions(streams, plain(*streams))) == 12 * 12

    class Pairs(PlainJudge):
        def related(self, given, want):
            return len(given) > 1

    judge = Pairs(dict.fromkeys(streams, "text"), {})
    assert len(all_directions(streams, judge)) == 12 * 9


def test_every_target_is_among_those_that_are_wanted_most():
    streams = {"a": 1, "b": 1, "image": 16, "text": 8}
    every = all_directions([*streams], plain(*streams))
    assert len(every) == 16
    names = [d.name for d in most_wanted(every, streams, 6)]
    assert names == [
        "b+image+text->a",
        "a+image+text->b",
        "text->image",
        "a+b+text->image",
        "image->text",
        "a+b+image->text",
    ]
    assert most_wanted(every, streams, 16) == most_wanted(every, streams) == every
    assert most_wanted([Direction((), ("a",))], streams, 1) == [Direction((), ("a",))]


def test_many_directions_share_their_samples():
    assert shared(500, 7) == shared(500, 24) == 500
    assert shared(500, 48) == 250
    assert shared(500, 10_000) == 20
    assert shared(5, 10_000) == 5


def test_rows_go_by_name():
    found = named_directions(["image->caption", " image + question -> answer "], WORLD, JUDGE)
    assert found == [Direction(("image",), ("caption",)), Direction(("image", "question"), ("answer",))]
    assert named_directions(["->image+caption"], WORLD, JUDGE) == [Direction((), ("image", "caption"))]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("image", "write GIVEN->WANTED"),
        ("imag->caption", "did you mean 'image'"),
        ("image->question", "unknown stream to want 'question'"),
        ("image->", "cannot be scored"),
        ("image->caption+answer", "cannot be scored"),
        ("image->image", "names image twice"),
        ("caption->answer", "says nothing of answer"),
    ],
)
def test_rows_that_cannot_be_asked(name, why):
    with pytest.raises(BadValue, match=why):
        named_directions([name], WORLD, JUDGE, ["image", "caption", "answer"])
