"""Every rule of the diagnosis, on rows and logs that call for it, and on those that just do not."""

from dataclasses import replace

import pytest

from modaloom.evaluation import ScoreRow, diagnose
from modaloom.evaluation.diagnosis import RULES, Evidence, explain, way
from modaloom.evaluation.overfitting import falling, rising

LEARNED = Evidence(0.99, 0.98, "level 1", 0.5, 0.99, 8000, rising=False, falling=False)

CASES = {
    "the tokenizer limits you": ({"ceiling": 0.7}, {"ceiling": None}),
    "at its ceiling": ({"falling": True, "rising": True}, {"new": 0.9}),
    "212 pairs: memorising": ({"pairs": 212, "seen": 0.8}, {"pairs": 400, "seen": 0.8}),
    "these streams look unrelated": ({"seen": 0.02, "baselines": 0.01}, {"seen": 0.02, "baselines": 0.3}),
    "8000 pairs: memorising": ({"seen": 0.8, "rising": True}, {"seen": 0.92, "rising": True}),
    "99% of the way to the ceiling on what it has seen, 60% on level 1": ({"new": 0.6}, {"new": 0.95}),
    "still learning (70% of the way": ({"seen": 0.7, "falling": True}, {"new": 0.95, "falling": True}),
    "close to its ceiling (95% of the way)": ({"seen": 0.95, "new": 0.93}, {"seen": 0.85, "new": 0.8}),
    "a simple rival is better (90%": ({"seen": 0.6, "baselines": 0.9}, {"seen": 0.6, "baselines": 0.5}),
    "no longer learning at 60%": ({"seen": 0.6}, {"seen": 0.6, "falling": True}),
}
"""Beginning of a sentence → what is different in evidence that calls for it, and in one that does not."""


@pytest.mark.parametrize("begins", CASES)
def test_each_rule_is_said_where_it_holds_and_not_beside_it(begins):
    this, other = (explain(replace(LEARNED, **changes)) for changes in CASES[begins])
    assert this.startswith(begins)
    assert not other.startswith(begins)


def test_every_rule_has_its_case():
    said = [next(r for r in RULES if r.when(replace(LEARNED, **this))) for this, _ in CASES.values()]
    assert said == list(RULES)


def test_the_way_from_guess_to_ceiling_on_either_side():
    row = ScoreRow("a->b", "seen", "exact", 0.5, floor=0.2, ceiling=0.8)
    assert way(row, 0.5) == pytest.approx(0.5)
    assert way(row, None) is way(replace(row, ceiling=0.2), 0.5) is way(replace(row, floor=None), 0.5) is None
    error = ScoreRow("a->b", "seen", "error", 0.5, floor=2.0, ceiling=1.0)
    assert way(error, 1.25) == pytest.approx(0.75)


def row(split, value, **beside):
    return ScoreRow("image->caption", split, "slot.mean", value, floor=0.2, ceiling=1.0, n=100, **beside)


def validation(*bits):
    train = [{"step": i, "loss.bits.caption": 5.0 - i} for i in range(len(bits))]
    return [*train, *({"step": i, "val.bits.caption": value} for i, value in enumerate(bits))]


def test_rows_and_log_become_evidence():
    rows = [row("seen", 0.984, retrieval=0.9), row("level1", 0.52), row("level2", 0.7)]
    (one,) = diagnose(rows, validation(3.0, 2.0, 1.99, 1.98), pairs=lambda direction: 8000)
    assert one.to_dict() == {
        "row": "image->caption",
        "sentence": "98% of the way to the ceiling on what it has seen, 40% on unseen combinations "
        "(level 1): more varied data, or a longer training",
    }
    (one,) = diagnose(
        [row("seen", 0.6, retrieval=0.9)], validation(3.0, 2.0, 1.8), pairs=lambda direction: 8000
    )
    assert one.sentence.startswith("still learning (50%")
    (one,) = diagnose(
        [row("seen", 0.6, retrieval=0.9)], validation(3.0, 2.0, 2.5, 2.6), pairs=lambda direction: 8000
    )
    assert one.sentence.startswith("8000 pairs: memorising")
    (one,) = diagnose([row("seen", 0.2, baseline=0.21, retrieval=0.2)], [], pairs=lambda direction: 8000)
    assert one.sentence.startswith("these streams look unrelated")
    (one,) = diagnose([row("seen", 0.6, retrieval=0.9)], [], pairs=lambda direction: 8000)
    assert one.sentence.startswith("a simple rival is better")


def test_the_tokenizer_is_blamed_only_where_the_best_figure_is_known():
    lossy = ScoreRow("caption->image", "seen", "slot.mean", 0.68, floor=0.2, ceiling=0.7)
    (one,) = diagnose([lossy], [], pairs=lambda direction: 8000)
    assert one.sentence.startswith("the tokenizer limits you: the truth itself scores 0.70")
    assert (
        diagnose([replace(lossy, metric="psnr")], [], pairs=lambda direction: 8000)[0].sentence
        == "close to its ceiling (96% of the way)"
    )
    assert diagnose([replace(lossy, ceiling=None)], [], pairs=lambda direction: 8000) == []


def test_validation_bits_that_rise_and_fall():
    assert falling(validation(3.0, 2.0, 1.9), "caption")
    assert not falling(validation(2.0, 1.995, 1.99), "caption")  # within the noise
    assert not falling(validation(3.0, 1.8, 1.9), "caption")
    assert not falling(validation(3.0, 2.0), "caption")
    assert not falling([], "caption")
    assert rising(validation(3.0, 2.0, 2.2, 2.3), "caption")
    assert not rising(validation(3.0, 2.0, 1.9, 1.8), "caption")
    assert not rising(validation(3.0, 2.0, 2.2, 2.3), "image")
