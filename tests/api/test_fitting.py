"""What the ranks of a training compare, and what the others wait for; the training itself is a stub."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from modaloom.api.callbacks import TrainCallbacks
from modaloom.api.fitting import Asked, _fit, _opened
from modaloom.core.distributed import SINGLE_PROCESS, SingleProcess
from modaloom.core.errors import BadRun
from modaloom.loom.config import LoomRunConfig
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    for name in ("a", "b"):
        (tmp_path / "data" / f"{name}.txt").write_text(name)
    return tmp_path / "data"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFolder[LoomRunConfig]]:
    with RunFolder.create(tmp_path / "run", LoomRunConfig()) as made:
        yield made


class Other(SingleProcess):
    """A rank whose rank 0 found something else."""

    def __init__(self, place: int, value: object) -> None:
        self.place, self.value = place, value

    def share(self, value: list[Any]) -> list[Any]:
        return [*value[: self.place], self.value, *value[self.place + 1 :]]


@pytest.mark.parametrize("other", [Other(0, "another config.json"), Other(1, 3), Other(2, "another file")])
def test_a_rank_with_other_data_or_settings(run: RunFolder[LoomRunConfig], data: Path, other: Other) -> None:
    assert len(_opened(run, data, SINGLE_PROCESS).samples) == 2
    with pytest.raises(BadRun, match="rank 0 does not find what rank 0 does in "):
        _opened(run, data, other)


class Waited(SingleProcess):
    """Knows whether the others wait."""

    waiting = False

    @contextmanager
    def first(self) -> Iterator[None]:
        self.waiting = True
        yield
        self.waiting = False


def test_the_others_wait_for_all_that_follows_the_last_step(
    run: RunFolder[LoomRunConfig], data: Path
) -> None:
    """They would wait for 40 seconds without."""
    ranks, seen = Waited(), list[bool]()

    def look(*_: object) -> dict[str, Any]:
        seen.append(ranks.waiting)
        return {}

    step = SimpleNamespace(step=7, whole=True)
    trainer = SimpleNamespace(stages=["x"], steps=lambda: iter([step]), parts=look, usage=look)
    trainer.reader = SimpleNamespace(problems=[])
    engine: Any = SimpleNamespace(trainer=lambda *_, **__: trainer, write_snapshot=look)
    run.save_data({"streams": {}})
    with ExitStack() as waiting:
        asked = Asked(data, 5, "cpu", 1, TrainCallbacks(), ranks, False, waiting)
        _fit(run, engine, data, Accelerator("cpu"), asked)
        assert ranks.waiting
    assert seen == [True] * 3
    assert not ranks.waiting
