"""`kill -9` on a whole `modaloom train`, at any moment: `--resume` ends in the same bits."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from calling import SMALL, tree

from modaloom.loom.config import LoomRunConfig
from modaloom.runs.store import RunFolder

STEPS = 60
TRIALS = 10

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]


def start(world: Path, out: Path, *how: object) -> "subprocess.Popen[bytes]":
    words = ("train", world, "--out", out, *(how or ("--steps", STEPS)), "--seed", 5, "--resume", *SMALL)
    command = [sys.executable, "-m", "modaloom", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(world: Path, out: Path, *how: object) -> None:
    child = start(world, out, *how)
    _, errors = child.communicate()
    assert child.returncode == 0, errors.decode()


def tensors(folder: Path) -> dict[str, str]:
    return {name: digest for name, digest in tree(folder).items() if name.endswith(".safetensors")}


@pytest.fixture(scope="module")
def whole(world: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A training that nothing stopped, and the seconds that it took."""
    out, begin = tmp_path_factory.mktemp("whole") / "run", time.monotonic()
    finish(world, out)
    return out, time.monotonic() - begin


@pytest.mark.parametrize("trial", range(TRIALS))
def test_kill_9_of_a_whole_training(
    world: Path, whole: tuple[Path, float], tmp_path: Path, trial: int
) -> None:
    """The first one comes before the first checkpoint, the others anywhere between start and end."""
    expected, seconds = whole
    out = tmp_path / "run"
    child = start(world, out)
    if trial == 0:
        while not out.exists():
            time.sleep(0.001)
    else:
        time.sleep(seconds * random.Random(trial).random())
    child.kill()
    child.communicate()
    finish(world, out)
    for part in ("model", "checkpoints"):
        assert tensors(expected / part)
        assert tensors(out / part) == tensors(expected / part)


@pytest.mark.parametrize("trial", range(3))
def test_kill_9_of_a_training_with_a_budget(world: Path, tmp_path: Path, trial: int) -> None:
    """Its steps depend on the clock; what the configuration then says of them gives the same bits again."""
    out, again = tmp_path / "run", tmp_path / "again"
    child = start(world, out, "--minutes", 0.2)
    time.sleep(8 + 6 * random.Random(trial).random())
    child.kill()
    child.communicate()
    finish(world, out, "--minutes", 0.2)
    steps = RunFolder.open(out, LoomRunConfig).run().training.steps
    asked = ",".join(f"{stage}={count}" for stage, count in steps.items())
    finish(world, again, "--config", out / "config.json", "--steps", asked)
    assert tensors(again / "model") == tensors(out / "model")
    assert tensors(out / "model")
