"""Trainings of several processes, from the command line to the model: one process is the oracle."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from calling import SMALL, Call, call, tree
from safetensors.torch import load_file
from torch import Tensor

import modaloom.api as modaloom
from modaloom.loom.config import LoomRunConfig
from modaloom.loom.engine import LoomEngine
from modaloom.restorer.engine import RestorerEngine
from modaloom.runs.checkpoint import newest
from modaloom.runs.store import RunFolder
from modaloom.training.loop import Step

STEPS = 6
LIMIT = 60.0
"""Seconds after which a lost process must have stopped the others."""
CALM = [
    *SMALL[1::2],
    "tokenizers.image.codebook_size=4",
    *(
        f"training.{stage}.{option}"
        for stage in ("tokenizer", "loom")
        for option in ("learning_rate=1e-4", "matrix_learning_rate=6e-4", "max_grad_norm=0.3")
    ),
]
"""Small rates and few codes: a gradient that is only rounding is divided by its own size."""
RESTORER = [
    *(
        "data.streams=['image']",
        "restorer.crop_sizes=[16]",
        "restorer.local.width=8",
        "training.precision=fp32",
    ),
    *("training.restorer.batch_size=5", "training.checkpoint_seconds=0"),
    *("training.restorer.learning_rate=1e-4", "training.restorer.matrix_learning_rate=1e-4"),
]


def train(world: Path, out: Path, devices: int, settings: Sequence[str] = CALM, **more: Any) -> Path:
    more = {"steps": 3, "samples": 1, "preset": "tiny", **more}
    modaloom.train(world, out=out, settings=settings, seed=5, devices=devices, **more)
    return out


def weights(run: Path) -> dict[str, Tensor]:
    files = sorted((run / "model").rglob("*.safetensors"))
    assert files
    return {f"{file.name} {name}": tensor for file in files for name, tensor in load_file(file).items()}


def assert_close(found: Path, expected: Path) -> None:
    first, second = weights(found), weights(expected)
    assert first.keys() == second.keys()
    for name, value in second.items():
        torch.testing.assert_close(
            first[name], value, atol=1e-5, rtol=1e-5, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.fixture(scope="module", autouse=True)
def unscored() -> Iterator[None]:
    """The model is what is looked at."""
    with pytest.MonkeyPatch.context() as patch:
        for engine in (LoomEngine, RestorerEngine):
            patch.setattr(engine, "evaluate", lambda *_: [])
            patch.setattr(engine, "mutual_information", lambda *_, **__: [])
            patch.setattr(engine, "write_samples", lambda *_, **__: None)
            patch.setattr(engine, "write_snapshot", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def alone(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(world, tmp_path_factory.mktemp("alone") / "run", 1)


def test_two_processes_train_the_tokenizer_and_the_loom_of_one(
    world: Path, alone: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is told is told by rank 0 alone, and the number of threads is what it was."""
    threads = torch.get_num_threads()
    assert_close(train(world, tmp_path / "run", 2), alone)
    assert torch.get_num_threads() == threads
    assert capfd.readouterr() == ("", "")
    assert "--devices 2" in (tmp_path / "run/model/README.md").read_text()


@pytest.mark.full
@pytest.mark.usefixtures("many_measured_pairs")  # the other process measures as many
def test_two_processes_train_the_restorer_of_one(world: Path, tmp_path: Path) -> None:
    runs = [train(world, tmp_path / f"{devices}", devices, RESTORER, task="superres") for devices in (1, 2)]
    assert_close(*runs)


