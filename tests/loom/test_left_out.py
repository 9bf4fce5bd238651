"""What a training leaves out it names, and it goes on with the rest."""

import json

import numpy as np
import pytest
from PIL import Image

import modaloom.api as modaloom
from modaloom.core.errors import BadFolder, BadRun
from modaloom.loom.config import LoomRunConfig
from modaloom.runs.config_io import override

SETTINGS = (
    *("tokenizers.image.code_grid=2", "tokenizers.image.widths=[8,8]", "tokenizers.image.latent_dim=4"),
    *("tokenizers.text.vocab_size=300", "loom.width=16", "loom.num_layers=1", "loom.num_heads=2"),
    "training.precision=fp32",
)


@pytest.fixture
def folder(tmp_path):
    """Pictures with a caption and annotations that are no flat record; a song that nothing can read."""
    root, rng = tmp_path / "pairs", np.random.default_rng(0)
    root.mkdir()
    for i in range(30):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)).save(root / f"{i:02d}.png")
        (root / f"{i:02d}.txt").write_text("red" if i % 2 else "blue")
        (root / f"{i:02d}.json").write_text(json.dumps({"boxes": [[1, 2, 3, 4]], "id": i}))
    (root / "song.xyz").write_text("x")
    return root


def train(folder, out, said, **options):
    callbacks = modaloom.TrainCallbacks(notify=said.append)
    config = override(LoomRunConfig(), SETTINGS)
    return modaloom.train(folder, out=out, steps=2, config=config, samples=4, callbacks=callbacks, **options)


def test_a_stream_that_cannot_be_read_is_left_out_by_name(folder, tmp_path):
    said = []
    run = train(folder, tmp_path / "run", said)
    assert [*run.model.streams] == ["image", "text"]
    why = "column 'boxes' holds list; give a finite number, a word, a truth value or null"
    assert f"{folder}: no training sample has a readable record ({why}); it is left out" in said
    assert f"left out of {folder}: 1 files, folders or lines (song.xyz has an unknown suffix (.xyz))" in said


def test_a_stream_that_was_asked_for_is_not(folder, tmp_path):
    with pytest.raises(
        BadFolder, match=r"no training sample has a readable record \(column .*\); leave it out"
    ):
        train(folder, tmp_path / "run", [], streams=["image", "record"])
    assert not (tmp_path / "run").exists()


def test_a_run_does_not_lie_among_its_samples(folder):
    with pytest.raises(BadRun, match=r"lies in .*pairs, where its files would become samples"):
        train(folder, folder / "run", [])
    assert not (folder / "run").exists()
