"""The law of a step's cost, and the simulated training of many ranks."""

import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from many_ranks import Plan, partition
from scaling import Job, Law, unseen_error

LAW = Law(fixed=0.004, optimizer=2e-12, flop=3e-11, byte=5e-10)
JOBS = [
    Job(12 * width**2 * 5, width, 5, 16, rows, ranks)
    for width, rows, ranks in product((64, 128, 256), (64, 256), (1, 2))
]


def test_the_law_of_exact_measurements_is_found() -> None:
    measured = [LAW.seconds(job) for job in JOBS]
    found = Law.fit(JOBS, measured)
    assert found.fixed == pytest.approx(LAW.fixed)
    assert found.optimizer == pytest.approx(LAW.optimizer)
    assert found.flop == pytest.approx(LAW.flop)
    assert found.byte == pytest.approx(LAW.byte)
    assert unseen_error(JOBS, measured) < 1e-6
    measured[0] *= 2
    assert unseen_error(JOBS, measured) > 0.3


def test_products_alone_divide_by_the_ranks_and_a_network_alone_does_not() -> None:
    job = JOBS[0]
    products, network = Law(0, 0, 1e-11, 0), Law(0, 0, 0, 1e-9)
    assert products.strong(job, 64) == pytest.approx(1)
    assert products.weak(job, 64) == pytest.approx(1)
    sends = replace(job, ranks=1000)
    assert network.seconds(sends) == pytest.approx(2 * 0.999 * 4 * job.parameters * 1e-9)
    late = replace(products, latency=1e-3)
    assert late.seconds(sends) - products.seconds(sends) == pytest.approx(1.998)
    assert products.at(5e11).seconds(job) == pytest.approx(job.flop / 5e11)


def test_lost_time_is_the_expected_one() -> None:
    """Daly's equation, which is exact for exponential losses and whole intervals."""
    plan = Plan(work=60, every=10, checkpoint=1, restart=3, between=25)
    generator = np.random.default_rng(0)
    times = [sum(time for *_, time in plan.attempts(generator)) for _ in range(3000)]
    error = np.std(times) / np.sqrt(len(times))
    assert np.mean(times) == pytest.approx(plan.expected(), abs=4 * error)
    assert error < 0.02 * plan.expected()


def test_checkpoints_as_often_as_young_says_cost_least() -> None:
    plan = Plan(work=10_000, every=1, checkpoint=4, restart=10, between=2_000)
    best = replace(plan, every=round(plan.young()))
    for factor in (0.5, 2):
        assert replace(best, every=round(factor * best.every)).expected() > best.expected()


@pytest.mark.parametrize("shrink", [False, True])
def test_ranks_that_are_lost_lose_no_sample(shrink: bool) -> None:
    plan = Plan(work=32, every=3, checkpoint=0.2, restart=1, between=8)
    used = partition(plan, samples=500, rows=64, ranks=20, shrink=shrink, seed=0)
    assert len(used) > 1
    assert len(set(used)) == (len(used) if shrink else 1)


def test_a_sample_that_is_read_twice_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plan, "attempts", lambda *_: [(0, 4, 0.0), (3, 4, 0.0)])
    plan = Plan(work=7, every=4, checkpoint=0, restart=0, between=1)
    with pytest.raises(AssertionError, match="read twice"):
        partition(plan, samples=500, rows=64, ranks=2, shrink=False, seed=0)
