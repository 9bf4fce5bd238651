"""Checkpoints: there and back, and every way in which a file can rot."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.distributed.checkpoint as dcp

from modaloom.core.errors import BadFile, WorkFailed
from modaloom.runs import checkpoint as module
from modaloom.runs.checkpoint import Checkpoint, load, newest, save

FILES = ("weights.safetensors", "optimizer.safetensors", "state.json", "manifest.json")


def made(step: int) -> Checkpoint:
    draw = torch.Generator().manual_seed(step)
    weights = {
        "w": torch.randn(40, 3, generator=draw),
        "n": torch.tensor(step),
        "on": torch.tensor([True, False]),
    }
    half = {"m": torch.randn(5, generator=draw).bfloat16(), "t": torch.randn(4, 6, generator=draw).T}
    return Checkpoint(step, {"weights": weights, "optimizer": half}, {"step": step, "name": "größe"})


def same(a: Checkpoint | None, b: Checkpoint) -> bool:
    assert a is not None
    assert (a.step, a.state, a.tensors.keys()) == (b.step, b.state, b.tensors.keys())
    pairs = [(a.tensors[f], b.tensors[f]) for f in a.tensors]
    return all(x.keys() == y.keys() and all(torch.equal(x[n], y[n]) for n in x) for x, y in pairs)


def test_there_and_back(tmp_path: Path) -> None:
    path = save(tmp_path, made(12))
    assert path.name == "step-000012"
    assert sorted(os.listdir(path)) == sorted(FILES)
    assert same(load(path), made(12))


@pytest.mark.parametrize("name", ["weights", "optimizer"])
@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
def test_torch_distributed_checkpoint_reads_a_file(tmp_path: Path, name: str) -> None:
    """In any process group; in tensors of its own, which may be divided."""
    path, alone = save(tmp_path, made(12)), tmp_path / "alone"
    alone.mkdir()
    shutil.copy(path / f"{name}.safetensors", alone)
    expected = made(12).tensors[name]
    read = {key: torch.zeros_like(tensor) for key, tensor in expected.items()}
    dcp.load(read, storage_reader=dcp.HuggingFaceStorageReader(str(alone)), no_dist=True)
    assert all(torch.equal(read[key], tensor) for key, tensor in expected.items())


def test_tied_tensors_can_be_saved(tmp_path: Path) -> None:
    w = torch.randn(3)
    assert torch.equal(load(save(tmp_path, Checkpoint(1, {"x": {"a": w, "b": w}}))).tensors["x"]["b"], w)


def test_nothing_there(tmp_path: Path) -> None:
    assert newest(tmp_path / "none") == module.Found(None, ())


def test_the_last_two_stay(tmp_path: Path) -> None:
    for step in (1, 2, 3, 10, 1_000_000):
        save(tmp_path, made(step))
    assert sorted(os.listdir(tmp_path)) == ["step-000010", "step-1000000"]
    assert same(newest(tmp_path).checkpoint, made(1_000_000))


ROT: dict[str, Callable[[bytes], bytes | None]] = {
    "first bit": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "middle bit": lambda data: (
        data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 4]) + data[len(data) // 2 + 1 :]
    ),
    "last bit": lambda data: data[:-1] + bytes([data[-1] ^ 64]),
    "cut": lambda data: data[:-1],
    "half": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "zeros": lambda data: bytes(len(data)),
    "longer": lambda data: data + b"\0",
    "missing": lambda data: None,
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("rot", ROT)
def test_rot_is_found_and_said(tmp_path: Path, file: str, rot: str) -> None:
    save(tmp_path, made(1))
    path = save(tmp_path, made(2)) / file
    data = ROT[rot](path.read_bytes())
    path.unlink() if data is None else path.write_bytes(data)
    found = newest(tmp_path)
    assert same(found.checkpoint, made(1))
    assert len(found.damaged) == 1
    assert "step-000002" in found.damaged[0]
    if file != "manifest.json":
        assert file in found.damaged[0]


def test_every_bit_of_a_small_checkpoint(tmp_path: Path) -> None:
    path = save(tmp_path, Checkpoint(1, {"w": {"x": torch.arange(3.0)}}, {"step": 1}))
    for file in path.iterdir():
        data = file.read_bytes()
        for bit in range(0, 8 * len(data), 3):
            byte = bit // 8
            file.write_bytes(data[:byte] + bytes([data[byte] ^ 1 << bit % 8]) + data[byte + 1 :])
            with pytest.raises(BadFile):
                load(path)
        file.write_bytes(data)
    load(path)


def test_a_stranger_in_the_folder_is_found(tmp_path: Path) -> None:
    path = save(tmp_path, made(1))
    (path / "extra.safetensors").write_bytes(b"x")
    with pytest.raises(BadFile, match=r"extra\.safetensors.*manifest"):
        load(path)


def test_all_damaged(tmp_path: Path) -> None:
    for step in (1, 2):
        (save(tmp_path, made(step)) / "state.json").unlink()
    found = newest(tmp_path)
    assert found.checkpoint is None
    assert len(found.damaged) == 2


def test_going_on_from_the_previous_one_replaces_the_damaged(tmp_path: Path) -> None:
    for step in (1, 2, 5):
        path = save(tmp_path, made(step))
    (path / "state.json").unlink()
    save(tmp_path, made(3))
    assert sorted(os.listdir(tmp_path)) == ["step-000002", "step-000003"]
    (tmp_path / "step-000003" / "state.json").unlink()
    save(tmp_path, made(3))
    assert same(newest(tmp_path).checkpoint, made(3))


def test_a_disk_that_lies_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new one is read back before the old ones go."""
    for step in (1, 2):
        save(tmp_path, made(step))
    honest = module.write_folder

    def lying(path: Path, files: dict[str, bytes]) -> None:
        honest(path, {**files, "weights.safetensors": b"\0" * len(files["weights.safetensors"])})

    monkeypatch.setattr(module, "write_folder", lying)
    with pytest.raises(WorkFailed, match=r"weights|read back"):
        save(tmp_path, made(3))
    assert sorted(os.listdir(tmp_path)) == ["step-000001", "step-000002"]
    assert same(newest(tmp_path).checkpoint, made(2))


def test_a_pickle_by_another_name_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, made(1))
    torch.save({"w": torch.ones(2)}, path / "weights.safetensors")
    manifest = path / "manifest.json"
    text = manifest.read_text()
    old = text.split('"weights.safetensors": "')[1][:64]
    manifest.write_text(text.replace(old, module.digest((path / "weights.safetensors").read_bytes())))
    with pytest.raises(BadFile, match="not a checkpoint"):
        load(path)
