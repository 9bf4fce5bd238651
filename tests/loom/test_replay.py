"""Batches of an adapted run have samples that the run it starts from has drawn."""

from pathlib import Path

import numpy as np
import pytest
import torch
from adapting import adapted, pairs, trained

from modaloom.core.distributed import SINGLE_PROCESS, SingleProcess
from modaloom.core.errors import BadValue
from modaloom.data.folder import open_folder
from modaloom.loom.config import LoomRunConfig, LoomTrainingConfig
from modaloom.loom.replay import MixedBatches, Replay
from modaloom.loom.run import TrainedRun, load
from modaloom.loom.trainer import LoomTrainer
from modaloom.runs.config import OptimizerConfig
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    return trained(tmp_path_factory.mktemp("base"))


@pytest.mark.parametrize("n", [20, 500])
def test_half_of_a_batch_is_replayed(n: int) -> None:
    batches = MixedBatches.of((n, 100), [1, 1], 0.5, OptimizerConfig(batch_size=64), 0, SINGLE_PROCESS)
    assert batches.size == 64
    for step in range(5):
        places = batches(step)
        assert len(places) == 64
        assert int((places < n).sum()) == 32
        assert int(places.max()) < n + 100


def test_the_replayed_share_is_of_elements_too() -> None:
    optimizer = OptimizerConfig(batch_size=64, max_batch_elements=100)
    batches = MixedBatches.of((500, 500), [10, 10], 0.7, optimizer, 0, SINGLE_PROCESS)
    assert (batches.first.size, batches.second.size) == (3, 7)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_batch_has_a_sample_for_every_rank_however_large_they_are(share: float) -> None:
    class Rank(SingleProcess):
        size = 5

    def batches(size: int) -> MixedBatches:
        optimizer = OptimizerConfig(batch_size=size, max_batch_elements=1)
        return MixedBatches.of((20, 20), [[1, 2] * 10, 3], share, optimizer, 0, Rank())

    found = batches(8)
    assert min(len(found.first(step)) + len(found.second(step)) for step in range(3)) >= 5
    with pytest.raises(BadValue, match=r"a batch of loom has [34] samples for 5"):
        batches(3)


def test_every_sample_is_used_once_an_epoch() -> None:
    batches = MixedBatches.of((40, 60), [1, 1], 0.6, OptimizerConfig(batch_size=20), 0, SINGLE_PROCESS)
    places = torch.cat([batches(step) for step in range(5)])
    assert sorted(places.tolist()) == list(range(100))


def test_a_run_replays_what_it_generates(base: TrainedRun) -> None:
    drawn = Replay.draw(str(base.path), ["image", "text", "other"], seed=3, n=70)
    assert drawn.n == 70
    assert drawn.codes.keys() == {"image", "text"}
    again = Replay.draw(str(base.path), ["image", "text"], seed=3, n=70)
    other = Replay.draw(str(base.path), ["image", "text"], seed=4, n=70)
    assert all(torch.equal(codes, again.codes[name]) for name, codes in drawn.codes.items())
    assert not torch.equal(drawn.codes["image"], other.codes["image"])
    assert drawn.fact == again.fact != other.fact
    assert {str(row["text"]) for row in base.model.values(drawn.codes)} - {""}
    assert Replay.draw(str(base.path), ["size"], seed=3).n == 0


def trainer_of(base: TrainedRun, folder: Path, out: Path, *settings: str) -> LoomTrainer:
    adapted(base, folder, out, [], steps=1, settings=settings)
    with RunFolder.resume(out, LoomRunConfig) as run:
        trainer = LoomTrainer(run, open_folder(folder), Accelerator("cpu"), notify=lambda message: None)
        trainer._cache_codes(trainer.data.tokenizers)
    return trainer


def test_replayed_codes_follow_those_of_the_folder(base: TrainedRun, tmp_path: Path) -> None:
    folder = pairs(tmp_path / "data", 30, sizes=True)
    trainer = trainer_of(base, folder, tmp_path / "run")
    n, replay = len(trainer.data.samples), trainer._replay
    codes, present = trainer.codes(n + torch.arange(replay.n))
    for name in ("image", "text"):
        assert torch.equal(codes[name], replay.codes[name].reshape(codes[name].shape))
        assert present[name].all()
    assert not present["size"].any()
    rows, batches = trainer._loom_batches(load(tmp_path / "run").model.loom.layout)
    seen = rows[batches(0)]
    own = trainer.data.rows["train"]
    assert set(seen[seen < n].tolist()) == set(own.tolist())
    assert int((seen < n).sum()) == trainer.config.training.loom.batch_size // 2
    assert len(seen) == trainer.config.training.loom.batch_size
    usage = trainer.usage()
    assert all(np.sum(one["counts"][0]) <= 4 * len(own) for one in usage.values())


def test_replayed_samples_are_never_augmented(base: TrainedRun, tmp_path: Path) -> None:
    folder = pairs(tmp_path / "data", 30)
    trainer = trainer_of(base, folder, tmp_path / "run", "training.augment.shift=0.25")
    stage, n, marked = trainer._loom(), len(trainer.data.samples), 0
    assert trainer.model is not None
    rows, batches = trainer._loom_batches(trainer.model.loom.layout)
    for step in range(5):
        batch, replayed = stage.batch(step), rows[batches(step)] >= n
        assert not batch["augmented"][replayed].any()
        assert batch["present"]["image"].all()
        marked += int(batch["augmented"].sum())
    assert marked


def test_without_replay_there_is_none(base: TrainedRun, tmp_path: Path) -> None:
    folder = pairs(tmp_path / "data", 30)
    assert trainer_of(base, folder, tmp_path / "run", "training.replay=0")._replay.n == 0


def test_a_tokenizer_that_is_learned_anew_has_no_replay(base: TrainedRun, tmp_path: Path) -> None:
    folder = pairs(tmp_path / "data", 30)
    trainer = trainer_of(base, folder, tmp_path / "run", "streams.image.tokenizer.frozen=false")
    assert trainer._replay.codes.keys() == {"text"}


def test_the_share_is_checked() -> None:
    with pytest.raises(BadValue, match="replay"):
        LoomTrainingConfig(replay=1.5)
