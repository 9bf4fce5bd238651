"""The number of threads follows the pace; what was used is recorded and used again."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from toy_stage import plans, stage

from modaloom.loom.config import LoomRunConfig, LoomTrainingConfig
from modaloom.runs.schedule import trapezoid
from modaloom.runs.store import RunFolder
from modaloom.training import stages
from modaloom.training import threads as module
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Training
from modaloom.training.stages import run_stages
from modaloom.training.threads import (
    HOPELESS,
    MIN_RETRY,
    ThreadTuner,
    candidates,
    fastest,
    kept_threads,
    threads_at,
)


@pytest.mark.parametrize(
    ("threads", "expected"), [(1, [1]), (2, [2, 1]), (3, [3, 2, 1]), (16, [16, 15, 8, 1])]
)
def test_candidates(threads: int, expected: list[int]) -> None:
    assert candidates(threads) == expected


@pytest.mark.parametrize(
    ("paces", "expected"),
    [({2: 1.0, 1: 1.4}, 2), ({2: 1.0, 1: 0.95}, 2), ({2: 1.0, 1: 0.8}, 1), ({4: 3, 3: 1, 2: 0.95, 1: 2}, 3)],
)
def test_fewer_threads_must_be_clearly_faster(paces: dict[int, float], expected: int) -> None:
    assert fastest(paces) == expected


def test_the_change_before_a_step_counts() -> None:
    changes = ((0, 2), (10, 1), (18, 2))
    assert [threads_at(changes, step) for step in (0, 9, 10, 17, 18, 99)] == [2, 2, 1, 1, 2, 2]
    assert threads_at((), 3) is None


def steps(pace_of: Callable[[float, int], float], seconds: float = 100.0) -> tuple[int, list[int]]:
    """Steps within a budget whose durations are `pace_of(now, threads)`, and the threads of each."""
    tuner = ThreadTuner(2, [2, 1], pace=pace_of(0, 2), seconds=seconds)
    now, used = 0.0, []
    while now < seconds:
        used.append(tuner.threads)
        duration = pace_of(now, tuner.threads)
        now += duration
        tuner.next(duration)
    return len(used), used


def test_a_quiet_machine_tries_nothing() -> None:
    assert set(steps(lambda now, threads: 0.1 / threads)[1]) == {2}


def test_one_slow_step_in_a_window_tries_nothing() -> None:
    count = iter(range(10**6))
    assert set(steps(lambda now, threads: 0.5 if next(count) % 5 == 0 else 0.1)[1]) == {2}


def test_a_second_program_that_comes_and_goes() -> None:
    """Between 20 and 60 s two threads take 0.4 s a step instead of 0.1, one takes 0.15 throughout."""

    def pace(now: float, threads: int) -> float:
        return 0.15 if threads == 1 else 0.4 if 20 < now < 60 else 0.1

    count, used = steps(pace)
    best = 20 / 0.1 + 40 / 0.15 + 40 / 0.1
    assert count > 0.9 * best
    assert used[:200] == [2] * 200
    assert used[-300:] == [2] * 300


def test_what_helps_nothing_is_taken_back() -> None:
    """The whole machine is slower: one thread is no better, and is not tried again at this pace."""

    def pace(now: float, threads: int) -> float:
        return (0.2 if now > 20 else 0.1) * (2 if threads == 1 else 1)

    used = steps(pace)[1]
    assert used.count(1) == HOPELESS


def test_trials_take_a_bounded_share_of_the_time() -> None:
    """Two threads take ten times as long throughout, and a retry would be due every fifth of a second."""
    tuner, spent = ThreadTuner(1, [2, 1], pace=0.1, seconds=4.0), {1: 0.0, 2: 0.0}
    for _ in range(4000):
        duration = 1.0 if tuner.threads == 2 else 0.1
        spent[tuner.threads] += duration
        tuner.next(duration)
    assert 0 < spent[2] < 1.2 / MIN_RETRY * spent[1]


def test_threads_are_restored() -> None:
    before = torch.get_num_threads()
    with kept_threads():
        torch.set_num_threads(before + 1)
    assert torch.get_num_threads() == before


def test_a_training_uses_what_is_recorded() -> None:
    seen = []
    base = stage("loom")
    training = Training(
        base, Accelerator("cpu", "fp32"), trapezoid(6, warmup=0.1, decay=0.5), seed=0, ema=0.9,
        threads=((0, 1), (2, 2), (4, 1)),
    )  # fmt: skip
    with kept_threads():
        for _ in range(6):
            training.advance()
            seen.append(torch.get_num_threads())
    assert seen == [1, 1, 2, 2, 1, 1]


def test_the_record_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run by minutes, in which two threads are slow from the start: the same steps use the same threads."""
    monkeypatch.setattr(stages, "candidates", lambda threads: [2, 1])
    monkeypatch.setattr(module, "WINDOW", 2)
    config = LoomRunConfig(training=LoomTrainingConfig(minutes=0.02))
    with RunFolder.create(tmp_path / "a", config) as folder:
        done = [*run_stages(plans(slow=0.002), folder, Accelerator("cpu"), notify=print)]
        kept = folder.run()
    assert {s.stage for s in done} == kept.training.threads.keys() == {"tokenizer", "loom"}
    assert all(changes[0][0] == 0 for changes in kept.training.threads.values())
    assert kept.training.threads_of("loom") == kept.training.threads["loom"]
    other = LoomTrainingConfig(steps={"loom": 3}, threads={"loom": ((0, 2),)})
    assert other.threads_of("loom") == ()
