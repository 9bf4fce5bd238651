"""A new engine is one class in one table: it trains, loads, answers, scores, reports and is exported."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn

import modaloom.api as modaloom
from modaloom.core.distributed import Distributed
from modaloom.core.errors import BadValue
from modaloom.core.types import Loss
from modaloom.data.folder import Folder, open_folder
from modaloom.data.notices import Notify, silent
from modaloom.data.reader import Reader
from modaloom.engine import Engine, EvaluationOptions
from modaloom.engines import ENGINES
from modaloom.evaluation.rows import ScoreRow
from modaloom.runs.config import OptimizerConfig, RunConfig, TrainingConfig
from modaloom.runs.model import Part, load_model
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Stage, Step
from modaloom.training.selection import data_facts, select
from modaloom.training.stages import StagePlan, run_stages


@dataclass(frozen=True)
class LengthConfig:
    """Of the toy engine, which learns how long the texts of a stream are."""

    initial: float = 0.0


@dataclass(frozen=True, kw_only=True)
class LengthRunConfig(RunConfig):
    """Its run's."""

    engine: Literal["length"] = "length"
    length: LengthConfig = field(default_factory=LengthConfig)
    training: TrainingConfig = field(default_factory=lambda: TrainingConfig(precision="fp32"))


class MeanLength(nn.Module):
    """One number."""

    def __init__(self, initial: float) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.tensor([initial]))

    def loss(self, lengths: Tensor, generator: torch.Generator, ranks: Distributed) -> Loss:
        return Loss((self.mean - lengths).abs().mean())


class LengthTrainer:
    """A training of one stage."""

    def __init__(self, run: RunFolder[LengthRunConfig], folder: Folder, accelerator: Accelerator) -> None:
        self.run, self.accelerator, self.stages = run, accelerator, ["length"]
        chosen = select(run, folder, ["text"])
        self.reader: Reader = chosen.reader
        self.lengths = torch.tensor([len(text) for text in self.reader.column("text", chosen.training)])
        self.model = MeanLength(run.run().length.initial)
        if not run.has_data():
            streams = {"streams": {"text": {"modality": "text"}}}
            run.save_data(streams | data_facts(folder, chosen.split_of, run.run()))

    def steps(self) -> Iterator[Step]:
        optimizer = OptimizerConfig(learning_rate=0.5, batch_size=len(self.lengths))
        stage = Stage(
            "length",
            self.model,
            lambda step: self.lengths.float(),
            self.model.loss,
            optimizer,
            len(self.lengths),
        )
        return run_stages([StagePlan(lambda: stage)], self.run, self.accelerator, notify=silent)

    def parts(self) -> dict[str, Part]:
        return {"length": Part(self.model.state_dict(), {})}

    def usage(self) -> Mapping[str, Any]:
        return {}


@dataclass(frozen=True)
class TrainedLength:
    """A finished run."""

    path: Path
    run: LengthRunConfig
    hash: str
    length: float
    device: str = "cpu"


class LengthEngine(Engine[LengthRunConfig, TrainedLength]):
    """The one class; its helpers above could be methods of it."""

    config = LengthRunConfig
    presets = dict.fromkeys(("tiny", "small", "base"), LengthRunConfig)
    tasks = ("length",)

    def trainer(
        self, run: RunFolder[LengthRunConfig], folder: Folder, accelerator: Accelerator, *, notify: Notify
    ) -> LengthTrainer:
        return LengthTrainer(run, folder, accelerator)

    def load(self, path: Path, *, device: str = "auto") -> TrainedLength:
        files = load_model(path / "model")
        run = RunFolder.open(path, LengthRunConfig).run()
        return TrainedLength(path, run, files.hash, float(files.parts["length"].tensors["mean"]))

    def evaluate(self, run: TrainedLength, folder: Path, options: EvaluationOptions) -> list[ScoreRow]:
        index = open_folder(folder)
        texts = Reader(index, streams=["text"]).column("text", index.samples)
        errors = [abs(len(text) - run.length) for text in texts]
        row = ScoreRow("length", "all", "error", sum(errors) / len(errors), floor=3.0, n=len(errors))
        options.on_row(row)
        return [row]

    def commands(self, run: TrainedLength) -> list[str]:
        return [f"modaloom report {run.path}"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """40 texts of 5 characters, a few longer; the engine is in the table while the test runs."""
    monkeypatch.setitem(ENGINES, "length", LengthEngine())
    root = tmp_path / "texts"
    root.mkdir()
    for i in range(40):
        (root / f"{i:02d}.txt").write_text("x" * (5 if i % 8 else 9))
    return root


def test_an_engine_is_one_class_in_one_table(folder: Path, tmp_path: Path) -> None:
    run = modaloom.train(folder, out=tmp_path / "run", config=LengthRunConfig(), steps=200)
    assert run.length == pytest.approx(5, abs=0.3)  # the median
    again = modaloom.load(tmp_path / "run")
    assert (again.hash, again.length) == (run.hash, run.length)
    (row,) = modaloom.evaluate(again, folder)
    assert row.value < 1 < row.floor
    assert modaloom.examples(again) == [f"modaloom report {tmp_path / 'run'}"]
    page = modaloom.report(tmp_path / "run").read_text()
    assert "length" in page
    assert "40" not in (tmp_path / "run" / "config.json").read_text()
    small = modaloom.export(tmp_path / "run", out=tmp_path / "small")
    assert modaloom.load(small).length == pytest.approx(run.length, abs=0.01)


def test_its_task_chooses_it_and_its_settings_are_its_own(folder: Path, tmp_path: Path) -> None:
    settings = ["length.initial=7"]
    run = modaloom.train(folder, out=tmp_path / "run", task="length", settings=settings, steps=1)
    assert run.run.length.initial == 7
    with pytest.raises(BadValue, match="unknown setting 'loom'"):
        modaloom.train(folder, out=tmp_path / "other", task="length", settings=["loom.width=8"], steps=1)
    with pytest.raises(BadValue, match="unknown setting 'length'"):
        modaloom.train(folder, out=tmp_path / "other", settings=settings, steps=1)
