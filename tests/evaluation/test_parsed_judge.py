"""The world's judge, against figures worked out by hand."""

import json
import math
from dataclasses import replace

import pytest

from modaloom.core.errors import BadFile
from modaloom.core.types import Sample
from modaloom.evaluation import Direction, ParsedJudge, all_directions, read_facts
from modaloom.world import STREAMS
from modaloom.world.chinese import CHINESE
from modaloom.world.image import image
from modaloom.world.record import record
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


def values(estimates):
    return {metric: estimate.value for metric, estimate in estimates.items()}


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
    shares = [found[f"entropy.{slot}"] for slot in ("shape", "colour", "background")]
    assert found["entropy.mean"] == pytest.approx(sum(shares) / 3)
    assert len([name for name in found if "entropy" in name]) == 4  # nothing else varies


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


MOVING = {
    key: replace(SCENES["a"], motion=motion, tempo=tempo)
    for key, motion, tempo in (
        ("still", "still", "slow"),
        ("left", "left slow", "slow"),
        ("right", "right slow", "fast"),
        ("up", "up fast", "slow"),
    )
}
MOVES = ParsedJudge({key: one.facts for key, one in MOVING.items()})
MOVED = [Sample(key, {}) for key in MOVING]


def test_what_a_picture_does_not_show_is_no_fault_of_its_caption():
    answers = [{"caption": caption(replace(one, motion="down fast"))} for one in MOVING.values()]
    found = values(MOVES.score(I2C, answers, MOVED))
    assert found["exact"] == 1
    assert "slot.motion" not in found
    assert MOVES.free(I2C) == ("motion",)
    still, right = ([{"caption": caption(MOVING[key])}] * 2 for key in ("still", "right"))
    assert values(MOVES.diversity(I2C, still, right)) == {"diversity.motion": pytest.approx(1 / 0.75)}


def test_a_caption_tells_the_speed_that_a_record_measures():
    ask = Direction(("caption",), ("record",))
    answers = [{"record": record(replace(one, motion="down slow"))} for one in MOVING.values()]
    found = values(MOVES.score(ask, answers, MOVED))
    assert found["slot.speed"] == found["exact"] == 0.5
    assert "slot.tempo" not in found
    assert MOVES.free(ask) == ("tempo",)
    assert MOVES.floor(ask, MOVED, MOVED, {})["slot.speed"] == 0.5


def test_a_speed_is_a_part_of_a_motion():
    """It neither fixes the motion nor leaves it free."""
    ask = Direction(("record",), ("caption",))
    answers = [{"caption": caption(one)} for one in MOVING.values()]
    assert "slot.motion" not in MOVES.score(ask, answers, MOVED)
    assert MOVES.free(ask) == ()


def test_captions_are_checked_for_motion_against_each_other():
    ask = Direction(("caption",), ("caption.zh",))
    answers = [{"caption.zh": CHINESE.render(replace(one, motion="left slow"))} for one in MOVING.values()]
    assert MOVES.score(ask, answers, MOVED)["slot.motion"].value == 0.25
    joint = Direction((), ("caption", "caption.zh"))
    pairs = [{"caption": caption(one), **answer} for one, answer in zip(MOVING.values(), answers)]
    assert MOVES.score(joint, pairs, MOVED)["agree.all"].value == 0.25


def test_only_streams_that_share_something_are_drawn_together():
    assert MOVES.joint(["image", "question", "answer", "caption"]) == ("image", "caption")
    assert MOVES.joint(["image", "question"]) == ()


def test_a_world_written_before_there_was_motion_is_judged_without_it(tmp_path):
    path, streams = tmp_path / "_world.jsonl", ("image", "caption", "record")
    new = ("motion", "speed", "tempo", "instrument", "register", "voice")
    lines = [{"key": key, **one.facts} for key, one in SCENES.items()]
    path.write_text("\n".join(json.dumps({f: v for f, v in line.items() if f not in new}) for line in lines))
    old = ParsedJudge(read_facts(path))
    answers = [{name: STREAMS[name].render(one) for name in streams} for one in SCENES.values()]
    for answer in answers:
        del answer["record"]["speed"], answer["record"]["beats_per_second"]
    for direction in all_directions(streams, old):
        found = values(old.score(direction, answers, SAMPLES))
        assert found.get("exact", found.get("agree.all")) == 1
        assert not {name.split(".")[-1] for name in found}.intersection(new)
        assert old.floor(direction, SAMPLES, SAMPLES, {}).keys() <= found.keys()
        assert old.free(direction) in ((), ("background",))


def test_facts_are_read_by_key(tmp_path):
    path = tmp_path / "_world.jsonl"
    path.write_text('{"key": "train/1", "shape": "star"}\n')
    assert read_facts(path)["train/1"]["shape"] == "star"
    path.write_text('{"shape": "star"}\n')
    with pytest.raises(BadFile, match="does not hold a world's facts"):
        read_facts(path)


def test_speech_is_scored_by_what_it_says_and_its_voice_is_free():
    scenes = {
        key: replace(one, voice=voice) for (key, one), voice in zip(SCENES.items(), 2 * ["en-us", "en+f2"])
    }
    judge, ask = (
        ParsedJudge({key: one.facts for key, one in scenes.items()}),
        Direction(("caption",), ("speech",)),
    )
    answers = [{"speech": STREAMS["speech"].render(replace(one, voice="en+f2"))} for one in scenes.values()]
    found = values(judge.score(ask, answers, SAMPLES))
    assert found["exact"] == 1
    assert "slot.voice" not in found
    assert judge.free(ask) == ("voice",)
    by_reference = judge.score(Direction(("speech.reference",), ("speech",)), answers, SAMPLES)
    assert values(by_reference)["slot.voice"] == 0.5
