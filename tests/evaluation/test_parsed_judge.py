"""The world's judge, against figures worked out by hand."""

import math

import pytest

from modaloom.core.errors import BadFile
from modaloom.core.types import Sample
from modaloom.evaluation import Direction, ParsedJudge, read_facts
from modaloom.world.image import image
from modaloom.world.scene import Scene
from modaloom.world.words import caption

BASE = {"size": "small", "position": "top left"}


def made(shape, colour, background="dark", asked="colour"):
    return Scene(shape, colour, background=background, asked=asked, **BASE)


SCENES = {
    "a": made("circle", "red"),
    "b": made("circle", "red", "light"),
    "c": made("circle", "green"),
    "d": made("star", "blue", "light", asked="shape"),
}
JUDGE = ParsedJudge({key: one.facts for key, one in SCENES.items()})
SAMPLES = [Sample(key, {}) for key in SCENES]
C2I, JOINT = Direction(("caption",), ("image",)), Direction((), ("image", "caption"))
I2C = Direction(("image",), ("caption",))


def values(figures):
    return {metric: figure.value for metric, figure in figures.items()}


def test_slots_are_averaged_over_samples():
    says = ["circle red", "circle red", "circle red", "circle blue"]  # one colour and one shape are wrong
    answers = [{"caption": "a small {1} {0} at the top left".format(*said.split())} for said in says]
    assert values(JUDGE.score(I2C, answers, SAMPLES)) == {
        "slot.shape": 0.75,
        "slot.colour": 0.75,
        "slot.size": 1,
        "slot.position": 1,
        "slot.mean": 0.875,
        "slot.worst": 0.75,
        "exact": 0.5,
    }


def test_floors_are_majorities():
    floor = JUDGE.floor(C2I, SAMPLES, SAMPLES, {})
    assert floor["slot.shape"] == 0.75
    assert floor["slot.colour"] == 0.5
    assert floor["exact"] == 0.5  # small red circles at the top left
    assert floor["slot.worst"] == 0.5
    assert "slot.background" not in floor
    answer = JUDGE.floor(Direction(("image", "question"), ("answer",)), SAMPLES, SAMPLES, {})
    assert answer["exact"] == answer["slot.answer"] == 0.75  # red if asked for colour, star if for shape


def test_the_chance_to_agree_is_that_of_two_scenes():
    floor = JUDGE.floor(JOINT, SAMPLES, SAMPLES, {})
    shape, colour, size, position = 0.625, 0.375, 1, 1
    assert floor["agree.mean"] == pytest.approx((shape + colour + size + position) / 4)
    assert floor["agree.all"] == pytest.approx(0.375)


def test_agreement_and_entropies():
    drawn = [SCENES["a"], SCENES["a"], SCENES["d"], SCENES["d"]]
    answers = [{"image": image(one), "caption": caption(one)} for one in drawn]
    answers[0]["caption"] = "a small green circle at the top left"
    found = values(JUDGE.score(JOINT, answers, SAMPLES))
    assert found["agree.mean"] == pytest.approx(15 / 16)
    assert found["agree.all"] == 0.75
    half, quarters = math.log(2), 1.5 * math.log(2)
    assert found["entropy.colour"] == pytest.approx(half / quarters)  # the image speaks, not the caption
    assert found["entropy.background"] == pytest.approx(1)
    assert found["entropy.shape"] == 1  # drawn more evenly than the data
    assert found["entropy.size"] == 1  # nothing to vary
    shares = [found[f"entropy.{slot}"] for slot in ("shape", "colour", "size", "position", "background")]
    assert found["entropy.mean"] == pytest.approx(sum(shares) / 5)


def test_what_cannot_be_parsed_has_no_entropy():
    answers = [{"image": image(SCENES["a"]), "caption": ""}] * 2 + [
        {"image": image(SCENES["d"]), "caption": ""}
    ]
    blank = answers[0]["image"].point(lambda _: 128)
    found = values(JUDGE.score(JOINT, [*answers[:2], *[{"image": blank, "caption": ""}] * 2], SAMPLES))
    assert found["agree.mean"] == 0
    assert found["entropy.colour"] == 0


def test_diversity_is_what_two_draws_vary_over_what_two_scenes_do():
    dark, light = ({"image": image(SCENES[key])} for key in "ab")
    blank = {"image": dark["image"].point(lambda _: 128)}
    assert JUDGE.free(C2I) == ("background",)
    assert JUDGE.free(I2C) == ()
    found = values(JUDGE.diversity(C2I, [dark, dark, dark, dark], [dark, light, light, blank]))
    assert found == {"diversity.background": pytest.approx(0.5 / 0.5)}


def test_facts_are_read_by_key(tmp_path):
    path = tmp_path / "_world.jsonl"
    path.write_text('{"key": "train/1", "shape": "star"}\n')
    assert read_facts(path)["train/1"]["shape"] == "star"
    path.write_text('{"shape": "star"}\n')
    with pytest.raises(BadFile, match="does not hold a world's facts"):
        read_facts(path)
