"""Every stream has its own tokenizer configuration, and may start as another run's tokenizer."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import modaloom.api as modaloom
from modaloom.core.errors import BadRun, BadValue
from modaloom.loom.config import LoomRunConfig
from modaloom.runs.config_io import override
from modaloom.runs.model import load_model

SMALL = (
    *("tokenizers.image.codebook_size=8", "tokenizers.image.widths=[8,8]", "tokenizers.image.latent_dim=4"),
    *(
        "tokenizers.image.code_grid=2",
        "loom.width=16",
        "loom.num_layers=1",
        "loom.num_heads=2",
        "loom.sampling.steps=4",
    ),
    *("training.tokenizer.batch_size=8", "training.loom.batch_size=8", "training.precision=fp32"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise with an inverted copy, both 8 × 8, and a word."""
    root, rng = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for i in range(30):
        pixels = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(root / f"{i:02d}.png")
        Image.fromarray(255 - pixels).save(root / f"{i:02d}.scan.png")
        (root / f"{i:02d}.txt").write_text("bright" if pixels.mean() > 127 else "dark")
    return root


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "first"
    modaloom.train(
        folder, out=out, steps=3, config=override(LoomRunConfig(), SMALL), streams=["image", "text"]
    )
    return out


def tensors(run: Path, part: str) -> dict[str, torch.Tensor]:
    return dict(load_model(run / "model").parts[part].tensors)


def test_streams_of_other_options_have_tokenizers_of_their_own(folder: Path, tmp_path: Path) -> None:
    config = override(LoomRunConfig(), [*SMALL, "streams.scan.tokenizer.codebook_size=4"])
    run = modaloom.train(folder, out=tmp_path / "run", steps=1, config=config)
    sizes = {name: shape.codebook_size for name, shape in run.model.loom.shapes.items()}
    assert (sizes["image"], sizes["scan"]) == (8, 4)
    assert run.model.streams["image"].tokenizer is not run.model.streams["scan"].tokenizer


@pytest.mark.parametrize("frozen", [True, False])
def test_a_tokenizer_of_another_run_is_kept_or_trained_on(
    frozen: bool, folder: Path, trained: Path, tmp_path: Path
) -> None:
    start = [
        f"streams.image.tokenizer.from={trained}",
        f"streams.image.tokenizer.frozen={str(frozen).lower()}",
    ]
    config = override(LoomRunConfig(), [*SMALL, *start])
    out, streams = tmp_path / "run", ["image", "text"]
    run = modaloom.train(folder, out=out, steps=2, config=config, streams=streams)
    before, after = tensors(trained, "image"), tensors(out, "image")
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before) == frozen
    assert set(run.run.training.steps) == ({"loom"} if frozen else {"image", "loom"})
    small = modaloom.export(out, out=tmp_path / "small")
    assert all(str(tmp_path) not in path.read_text() for path in small.rglob("*.json"))
    assert all(str(trained) not in path.read_text() for path in small.rglob("*.json"))
    kept = modaloom.load(small).run.streams["image"]
    assert kept == {"tokenizer.from": trained.name, "tokenizer.frozen": frozen}


def test_a_start_that_does_not_fit_is_refused(folder: Path, trained: Path, tmp_path: Path) -> None:
    def start(*settings: str) -> None:
        config = override(LoomRunConfig(), [*SMALL, *settings])
        modaloom.train(folder, out=tmp_path / "run", steps=1, config=config)

    with pytest.raises(BadValue, match=r"unknown stream of .*first 'scan'"):
        start(f"streams.scan.tokenizer.from={trained}")
    with pytest.raises(BadRun, match="is no run folder"):
        start("streams.image.tokenizer.from=nowhere")
    with pytest.raises(BadValue, match="a tokenizer of kind vqvae for image, not bpe"):
        start(f"streams.image.tokenizer.from={trained}", "streams.image.tokenizer=bpe")
    assert not (tmp_path / "run").exists()


def test_settings_of_a_stream_that_is_not_there_are_refused(folder: Path, tmp_path: Path) -> None:
    config = override(LoomRunConfig(), [*SMALL, "streams.scann.tokenizer.codebook_size=4"])
    with pytest.raises(BadValue, match=r"unknown stream 'scann' \(did you mean 'scan'\?\); allowed: image"):
        modaloom.train(folder, out=tmp_path / "run", steps=1, config=config)
    assert not (tmp_path / "run").exists()
