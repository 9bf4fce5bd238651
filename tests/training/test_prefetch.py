"""Batches that are prepared ahead are those of a loop without threads, and no thread stays behind."""

import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest
import torch
from toy_stage import config, fingerprint, plans, stage

from modaloom.core.errors import WorkFailed
from modaloom.core.rng import generator
from modaloom.core.types import Loss
from modaloom.loom.config import LoomRunConfig
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.interrupts import Interrupted
from modaloom.training.prefetch import BATCHES_PER_WORKER, prefetched
from modaloom.training.stages import StagePlan, run_stages

WORKERS = (0, 1, 4)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = {*threading.enumerate()}
    yield
    assert {*threading.enumerate()} == before


def draw(step: int) -> torch.Tensor:
    return torch.randn(5, generator=generator(0, "batch", step))


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("steps", [range(40), [*range(7), *range(30), *range(3)], [9, 2, 2, 100]])
def test_the_batch_of_a_step_is_the_same_in_any_order(workers: int, steps: range | list[int]) -> None:
    with prefetched(draw, workers) as batch:
        assert all(torch.equal(batch(step), draw(step)) for step in steps)


def test_following_steps_are_prepared_while_one_runs_and_no_more() -> None:
    begun, done = [threading.Event() for _ in range(100)], threading.Event()

    def watched(step: int) -> int:
        begun[step].set()
        done.wait(5 if step else 0)
        return step

    with prefetched(watched, 1) as batch:
        assert batch(0) == 0
        assert begun[1].wait(5)
        done.set()
        assert batch(1) == 1
        assert begun[1 + BATCHES_PER_WORKER].wait(5)
    assert not begun[2 + BATCHES_PER_WORKER].is_set()


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_comes_with_its_own_step(workers: int) -> None:
    def failing(step: int) -> int:
        if step >= 3:
            raise WorkFailed(f"step {step}")
        return step

    with prefetched(failing, workers) as batch:
        assert [batch(step) for step in range(3)] == [0, 1, 2]
        for step in (3, 4):
            with pytest.raises(WorkFailed, match=f"step {step}"):
                batch(step)
        assert batch(1) == 1


def test_a_batch_that_is_no_longer_wanted_is_not_waited_for() -> None:
    release = threading.Event()

    def slow(step: int) -> int:
        if step == 1:
            release.wait(5)
        return step

    with prefetched(slow, 2) as batch:
        assert batch(0) == 0
        assert batch(50) == 50
        release.set()


@pytest.mark.parametrize("workers", WORKERS)
def test_a_training_ends_in_the_same_bits(workers: int, tmp_path) -> None:
    with RunFolder.create(tmp_path / "plain", config(6)) as folder:
        list(run_stages(plans(), folder, Accelerator("cpu"), notify=print))
        expected = fingerprint(folder)
    with RunFolder.create(tmp_path / "ahead", config(6, workers=workers)) as folder:
        list(run_stages(plans(), folder, Accelerator("cpu"), notify=print))
        assert fingerprint(folder) == expected


def diverging() -> StagePlan:
    """A stage whose loss is not a number."""
    base = stage("tokenizer")
    nan = base.module.out.weight.sum() * torch.nan
    return StagePlan(
        lambda: type(base)(base.name, base.module, base.batch, lambda *_: Loss(nan), base.optimizer, 7)
    )


def failing() -> StagePlan:
    """A stage whose third batch cannot be read."""
    base = stage("tokenizer")

    def batch(step: int) -> object:
        if step == 2:
            raise WorkFailed("cannot be read")
        return base.batch(step)

    return StagePlan(lambda: type(base)(base.name, base.module, batch, base.loss, base.optimizer, 7))


@pytest.mark.parametrize(("plan", "message"), [(diverging, "not finite"), (failing, "cannot be read")])
def test_no_thread_is_left_after_an_error(plan: Callable[[], StagePlan], message: str, tmp_path) -> None:
    with RunFolder.create(tmp_path / "run", config(6, workers=2)) as folder:
        with pytest.raises(WorkFailed, match=message):
            list(run_stages([plan()], folder, Accelerator("cpu"), notify=print))
        assert not [t for t in threading.enumerate() if t.name.startswith("prefetch")]


def test_no_thread_is_left_by_a_consumer_that_goes_away(tmp_path) -> None:
    with RunFolder.create(tmp_path / "run", config(6, workers=2)) as folder:
        steps = run_stages(plans(), folder, Accelerator("cpu"), notify=print)
        next(steps)
        assert [t for t in threading.enumerate() if t.name.startswith("prefetch")]
        steps.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_thread_is_left_by_an_interrupt_and_the_rest_is_the_same(number: int, tmp_path) -> None:
    with RunFolder.create(tmp_path / "plain", config(6)) as folder:
        list(run_stages(plans(), folder, Accelerator("cpu"), notify=print))
        expected = fingerprint(folder)
    RunFolder.create(tmp_path / "run", config(6, workers=2)).close()

    def interrupt(folder: RunFolder) -> None:
        for _ in run_stages(plans(), folder, Accelerator("cpu"), notify=print):
            os.kill(os.getpid(), number)

    with RunFolder.resume(tmp_path / "run", LoomRunConfig) as folder, pytest.raises(Interrupted):
        interrupt(folder)
    assert not [t for t in threading.enumerate() if t.name.startswith("prefetch")]
    with RunFolder.resume(tmp_path / "run", LoomRunConfig) as folder:
        assert len(list(run_stages(plans(), folder, Accelerator("cpu"), notify=print))) == 11
        assert fingerprint(folder) == expected
