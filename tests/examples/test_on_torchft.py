"""modaloom on torchft: a replica is killed and comes back, and the weights are those of one process."""

import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import modaloom

coordination = pytest.importorskip("torchft.coordination")
pytestmark = pytest.mark.full

EXAMPLE = Path(__file__).parents[2] / "examples" / "on_torchft.py"
STEPS, LOST, BACK = 24, 6, 12
"""Of the Loom: all, after how many a replica is lost, and before how many there is another."""
PROGRAM = """
import runpy, sys, time
from pathlib import Path

example, run, gates = sys.argv[1:]
scope = runpy.run_path(example)
meet = scope["Replicas"].meet

def held(self):
    step = self.manager.current_step()
    print("meets at", step, flush=True)
    while (Path(gates) / str(step)).exists():
        time.sleep(0.02)
    meet(self)

scope["Replicas"].meet = held
scope["replica"](run)
"""
OPTIONS: dict[str, Any] = {
    **{"seed": 3, "samples": 1, "preset": "tiny"},
    "settings": [
        *("loom.width=16", "loom.num_layers=1", "loom.num_heads=2", "training.precision=fp32"),
        *("tokenizers.image.widths=[8]", "tokenizers.image.codebook_size=8", "loom.sampling.steps=2"),
        *("training.tokenizer.batch_size=8", "training.loom.batch_size=7"),
        *("training.loom.learning_rate=1e-4", "training.loom.matrix_learning_rate=6e-4"),
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    (root := tmp_path / "pairs").mkdir()
    for i in range(30):
        pixels = random.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(root / f"{i:02d}.png")
        if i:
            (root / f"{i:02d}.txt").write_text("bright" if pixels.mean() > 127 else "dark")
    return root


@pytest.fixture
def lighthouse() -> Iterator[str]:
    server = coordination.LighthouseServer(bind="[::]:0", min_replicas=1, heartbeat_timeout_ms=2000)
    yield server.address()
    server.shutdown()


def started(run: Path, gates: Path, lighthouse: str) -> "subprocess.Popen[str]":
    path = os.pathsep.join(os.path.abspath(place) for place in sys.path if place)
    own = {"TORCHFT_LIGHTHOUSE": lighthouse, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    command = [sys.executable, "-c", PROGRAM, str(EXAMPLE), str(run), str(gates)]
    return subprocess.Popen(command, env={**os.environ, **own}, stdout=subprocess.PIPE, text=True)


def until(process: "subprocess.Popen[str]", words: str) -> list[str]:
    """The lines of a process up to the one that begins so."""
    assert process.stdout is not None
    lines = list[str]()
    for line in process.stdout:
        lines.append(line.strip())
        if line.startswith(words):
            return lines
    raise AssertionError(lines)


def weights(run: Path) -> dict[str, torch.Tensor]:
    files = sorted((run / "model").rglob("*.safetensors"))
    return {f"{file.name} {name}": t for file in files for name, t in load_file(file).items()}


def test_a_killed_replica_comes_back(folder: Path, tmp_path: Path, lighthouse: str) -> None:
    run, alone, gates = tmp_path / "run", tmp_path / "alone", tmp_path / "gates"
    runpy.run_path(str(EXAMPLE))["prepare"](str(folder), str(run), STEPS, **OPTIONS)
    shutil.copytree(run, alone)
    for step in (1, BACK):
        (gates / str(step)).mkdir(parents=True)
    replicas = [started(run, gates, lighthouse) for _ in range(2)]
    try:
        for each in replicas:
            until(each, "meets at 1")
        (gates / "1").rmdir()
        first, second = replicas
        until(second, f"step {LOST} of {STEPS}: 2 replicas")
        second.kill()
        until(first, f"meets at {BACK}")
        replicas.append(third := started(run, gates, lighthouse))
        until(third, "meets at 1")
        (gates / str(BACK)).rmdir()
        told = [until(each, "weights") for each in (first, third)]
        assert [each.wait() for each in (first, second, third)] == [0, -9, 0]
    finally:
        for each in replicas:
            each.kill()
            each.communicate()
    assert told[0][-1] == told[1][-1]
    assert f"step {STEPS} of {STEPS}: 2 replicas" in told[0]
    steps = [line for line in told[1] if line.startswith("step")]
    assert steps[0] in (f"step {step} of {STEPS}: 2 replicas" for step in range(BACK + 1, STEPS))
    for place in (run, alone):
        modaloom.train(out=place, resume=True, device="cpu")
    found, expected = weights(run), weights(alone)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-5, rtol=1e-5)
