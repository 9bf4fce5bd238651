"""The judge of any data, against figures worked out by hand."""

import pytest
from PIL import Image

from modaloom.core.types import Sample
from modaloom.evaluation import Direction, ParsedJudge, PlainJudge, judge_of
from modaloom.modalities import MODALITIES

TRAIN = [
    Sample(
        f"t{i}", {"picture": Image.new("RGB", (8, 8), (10 * i,) * 3), "word": word, "row": {"u": float(i)}}
    )
    for i, word in enumerate(["one", "two", "two"])
]
MODALITY_OF = {"picture": "image", "word": "text", "row": "record", "unseen": "text"}
SPECS = {
    name: modality.infer_spec([sample.streams[name] for sample in TRAIN], modality.limits)
    for name, modality in ((name, MODALITIES[MODALITY_OF[name]]) for name in ("picture", "word", "row"))
}
JUDGE = PlainJudge.fit([*TRAIN, *TRAIN], MODALITY_OF, SPECS)
TO_WORD, TO_ROW = Direction(("picture",), ("word",)), Direction(("picture",), ("row",))


def test_figures_are_means_of_the_modalitys_own():
    found = JUDGE.score(TO_WORD, [{"word": "two"}, {"word": "two"}, {"word": "tow"}], TRAIN)
    assert found["exact"].value == pytest.approx(1 / 3)
    assert found["char_error"].value == pytest.approx((3 + 0 + 2) / 9)


def test_numbers_are_measured_in_standard_deviations_of_training():
    std = (2 / 3) ** 0.5
    found = JUDGE.score(TO_ROW, [{"row": {"u": 1.0}}] * 2 + [{"row": {}}], TRAIN)
    assert found["error"].value == pytest.approx((1 + 0) / 2 / std)  # an answer that is missing has no error
    assert found["present"].value == pytest.approx(2 / 3)


def test_the_floor_is_the_typical_answer():
    assert JUDGE.floor(TO_WORD, TRAIN, TRAIN, {"word": "two"})["exact"] == pytest.approx(2 / 3)


def test_whole_values_that_never_repeat_have_no_exact():
    texts = [Sample(f"t{i}", {"x": {"u": 1.0}, "word": f"text {i}"}) for i in range(4)]
    modality_of, specs = {"x": "record", "word": "text"}, {"x": SPECS["row"], "word": SPECS["word"]}
    judge = PlainJudge.fit(texts, modality_of, specs)
    asked = Direction(("x",), ("word",))
    assert judge.score(asked, [{"word": "text 0"}] * 4, texts).keys() == {"char_error"}
    again = PlainJudge.fit([*texts, *texts], modality_of, specs)
    assert again.score(asked, [{"word": "text 0"}] * 4, texts)["exact"].value == 0.25


def test_the_world_has_its_judge_and_all_else_this_one(tmp_path):
    modality_of = {"row": "record"}
    assert isinstance(judge_of(tmp_path, TRAIN, {}, modality_of, SPECS), PlainJudge)
    facts = tmp_path / "_world.jsonl"
    facts.write_text("".join(f'{{"key": "t{i}"}}\n' for i in range(3)))
    assert isinstance(judge_of(tmp_path, TRAIN, {}, {"record": "record"}, {}), ParsedJudge)
    assert isinstance(judge_of(tmp_path, TRAIN, {}, modality_of, SPECS), PlainJudge)  # no stream of the world
    more = {"test": [Sample("elsewhere", {})]}
    assert isinstance(judge_of(tmp_path, TRAIN, more, {"record": "record"}, {}), PlainJudge)