@pytest.mark.full
@pytest.mark.parametrize("devices", [1, 2, 3])
def test_a_checkpoint_of_two_processes_goes_on_in_any_number(
    world: Path, alone: Path, tmp_path: Path, devices: int
) -> None:
    """Ctrl-C in the second step of the Loom: all stop, with a checkpoint that is loaded as it is."""

    def stop(step: Step) -> None:
        if (step.stage, step.step) == ("loom", 2):
            signal.raise_signal(signal.SIGINT)

    def first(step: Step) -> None:
        seen.append(step.step)

    out, seen = tmp_path / "run", list[int]()
    with pytest.raises(modaloom.WorkFailed, match="stopped after step 2 of 3 of loom"):
        train(world, out, 2, callbacks=modaloom.TrainCallbacks(on_step=stop))
    assert newest(out / "checkpoints/loom").checkpoint
    train(world, out, devices, resume=True, callbacks=modaloom.TrainCallbacks(on_step=first))
    assert seen == [3]
    assert_close(out, alone)
    if devices == 2:
        whole = train(world, tmp_path / "whole", 2)
        assert tensors(out) == tensors(whole)


def tensors(run: Path) -> dict[str, str]:
    """Digests of the model and of its checkpoints."""
    return {name: d for name, d in tree(run).items() if name.endswith(".safetensors") and "cache" not in name}


@pytest.mark.full
@pytest.mark.parametrize("devices", [1, 3])
def test_a_checkpoint_of_two_processes_that_divide_the_model(
    world: Path, alone: Path, tmp_path: Path, devices: int
) -> None:
    def stop(step: Step) -> None:
        if (step.stage, step.step) == ("loom", 2):
            signal.raise_signal(signal.SIGINT)

    out = tmp_path / "run"
    with pytest.raises(modaloom.WorkFailed, match="stopped after step 2 of 3 of loom"):
        train(world, out, 2, shard=True, callbacks=modaloom.TrainCallbacks(on_step=stop))
    train(world, out, devices, shard=devices > 1, resume=True)
    assert_close(out, alone)


@pytest.mark.full
def test_a_budget_in_minutes_is_one_for_all(world: Path, tmp_path: Path) -> None:
    """Rank 0 decides on the steps; the recorded ones give the same bits again."""
    out = train(world, tmp_path / "run", 2, steps=None, minutes=0.1)
    config = RunFolder.open(out, LoomRunConfig).run()
    assert {*config.training.steps} == {"image", "loom"}
    assert {threads for changes in config.training.threads.values() for _, threads in changes} == {1}
    again = train(
        world, tmp_path / "again", 2, (), config=out / "config.json", steps=dict(config.training.steps)
    )
    assert weights(again).keys() == weights(out).keys()
    assert all(torch.equal(value, weights(again)[name]) for name, value in weights(out).items())


# Errors


