"""The measures of the benchmark of clips, and the clips that are easily had."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from modaloom.core.types import Sample
from modaloom.evaluation import Direction, ParsedJudge
from modaloom.modalities.video_value import Video
from modaloom.world import STREAMS
from modaloom.world.rule import render_all
from modaloom.world.splits import scene

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCENES = [scene(2, "train", i) for i in range(6)]


@pytest.fixture
def measures(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return SimpleNamespace(**runpy.run_path(str(BENCHMARKS / "video_measures.py")))


def exam(names: list[str], want: str, kept: Any = ()) -> Any:
    """An exam on true scenes."""
    samples = [Sample(str(i), render_all(STREAMS, names, one)) for i, one in enumerate(SCENES)]
    known = {str(i): one.facts for i, one in enumerate(SCENES)}
    judge, others = ParsedJudge(known), [name for name in names if name != want]
    direction = Direction(tuple(others), (want,))
    ask = SimpleNamespace(samples=samples, score=lambda answers: judge.score(direction, answers, samples))
    facts = [*known.values()]
    return SimpleNamespace(ask=ask, train=samples, known=known, facts=facts, kept=kept, want=want)


def truth(asked: Any) -> list[Any]:
    return [sample.streams for sample in asked.ask.samples]


def test_a_still_clip_repeats_what_is_given(measures: Any) -> None:
    asked = exam(["image", "video"], "video")
    for answer, sample in zip(measures.static(asked), truth(asked)):
        assert (answer["video"].frames == np.asarray(sample["image"])).all()
    kept = exam(["video"], "video", [(0.0, 8.0)])
    for answer, sample in zip(measures.static(kept), truth(kept)):
        frames, true = answer["video"].frames, sample["video"].frames
        assert (frames[:8] == true[:8]).all()
        assert (frames[8:] == true[7]).all()


def test_a_blend_is_linear_within_the_gap_and_the_truth_outside(measures: Any) -> None:
    asked = exam(["video"], "video", [(0.0, 4.0), (12.0, 16.0)])
    for answer, sample in zip(measures.blend(asked), truth(asked)):
        frames, true = answer["video"].frames.astype(float), sample["video"].frames.astype(float)
        assert (frames[:4] == true[:4]).all()
        assert (frames[12:] == true[12:]).all()
        assert frames[6] == pytest.approx(true[3] + (true[12] - true[3]) / 3, abs=0.51)


def test_the_truth_is_right_and_what_stands_still_is_not(measures: Any) -> None:
    asked = exam(["image", "music", "video"], "video")
    assert set(measures.moves(asked, truth(asked)).values()) == {1.0}
    still = measures.moves(asked, measures.static(asked))
    assert (still["direction"], still["speed"], still["kept"], still["tempo"]) == (0, 0, 1, 0)
    assert measures.follows(asked, truth(asked)) == {"onsets.f1": 1}
    assert measures.follows(asked, measures.constant(asked))["onsets.f1"] < 0.9
    assert measures.follows(asked, measures.static(asked)) == {"onsets.f1": 0}


@pytest.mark.parametrize("kept", [[(0.0, 8.0)], [(0.0, 4.0), (12.0, 16.0)]])
def test_of_a_clip_that_is_kept_in_part_the_other_frames_are_measured(measures: Any, kept: Any) -> None:
    """What is given says nothing, right or wrong."""
    asked, given = exam(["video"], "video", kept), np.zeros(16, bool)
    for first, end in kept:
        given[int(first) : int(end)] = True
    blank, wrong = [], []
    for sample in truth(asked):
        frames = sample["video"].frames
        for found, here in ((blank, given), (wrong, ~given)):
            shown = np.where(here[:, None, None, None], np.uint8(40), frames)
            found.append({"video": Video.of(shown, 8)})
    right = measures.moves(asked, blank)
    assert {name: right[name] for name in ("direction", "speed", "kept")} == {
        "direction": 1,
        "speed": 1,
        "kept": 1,
    }
    assert not {"size", "position"} & {*right}
    assert measures.moves(asked, wrong)["kept"] == 0


def test_speech_and_clip_agree_through_one_file(measures: Any) -> None:
    pytest.importorskip("espeakng_loader")
    asked = exam(["speech", "video"], "speech")
    found = measures.agreement(asked, truth(asked))
    assert found["agreement"] == 1
    assert found["agreement, independent"] < 0.7
