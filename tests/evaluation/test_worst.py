"""The worst draws, against marks worked out by hand."""

from modaloom.core.types import Sample
from modaloom.evaluation import Direction, ParsedJudge, PlainJudge
from modaloom.evaluation.worst import AnswerScore, lowest, score_answers
from modaloom.world.splits import scene

READ = Direction(("image",), ("caption",))
TRUTH = "a small {colour} circle at the top left"
SHOWN = {"shape": "circle", "size": "small", "position": "top left", "motion": "still"}
FACTS = {
    str(i): {**scene(0, "train", 1).facts, **SHOWN, "colour": colour}
    for i, colour in enumerate(("red", "green", "blue"))
}


def texts(*captions: str) -> dict[int, dict[str, str]]:
    return {i: {"caption": caption} for i, caption in enumerate(captions)}


def marked(*values: float, metric: str = "slot.mean", truth: float = 1) -> dict[int, AnswerScore]:
    return {place: AnswerScore(metric, value, truth) for place, value in enumerate(values)}


def test_a_mark_is_the_headlines_metric_of_one_draw_and_names_what_is_wrong() -> None:
    judge = ParsedJudge(FACTS)
    said = texts(
        "a small red circle at the top left",
        "a large green star at the top left",
        "no sentence of the world",
    )
    found = score_answers(
        judge,
        READ,
        said,
        [
            Sample(key, {"caption": "a small {colour} circle at the top left".format(**facts)})
            for key, facts in FACTS.items()
        ],
    )
    assert [mark.metric for mark in found.values()] == ["slot.mean"] * 3
    assert [mark.value for mark in found.values()] == [1, 0.5, 0]
    assert [mark.missed for mark in found.values()] == [
        (),
        ("shape", "size"),
        ("shape", "colour", "size", "position"),
    ]
    assert [found[i].note for i in (0, 1)] == ["slot.mean 1.00", "slot.mean 0.50, wrong: shape, size"]


def test_any_data_is_marked_by_its_modality() -> None:
    truths = [Sample(str(i), {"caption": word}) for i, word in enumerate(("one", "two"))]
    judge = PlainJudge.fit([*truths, *truths], {"caption": "text"}, {"caption": {"tokens": 64}})
    found = score_answers(judge, READ, texts("one", "twe"), truths)
    assert [mark.note for mark in found.values()] == ["exact 1.00", "exact 0.00"]


def test_what_nothing_can_be_told_of_has_no_mark() -> None:
    """Drawn from nothing, a picture of any data is neither right nor wrong."""
    truths = [Sample(str(i), {"caption": word}) for i, word in enumerate(("one", "two"))]
    judge = PlainJudge.fit([*truths, *truths], {"caption": "text"}, {"caption": {"tokens": 64}})
    assert score_answers(judge, Direction((), ("caption",)), texts("one", "two"), truths) == {}


def test_the_lowest_come_first_and_of_equals_the_earlier() -> None:
    values = (1, 0.5, 1, 0.25, 0.5, 1)
    assert lowest(marked(*values), 8) == [3, 1, 4]
    assert lowest(marked(*values), 2) == [3, 1]
    assert lowest(marked(0, 0), 8) == [0, 1]


def test_what_is_as_good_as_the_truth_is_not_among_the_worst() -> None:
    assert lowest(marked(1, 1), 8) == lowest({}, 8) == []
    assert lowest(marked(0.75, 0.5, truth=0.75), 8) == [1]


def test_where_less_is_better_the_largest_comes_first() -> None:
    assert lowest(marked(0.1, 3.0, 0.0, metric="error", truth=0), 8) == [1, 0]
    assert lowest(marked(10.0, 30.0, 20.0, metric="psnr", truth=99), 8) == [0, 2, 1]