def test_numbers_that_cannot_be(world: Path, refused: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    refused("train", world, "--out", "run", "--shard", names="there is one; give --devices N")
    refused("train", world, "--out", "run", "--devices", 0, names="devices is 0; it must be at least 1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    refused("train", world, "--out", "run", "--devices", 2, names="torchrun has started 3 processes")
    monkeypatch.setenv("RANK", "x")
    refused("train", world, "--out", "run", names="RANK is 'x'; it must be a whole number")


@pytest.mark.full
def test_more_processes_than_samples_of_a_batch(world: Path, tmp_path: Path) -> None:
    """Nothing is left of the run, and nothing is said but by rank 0."""
    words = ("--steps", 2, *SMALL, "--set", "training.tokenizer.batch_size=1", "--devices", 2)
    refused = call("train", world, "--out", tmp_path / "run", *words)
    assert refused.exit_code == 2
    assert refused.stderr.startswith("error: a batch of image has 1 samples for 2 processes")
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.full
def test_two_trainings_into_one_folder(world: Path, tmp_path: Path) -> None:
    with (
        RunFolder.create(tmp_path / "run", LoomRunConfig()),
        pytest.raises(modaloom.BadRun, match="being written by another process"),
    ):
        train(world, tmp_path / "run", 2, resume=True, preset="auto")


@pytest.mark.full
def test_an_error_of_the_caller_stops_all(
    world: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(step: Step) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        train(world, tmp_path / "run", 2, callbacks=modaloom.TrainCallbacks(on_step=fail))
    assert "Traceback" not in capfd.readouterr().err


# A rank is lost


def ranks(size: int, lost: Sequence[object], *words: object) -> "list[subprocess.Popen[str]]":
    """The processes that torchrun would start; LOST as in `lost.py`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(Path(__file__).with_name("lost.py")), *map(str, [*lost, *words])]
    common = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    return [
        subprocess.Popen(
            command,
            env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]


NOBODY = (9, "SIGKILL", "save", 1)


def words(world: Path, out: Path) -> tuple[object, ...]:
    return ("train", world, "--out", out, "--steps", STEPS, "--seed", 5, "--resume", *SMALL)


@pytest.fixture(scope="module")
def whole(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of two ranks that nothing stopped."""
    out = tmp_path_factory.mktemp("whole") / "run"
    ended = [process.communicate() for process in ranks(2, NOBODY, *words(world, out))]
    assert "report:" in ended[0][0]
    assert ended[1] == ("", "")
    return out


LOST = [
    (0, "prepare", 1),
    (1, "prepare", 1),
    *((rank, "forward", calls) for rank in (0, 1) for calls in (1, 9)),
    *((rank, "all-reduce", calls) for rank in (0, 1) for calls in (1, 30, 50)),
    *((rank, "optimizer", calls) for rank in (0, 1) for calls in (2, 12)),
    *((0, "save", calls) for calls in (1, 6, 11)),
    (0, "verify", 8),
]
"""Rank, point, call."""


@pytest.mark.full
@pytest.mark.timeout(200)
@pytest.mark.parametrize(("rank", "point", "calls"), LOST)
def test_kill_9_of_a_rank(
    world: Path, whole: Path, tmp_path: Path, rank: int, point: str, calls: int
) -> None:
    """The other one names it within a minute; both together then end in the same bits."""
    out = tmp_path / "run"
    pair = ranks(2, (rank, "SIGKILL", point, calls), *words(world, out))
    pair[rank].communicate(timeout=LIMIT)
    _, errors = pair[1 - rank].communicate(timeout=LIMIT)
    assert [process.returncode for process in pair] == ([-9, 1] if rank == 0 else [1, -9])
    assert re.search(rf"error: rank {1 - rank} of 2: .*rank {rank} does not answer", errors), errors
    for process in ranks(2, NOBODY, *words(world, out)):
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert tensors(out) == tensors(whole)


@pytest.mark.full
@pytest.mark.timeout(200)
@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_hangs(world: Path, tmp_path: Path, rank: int) -> None:
    pair = ranks(2, (rank, "SIGSTOP", "all-reduce", 9), *words(world, tmp_path / "run"))
    try:
        begin = time.monotonic()
        _, errors = pair[1 - rank].communicate(timeout=LIMIT + 10)  # it starts, too
        assert time.monotonic() - begin < LIMIT + 10
        assert f"rank {rank} does not answer: it was killed, or it hangs" in errors
    finally:
        for process in pair:
            process.kill()
            process.communicate()


# torchrun itself

TWICE = """
import sys

import modaloom

for name in "ab":
    modaloom.train(sys.argv[1], out=f"{sys.argv[2]}/{name}", steps=1, samples=1, preset="tiny")
"""


def torchrun(*words: object) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("torchrun"), "--standalone", "--nproc-per-node", 2, *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True, timeout=180)


@pytest.mark.full
@pytest.mark.timeout(200)
def test_torchrun_starts_a_lost_training_again(world: Path, whole: Path, tmp_path: Path) -> None:
    out, lost = tmp_path / "run", (Path(__file__).with_name("lost.py"), 1, "SIGKILL", "optimizer", 12)
    ended = torchrun("--max-restarts", 1, *lost, *words(world, out))
    assert ended.returncode == 0, ended.stderr
    assert "rank 1 does not answer" in ended.stderr
    assert tensors(out) == tensors(whole)


@pytest.mark.full
@pytest.mark.timeout(200)
def test_a_program_under_torchrun_trains_twice(world: Path, tmp_path: Path) -> None:
    """torchrun keeps one store for all that its processes do."""
    (tmp_path / "twice.py").write_text(TWICE)
    ended = torchrun(tmp_path / "twice.py", world, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert weights(tmp_path / "a").keys() == weights(tmp_path / "b").keys()
