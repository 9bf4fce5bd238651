"""Genes go through a training: learned with a word, drawn, cut, and written as files that are read again."""

from pathlib import Path

import numpy as np

import modaloom.api as modaloom
from modaloom.loom.config import LoomRunConfig
from modaloom.modalities import MODALITIES
from modaloom.runs.config_io import override

SMALL = (
    *("loom.width=32", "loom.num_layers=1", "loom.num_heads=2", "training.precision=fp32"),
    *("data.limits.sequence.max_letters=6", "training.loom.batch_size=16"),
)


def test_a_sequence_of_a_word_is_learned(tmp_path: Path) -> None:
    """The first letters tell the word; the rest is noise. Oracle: the rule that made the data."""
    folder, rng = tmp_path / "genes", np.random.default_rng(0)
    folder.mkdir()
    for i in range(60):
        word, start = [("ill", "ACA"), ("well", "TGT")][i % 2]
        (folder / f"{i:02d}.gene.fa").write_text(f">{i}\n{start}{''.join(rng.choice([*'ACGT'], 5))}\n")
        (folder / f"{i:02d}.txt").write_text(f"{word}\n")
    said: list[str] = []
    run = modaloom.train(
        folder,
        out=tmp_path / "run",
        steps=150,
        config=override(LoomRunConfig(), SMALL),
        callbacks=modaloom.TrainCallbacks(notify=said.append),
    )
    assert any("gene" in line and "cut after 6 letters" in line for line in said)
    drawn = [*modaloom.generate(run, given={"text": "ill"}, want=["gene"], out=tmp_path / "drawn", n=4)]
    files = sorted((tmp_path / "drawn").glob("*.gene.fasta"))
    values = [MODALITIES["sequence"].read(file) for file in files]
    assert values == [sample.streams["gene"] for sample in drawn]
    assert sum(value.startswith("ACA") for value in values) >= 3
    words = run.generate(given={"gene": "tgtRRR"}, want=["text"], n=4, seed=0)
    assert sum(sample["text"] == "well" for sample in words) >= 3
