"""The beat of clips and sounds in scores. Oracle: scenes whose tempo is known."""

from dataclasses import replace

import pytest

from modaloom.core.types import Sample
from modaloom.evaluation import Direction, ParsedJudge
from modaloom.world import STREAMS
from modaloom.world.splits import scene

TEMPOS = ("slow", "medium", "fast")
SCENES = {tempo: replace(scene(0, "train", 3), tempo=tempo) for tempo in TEMPOS}
SAMPLES = [
    Sample(tempo, {name: STREAMS[name].render(one) for name in ("video", "music")})
    for tempo, one in SCENES.items()
]
JUDGE = ParsedJudge({tempo: one.facts for tempo, one in SCENES.items()})
CLIP, SOUND = Direction(("music",), ("video",)), Direction(("video",), ("music",))


def f1(direction, answers):
    return JUDGE.score(direction, answers, SAMPLES)["onsets.f1"]


@pytest.mark.parametrize("direction", [CLIP, SOUND], ids=str)
def test_the_truth_is_on_the_beat_and_another_tempo_is_not(direction):
    truth = [sample.streams for sample in SAMPLES]
    (want,) = direction.want
    assert f1(direction, [{want: one[want]} for one in truth]).value == 1
    other = [{want: truth[(i + 1) % 3][want]} for i in range(3)]
    found = f1(direction, other)
    assert found.value < 0.9
    assert found.n == 3


@pytest.mark.parametrize("direction", [CLIP, SOUND], ids=str)
def test_the_floor_is_the_training_value_of_the_median_rate(direction):
    (want,) = direction.want
    medium = SAMPLES[1].streams[want]
    floor = JUDGE.floor(direction, SAMPLES[::-1], SAMPLES, {})
    assert JUDGE.beat.constant(want, SAMPLES) is medium
    assert floor["onsets.f1"] == f1(direction, [{want: medium}] * 3).value
    assert floor["slot.tempo"] == pytest.approx(1 / 3)


def test_both_may_be_drawn_and_directions_without_both_have_no_beat():
    truth, both = [sample.streams for sample in SAMPLES], Direction((), ("video", "music"))
    crossed = [{**one, "music": truth[i - 1]["music"]} for i, one in enumerate(truth)]
    assert f1(both, truth).value == 1 > f1(both, crossed).value
    assert "onsets.f1" not in JUDGE.floor(both, SAMPLES, SAMPLES, {})
    for given, want in ((("image",), "video"), (("video", "music"), "caption")):
        direction = Direction(given, (want,))
        answers = [{want: STREAMS[want].render(one)} for one in SCENES.values()]
        assert "onsets.f1" not in JUDGE.score(direction, answers, SAMPLES)
        assert "onsets.f1" not in JUDGE.floor(direction, SAMPLES, SAMPLES, {})
