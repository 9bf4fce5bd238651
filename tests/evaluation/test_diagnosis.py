"""Every rule of the diagnosis, on rows and logs that call for it, and on those that just do not."""

from dataclasses import replace

import pytest

from modaloom.evaluation import ScoreRow, diagnose
from modaloom.evaluation.diagnosis import RULES, Evidence, explain
from modaloom.evaluation.headline import way
from modaloom.evaluation.overfitting import falling, overfitting, rising

LEARNED = Evidence(0.99, 0.98, "level 1", 0.5, 0.99, 8000, rising=False, falling=False)

CASES = {
    "2 steps tell nothing yet": ({"steps": 2, "pairs": 30, "rising": True}, {"steps": 100}),
    "the tokenizer limits you: the truth itself scores no better": ({"lossy": True}, {}),
    "the tokenizer limits you: the truth itself scores 0.70": ({"ceiling": 0.7}, {"ceiling": None}),
    "alike: answers to one input vary 30% as much as real ones, which keep 40%": (
        {"variety": 0.3, "kept_variety": 0.4},
        {"variety": 0.3, "kept_variety": None},
    ),
    "alike: answers to one input vary 30% as much as real ones: raise --choice-temperature": (
        {"variety": 0.3, "kept_variety": 0.9},
        {"variety": 0.7, "kept_variety": 0.9},
    ),
    "at its ceiling": ({"falling": True, "rising": True}, {"new": 0.9}),
    "212 pairs: memorising": (
        {"pairs": 212, "seen": 0.8},
        {"pairs": 212, "seen": 0.8, "falling": True},  # what still improves is not learned by heart
    ),
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
    assert way("exact", 0.5, 0.2, 0.8) == pytest.approx(0.5)
    assert way("error", 1.25, 2.0, 1.0) == pytest.approx(0.75)  # less is better
    assert way("exact", None, 0.2, 0.8) is way("exact", 0.5, 0.2, 0.2) is way("exact", 0.5, None, 0.8) is None


def test_no_way_leads_to_a_ceiling_below_the_guess():
    """Both differences would be negative, and their ratio more than 1."""
    assert way("psnr", 7.0, 12.0, 8.0) is None
    assert way("error", 2.5, 1.0, 2.0) is None
    lost = ScoreRow("text->image", "test", "psnr", 7.0, floor=12.0, ceiling=8.0, n=20)
    (one,) = diagnose([lost], validation(3.0, 2.0, 2.0, 2.0), pairs=lambda direction: 8000)
    assert one.sentence.startswith(
        "the tokenizer limits you: the truth itself scores no better than the floor"
    )
    blind = replace(lost, metric="rank.top1", value=0.2, floor=0.2, ceiling=0.2)  # one code for all pictures
    assert "no better than the floor" in diagnose([blind], [], pairs=lambda direction: 8000)[0].sentence
    flat = replace(lost, metric="psnr", value=99.0, floor=100.0, ceiling=100.0)  # constant data
    assert diagnose([flat], [], pairs=lambda direction: 8000) == []


def test_below_the_guess_is_never_at_the_ceiling():
    for value in (0.1, 0.19, -5.0):
        below = row("seen", value)
        for log in ([], validation(3.0, 2.0, 1.9, 1.9)):
            (one,) = diagnose([below], log, pairs=lambda direction: 8000)
            assert "ceiling" not in one.sentence or "of the way to the ceiling" in one.sentence


def test_an_untrained_model_is_not_diagnosed():
    log = [{"step": 1, "val.bits.caption": 3.0}, {"step": 2, "val.bits.caption": 4.0}]
    log += [{"step": 1, "loss.bits.caption": 3.0}, {"step": 2, "loss.bits.caption": 2.0}]
    (one,) = diagnose([row("seen", 0.19)], log, pairs=lambda direction: 24)
    assert one.sentence == "2 steps tell nothing yet: train longer"
    assert overfitting(log) is None


def row(split, value, **beside):
    return ScoreRow("image->caption", split, "slot.mean", value, floor=0.2, ceiling=1.0, n=100, **beside)


def validation(*bits):
    train = [{"step": 100 * i, "loss.bits.caption": 5.0 - i} for i in range(len(bits))]
    return [*train, *({"step": 100 * i, "val.bits.caption": value} for i, value in enumerate(bits))]


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


def test_answers_that_are_alike_are_told():
    """The variety of the same direction and split counts, and only where something was learned."""
    variety = ScoreRow("image->caption", "seen", "variety.caption", 0.3, ceiling=0.9, n=100)
    for value, others, alike in (
        (0.99, [variety], True),
        (0.62, [variety], True),  # of 0.2 to 1, 0.52 of the way
        (0.58, [variety], False),
        (0.99, [replace(variety, split="level1")], False),
        (0.99, [replace(variety, row="question->caption")], False),
        (0.99, [replace(variety, value=0.61)], False),
    ):
        (one,) = diagnose([row("seen", value), *others], [], pairs=lambda direction: 8000)
        assert one.sentence.startswith("alike: answers to one input vary 30%") == alike
    (one,) = diagnose([row("seen", 0.99), replace(variety, ceiling=0.0)], [], pairs=lambda direction: 8000)
    assert "keep 0% of it after the tokenizer" in one.sentence
