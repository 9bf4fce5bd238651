"""Runs in the layout of huggingface_hub's `PyTorchModelHubMixin`, written and read without a network."""

import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import torch as safetensors
from torch import Tensor, nn

import modaloom
from modaloom.core.errors import BadFolder, BadRun


@pytest.fixture(scope="module")
def run() -> modaloom.TrainedRun:
    found = modaloom.load("demo")
    assert isinstance(found, modaloom.TrainedRun)
    return found


@pytest.fixture(scope="module")
def saved(run: modaloom.TrainedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hub") / "saved"
    run.save_pretrained(out)
    return out


def modules(run: Any) -> dict[str, nn.Module]:
    """Part → module, of the parts with weights."""
    return {"loom": run.model.loom, "image": run.model.streams["image"].tokenizer}


def tensors(run: modaloom.TrainedRun) -> dict[str, Tensor]:
    return {f"{part}.{n}": t for part, one in modules(run).items() for n, t in one.state_dict().items()}


def test_what_is_written_is_read_to_the_bit_without_a_network(
    run: modaloom.TrainedRun, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", None)
    found = modaloom.from_pretrained(saved)
    assert isinstance(found, modaloom.TrainedRun)
    assert (found.hash, found.run) == (run.hash, run.run.portable())
    ours, theirs = tensors(run), tensors(found)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    asked: dict[str, Any] = {"want": "caption", "n": 2, "seed": 3, "steps": 2}
    assert [s["caption"] for s in run.generate(**asked)] == [s["caption"] for s in found.generate(**asked)]


def test_the_mixin_itself_writes_this_layout_and_loads_it(run: modaloom.TrainedRun, saved: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")

    class Parts(nn.Module, hub.PyTorchModelHubMixin):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            for name, module in modules(modaloom.load("demo")).items():
                self.add_module(name, module)
            for tensor in self.state_dict().values():
                tensor.zero_()

    loaded = Parts.from_pretrained(saved, strict=True)
    assert all(torch.equal(tensor, tensors(run)[name]) for name, tensor in loaded.state_dict().items())
    theirs = saved.parent / "theirs"
    loaded.save_pretrained(theirs)
    assert {"README.md", "config.json", "model.safetensors"} == {path.name for path in theirs.iterdir()}
    assert {path.name for path in saved.iterdir()} > {path.name for path in theirs.iterdir()}
    names = [set(safetensors.load_file(path / "model.safetensors")) for path in (saved, theirs)]
    assert names[0] == names[1]


def test_it_is_a_run_like_another(saved: Path, tmp_path: Path) -> None:
    again = modaloom.from_pretrained(saved)
    again.save_pretrained(tmp_path / "again")
    assert {p.name: p.read_bytes() for p in saved.iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "again").iterdir()
    }
    small = modaloom.export(saved, out=tmp_path / "small")
    assert modaloom.load(small).hash == again.hash  # the bundled run is in 16 bits


@pytest.mark.parametrize("name", ["demo", "somebody/some-model", "no/such/folder"])
def test_a_name_that_is_no_local_directory_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(socket, "socket", None)
    with pytest.raises(BadRun, match=f"^{name} is no local directory, and modaloom downloads nothing"):
        modaloom.from_pretrained(name)


def test_what_is_damaged_or_in_the_way_is_refused(
    run: modaloom.TrainedRun, saved: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadFolder, match="is not empty"):
        run.save_pretrained(saved)
    with pytest.raises(BadRun, match="is no run folder"):
        modaloom.from_pretrained(tmp_path)
    run.save_pretrained(tmp_path / "hub")
    weights = tmp_path / "hub" / "model.safetensors"
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(BadRun, match="is damaged"):
        modaloom.from_pretrained(tmp_path / "hub")


@pytest.mark.parametrize("place", [".", "../saved", None])
def test_the_card_stays_the_same_from_wherever_the_run_is_named(
    place: str | None, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is named by "." has that name in every number of its card."""
    run = tmp_path / "run"
    shutil.copytree(saved, run)
    card = (saved / "README.md").read_text() + f"\n--out {run}-again --config {run}/config.json '{run}'\n"
    (run / "README.md").write_text(card)
    monkeypatch.chdir(run)
    modaloom.load(run if place is None else place.replace("saved", "run")).save_pretrained(tmp_path / "out")
    assert (tmp_path / "out" / "README.md").read_text() == card.replace(str(run), "run")


def test_the_folder_of_another_program_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"PK")
    with pytest.raises(BadRun, match=r"is no run of modaloom: its config\.json is of another program"):
        modaloom.from_pretrained(tmp_path)
