"""The Run tree itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from modaloom.core.errors import BadFile, BadValue
from modaloom.runs.config import Run, from_dict, load_file, override, to_dict


def test_json_rebuilds_the_run() -> None:
    run = override(Run(), ["seed=3", "training.steps.loom=40", "data.streams=['image']", "loom.width=64"])
    assert run.data.streams == ("image",)
    assert from_dict(json.loads(json.dumps(to_dict(run)))) == run != Run()


def test_a_quantizer_is_chosen_by_settings() -> None:
    settings = [
        "vqvae.quantizer=fsq",
        "vqvae.levels=[8, 5]",
        "vqvae.groups=2",
        "vqvae.growth.initial_codes=16",
    ]
    run = override(Run(), settings)
    assert (run.vqvae.quantizer, run.vqvae.levels, run.vqvae.groups) == ("fsq", (8, 5), 2)
    assert run.vqvae.growth == replace(Run().vqvae.growth, initial_codes=16)
    assert from_dict(json.loads(json.dumps(to_dict(run)))) == run
    with pytest.raises(BadValue, match="dropout is 2"):
        override(Run(), ["vqvae.dropout=2"])
    with pytest.raises(BadValue, match=r"growth\.doubling_steps is 0"):
        override(Run(), ["vqvae.growth.doubling_steps=0"])


def test_a_run_saved_without_these_settings_has_their_defaults() -> None:
    plain = to_dict(Run())
    old = (
        "code_grid",
        "widths",
        "num_res_blocks",
        "latent_dim",
        "quantizer",
        "codebook_size",
        "num_quantizers",
        "commitment",
        "augment_prob",
    )
    plain["vqvae"] = {name: plain["vqvae"][name] for name in old}
    assert from_dict(plain) == Run()


def test_toml(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("seed = 5\n[training.loom]\nbatch_size = 8\n[training.steps]\nloom = 30\n")
    assert load_file(path) == override(
        Run(), ["seed=5", "training.loom.batch_size=8", "training.steps.loom=30"]
    )


def test_json_such_as_a_run_folders(tmp_path: Path) -> None:
    run = override(Run(), ["seed=5", "loom.width=64"])
    (tmp_path / "config.json").write_text(json.dumps(to_dict(run)))
    assert load_file(tmp_path / "config.json") == run


@pytest.mark.parametrize("name", ["run.toml", "run.json"])
@pytest.mark.parametrize("content", [b"seed = ", b"\xff\xfe"])
def test_a_file_that_is_none(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadFile, match=name):
        load_file(path)
    with pytest.raises(BadFile, match="No such file"):
        load_file(tmp_path / "other.toml")


def test_a_list_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[1]")
    with pytest.raises(BadValue, match=r"\[1\]"):
        load_file(tmp_path / "run.json")


@pytest.mark.parametrize(
    "setting",
    [
        "training.minutes=0",
        "training.minutes=NaN",
        "training.loom.batch_size=0",
        "training.steps.loom=0",
        "seed=-1",
        "training.ema_decay=1.5",
        "training.log_every=0",
        "training.loom.warmup=2",
        "training.loom.max_grad_norm=0",
        "training.loom.learning_rate=0",
        "training.loom.learning_rate=inf",
        "version=2",
        "bpe.vocab_size=9",
        "training.checkpoint_seconds=-1",
        "training.loom.matrix_learning_rate=-1",
        "training.loom.decay=step",
        "training.loom.weight_decay=-1",
        "training.precision=fp8",
    ],
)
def test_out_of_range(setting: str) -> None:
    name = setting.partition("=")[0].rpartition(".")[2]
    with pytest.raises(BadValue, match=name):
        override(Run(), [setting])
