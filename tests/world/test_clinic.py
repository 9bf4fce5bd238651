"""The clinic: what is drawn is what is told of it, and the best answer is the best one."""

import json
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest

from modaloom.core.errors import BadValue
from modaloom.world.clinic import FACTS_OF, STREAMS
from modaloom.world.clinic.bayes import best_scores, posterior, predictive
from modaloom.world.clinic.parsers import PARSERS
from modaloom.world.clinic.patient import FACTS, LIKELY, STATES, Patient, patient
from modaloom.world.rule import render_all
from modaloom.world.write import FACTS as FACTS_FILE
from modaloom.world.write import write_world

N = 4000
SUBSETS = [names for n in range(1, 5) for names in combinations(FACTS_OF, n)]


@pytest.fixture(scope="module")
def patients() -> list[Patient]:
    return [patient(0, "train", i, {}) for i in range(N)]


def told(one: Patient, streams: tuple[str, ...]) -> dict[str, str]:
    return {name: one.known[name] for stream in streams for name in FACTS_OF[stream]}


def test_facts_can_be_read_from_every_stream(patients: list[Patient]) -> None:
    """Oracle: parsers that share no code with what draws the values. The gate is 99%; all are right."""
    for one in patients[:600]:
        for stream, value in render_all(STREAMS, STREAMS, one).items():
            found = PARSERS[stream](value)
            assert found == {name: one.known[name] for name in STREAMS[stream].determines}


def test_facts_have_their_probabilities(patients: list[Patient]) -> None:
    ill = np.array([one.known["disease"] == "yes" for one in patients])
    assert abs(ill.mean() - LIKELY["disease"]) < 0.03
    for name, fact in FACTS.items():
        np.testing.assert_allclose(fact.given.sum(1), 1)
        seen = np.array([[one.known[name] == value for value in fact.values] for one in patients])
        for truth, value in ((ill, "yes"), (~ill, "no")):
            expected = predictive(name, {"disease": value})
            assert np.abs(seen[truth].mean(0) - expected).max() < 4 * 0.5 / np.sqrt(truth.sum())


def test_the_posterior_is_that_of_bayes() -> None:
    """Oracle: the joint of a few facts, summed state by state in plain Python."""
    seen = {"lesion": "ring", "snp0": "rare", "snp4": "common", "iron": "7", "worse": "evening"}
    joint = {0: 0.0, 1: 0.0}
    for row, state in enumerate(STATES):
        p = 1.0
        for part, bit in state.items():
            p *= LIKELY[part] if bit else 1 - LIKELY[part]
        for name, value in seen.items():
            p *= FACTS[name].given[row][FACTS[name].values.index(value)]
        joint[state["disease"]] += p
    assert posterior(seen) == pytest.approx(joint[1] / (joint[0] + joint[1]))
    assert posterior({}) == pytest.approx(LIKELY["disease"])


def test_no_stream_suffices_and_some_tell_nothing_alone() -> None:
    """Lesion and genotype are independent of the disease each by itself, as are iron and the time of day."""
    for name in ("snp0", "iron", "worse", "lesion"):
        healthy, ill = (predictive(name, {"disease": value}) for value in ("no", "yes"))
        assert np.abs(healthy - ill).max() < (0.1 if name == "lesion" else 1e-12)
    alone = max(best_scores((name,)).auroc for name in FACTS_OF)
    assert alone < 0.83
    pairs = [best_scores(pair).auroc for pair in (("scan", "genes"), ("record", "note"))]
    assert min(pairs) > 0.88
    assert best_scores(tuple(FACTS_OF)).auroc > 0.96


def test_best_scores_are_those_of_posteriors_over_all_patients(patients: list[Patient]) -> None:
    """Oracle for two streams: every pair of values, enumerated; for all subsets: patients that are drawn."""
    rows = []
    names = (*FACTS_OF["scan"], *FACTS_OF["note"])
    for values in product(*(FACTS[name].values for name in names)):
        seen = dict(zip(names, values))
        p = 1.0
        for i, name in enumerate(names):
            p *= predictive(name, {n: seen[n] for n in names[:i]})[FACTS[name].values.index(seen[name])]
        rows.append((p, posterior(seen)))
    found = best_scores(("scan", "note"))
    assert found.accuracy == pytest.approx(sum(p * max(b, 1 - b) for p, b in rows))
    assert found.brier == pytest.approx(sum(p * b * (1 - b) for p, b in rows))
    ill, healthy = (sum(p * part(b) for p, b in rows) for part in (lambda b: b, lambda b: 1 - b))
    wins = sum(
        p * b * q * (1 - c) * (1.0 if b > c + 1e-12 else 0.5 if abs(b - c) < 1e-12 else 0.0)
        for (p, b), (q, c) in product(rows, rows)
    )
    assert found.auroc == pytest.approx(wins / (ill * healthy))
    truth = np.array([one.known["disease"] == "yes" for one in patients])
    for streams in SUBSETS:
        beliefs = np.array([posterior(told(one, streams)) for one in patients])
        best = best_scores(streams)
        assert abs(float(((beliefs > 0.5) == truth).mean()) - best.accuracy) < 0.03
        assert abs(float(((beliefs - truth) ** 2).mean()) - best.brier) < 0.015


def test_more_streams_are_never_worse() -> None:
    for streams in SUBSETS:
        for more in SUBSETS:
            if {*streams} < {*more}:
                few, many = best_scores(streams), best_scores(more)
                assert few.accuracy <= many.accuracy + 1e-12
                assert few.auroc <= many.auroc + 1e-12
                assert few.brier >= many.brier - 1e-12


def test_everything_says_that_it_is_synthetic(tmp_path: Path, patients: list[Patient]) -> None:
    for _ in write_world(tmp_path / "w", 6, world="clinic", held_out=1):
        pass
    lines = [json.loads(line) for line in (tmp_path / "w" / FACTS_FILE).read_text().splitlines()]
    assert {line["synthetic"] for line in lines} == {"invented patient, not for clinical use"}
    assert {line["split"] for line in lines} == {"train", "val", "test"}
    for one in patients[:20]:
        values = render_all(STREAMS, STREAMS, one)
        assert values["note"].startswith(("synthetic", "invented patient"))
        assert values["record"]["synthetic"] is True
        assert [*values["diagnosis"]] == ["invented disease"]
        assert values["scan"].getpixel((0, 0)) == (255, 255, 255)
    with pytest.raises(BadValue, match="the clinic fixes no factors"):
        [*write_world(tmp_path / "x", 1, world="clinic", fixed={"disease": "yes"})]
