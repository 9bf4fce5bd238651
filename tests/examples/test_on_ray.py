"""modaloom on Ray: codes are those of `tokenize`, and a killed worker changes nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import modaloom

pytest.importorskip("ray")
parquet = pytest.importorskip("pyarrow.parquet")
pytestmark = pytest.mark.full

EXAMPLE = Path(__file__).parents[2] / "examples" / "on_ray.py"
PROGRAM = """
import json, ray, runpy, sys
ray.init(include_dashboard=False, num_cpus=2)
runpy.run_path(sys.argv[1])[sys.argv[2]](**json.loads(sys.argv[3]))
"""
OPTIONS: dict[str, Any] = {
    **{"steps": 20, "seed": 3, "samples": 1, "preset": "tiny"},
    "settings": [
        *("loom.width=16", "loom.num_layers=1", "loom.num_heads=2", "training.precision=fp32"),
        *("tokenizers.image.widths=[8]", "tokenizers.image.codebook_size=8", "loom.sampling.steps=2"),
        *("training.tokenizer.batch_size=8", "training.loom.batch_size=8", "training.checkpoint_seconds=0"),
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, random = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for i in range(30):
        pixels = random.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(root / f"{i:02d}.png")
        if i:
            (root / f"{i:02d}.txt").write_text("bright" if pixels.mean() > 127 else "dark")
    return root


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two ranks that nothing disturbs."""
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        torch.set_num_threads(2)  # one for each rank
        modaloom.train(folder, out=out, device="cpu", devices=2, **OPTIONS)
    return out


def started(verb: str, **arguments: Any) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", PROGRAM, str(EXAMPLE), verb, json.dumps(arguments)]
    path = os.pathsep.join(os.path.abspath(place) for place in sys.path if place)
    own = {"RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    return subprocess.Popen(command, env={**os.environ, **own}, stdout=subprocess.DEVNULL)


def workers(parent: int) -> Iterator[int]:
    """Processes below this one that train."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, facts = stat.read_text().rpartition(")")
            command = stat.with_name("cmdline").read_bytes()
        except OSError:
            continue
        pid, above = int(name.split()[0]), int(facts.split()[1])
        if above == parent:
            yield from [pid] if b"TrainWorker" in command else workers(pid)


def weights(run: Path) -> dict[str, torch.Tensor]:
    files = sorted((run / "model").rglob("*.safetensors"))
    return {f"{file.name} {name}": t for file in files for name, t in load_file(file).items()}


def test_codes_are_those_of_tokenize(folder: Path, trained: Path, tmp_path: Path) -> None:
    places = {"run": str(trained), "folder": str(folder), "out": str(tmp_path / "codes.parquet")}
    assert started("tokenize", workers=2, **places).wait(300) == 0
    rows = {row["key"]: row for row in parquet.read_table(tmp_path / "codes.parquet").to_pylist()}
    modaloom.tokenize(trained, folder, tmp_path / "shards")
    (shard,) = (tmp_path / "shards").glob("*.safetensors")
    tensors = load_file(shard)
    keys = json.loads((tmp_path / "shards" / "index.json").read_text())["shards"][0]["keys"]
    assert [*sorted(rows)] == [*sorted(keys)]
    for i, key in enumerate(keys):
        for name in ("image", "text"):
            there = bool(tensors[f"present.{name}"][i])
            assert rows[key][name] == (tensors[f"codes.{name}"][i].tolist() if there else None)


def test_a_killed_worker_is_replaced_and_nothing_is_lost(folder: Path, trained: Path, tmp_path: Path) -> None:
    """Oracle: the same bits as without Ray and without a kill."""
    out = tmp_path / "run"
    job = started("train", folder=str(folder), out=str(out), workers=2, **OPTIONS)
    end = time.monotonic() + 200
    while not [*out.glob("checkpoints/*/step-*")]:
        assert job.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    killed = [*workers(job.pid)]
    assert len(killed) == 2
    assert not (out / "model").exists()
    os.kill(killed[1], signal.SIGKILL)
    assert job.wait(300) == 0
    found, expected = weights(out), weights(trained)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
