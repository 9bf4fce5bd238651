"""Exact mutual information, beside plug-in estimates from many drawn scenes and beside closed forms."""

import math
from collections import Counter

import pytest

from modaloom.core.errors import BadValue
from modaloom.world import STREAMS
from modaloom.world.information import exact_mutual_information, fixed_facts
from modaloom.world.parsers import PARSERS
from modaloom.world.splits import scene

N = 6000
STILL, STAR = {"motion": "still"}, {"shape": "star"}


def entropy(values):
    """Plug-in, in bits."""
    return -sum(n / len(values) * math.log2(n / len(values)) for n in Counter(values).values())


def plug_in(one, other, facts):
    """Mutual information of drawn facts, less the first order of its bias (Miller 1955)."""
    left, right = (
        [tuple(line[s] for s in STREAMS[name].determines) for line in facts] for name in (one, other)
    )
    pairs = list(zip(left, right))
    cells = len(set(pairs)) - len(set(left)) - len(set(right)) + 1
    return entropy(left) + entropy(right) - entropy(pairs) - cells / (2 * len(facts) * math.log(2))


@pytest.mark.parametrize(
    ("one", "other", "split", "fixed"),
    [
        ("image", "caption", "train", STILL),
        ("caption", "answer", "train", STILL),
        ("answer", "image", "test-level1", STILL),
        ("question", "answer", "train", {}),
        ("question", "caption", "train", STILL),
        ("image", "caption", "train", {"colour": "red", **STILL}),
        ("image", "caption", "train", {"motion": "left slow"}),
        ("image", "question", "test-level2", {"motion": "left slow"}),
        (
            "record",
            "caption",
            "train",
            {"size": "small", "background": "dark", "tempo": "fast", "shape": "star"},
        ),
    ],
)
def test_drawn_scenes_tell_the_same(one, other, split, fixed):
    facts = [scene(0, split, i, fixed).facts for i in range(N)]
    exact = exact_mutual_information(one, other, split=split, fixed=fixed)
    assert exact == pytest.approx(plug_in(one, other, facts), abs=0.05)
    assert exact_mutual_information(other, one, split=split, fixed=fixed) == exact


def test_closed_forms():
    # 19 pairs × 7 positions × 2 sizes; 5 questions; an answer tells the question, and nothing tells it apart
    # from what the picture shows.
    assert exact_mutual_information("image", "caption", fixed=STILL) == pytest.approx(math.log2(19 * 7 * 2))
    assert exact_mutual_information("question", "answer") == pytest.approx(math.log2(5))
    assert exact_mutual_information("image", "question") == 0
    # Half of the scenes rest, the others move in 6 ways, 3 of 4 directions at 2 speeds: 1 + log2(6) / 2 bits.
    moves = exact_mutual_information("caption", "caption.zh", fixed={}) - math.log2(19 * 7 * 2)
    assert 1 + math.log2(6) / 2 == pytest.approx(moves, abs=1e-6)


def test_streams_that_share_chance_have_no_exact_figure():
    assert exact_mutual_information("image", "record") is None  # both measure one jittered object
    assert exact_mutual_information("caption", "caption.noisy") is None  # the same paraphrase
    assert exact_mutual_information("image", "image") is None
    assert exact_mutual_information("image", "image.gray") is None  # one is made of the other
    assert exact_mutual_information("caption", "record") is not None
    with pytest.raises(BadValue, match=r"did you mean 'caption'"):
        exact_mutual_information("captoin", "image")


def test_a_world_names_what_never_varies():
    drawn = [scene(0, "train", i, {"motion": "still", "voice": "en-us"}).facts for i in range(60)]
    assert fixed_facts(drawn) == {"motion": "still", "voice": "en-us"}
    old = [
        {name: line[name] for name in ("shape", "colour", "size", "position", "background")} for line in drawn
    ]
    assert fixed_facts(old)["motion"] == "still"


def test_streams_determine_what_the_figure_counts():
    """The facts of `determines` can be read back: the entropy of what a parser reads is theirs."""
    scenes = [scene(0, "train", i, STILL) for i in range(300)]
    for name in ("image", "caption", "answer"):
        read = [tuple(PARSERS[name](STREAMS[name].render(one)).values()) for one in scenes]
        meant = [tuple(one.facts[slot] for slot in STREAMS[name].determines) for one in scenes]
        assert entropy(read) == pytest.approx(entropy(meant), abs=0.05)
