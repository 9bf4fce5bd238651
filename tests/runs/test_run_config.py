"""The Run tree itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from modaloom.core.errors import BadFile, BadValue
from modaloom.engines import load_config
from modaloom.loom.config import LoomRunConfig, TokenizerChoice
from modaloom.runs.config_io import from_plain, override, to_plain
from modaloom.tokenizers.bpe import BPEConfig
from modaloom.tokenizers.vqvae import VQVAEConfig


def test_json_rebuilds_the_run() -> None:
    run = override(
        LoomRunConfig(), ["seed=3", "training.steps.loom=40", "data.streams=['image']", "loom.width=64"]
    )
    assert run.data.streams == ("image",)
    assert from_plain(LoomRunConfig, json.loads(json.dumps(to_plain(run)))) == run != LoomRunConfig()


def test_a_quantizer_is_chosen_by_settings() -> None:
    settings = [
        "tokenizers.image.quantizer=fsq",
        "tokenizers.image.levels=[8, 5]",
        "tokenizers.image.groups=2",
        "tokenizers.image.growth.initial_codes=16",
    ]
    run = override(LoomRunConfig(), settings)
    options = run.tokenizer_of("image", "image").options
    assert (options.quantizer, options.levels, options.groups) == ("fsq", (8, 5), 2)
    assert options.growth == replace(VQVAEConfig().growth, initial_codes=16)
    assert from_plain(LoomRunConfig, json.loads(json.dumps(to_plain(run)))) == run
    with pytest.raises(BadValue, match="dropout is 2"):
        override(LoomRunConfig(), ["tokenizers.image.dropout=2"])
    with pytest.raises(BadValue, match=r"growth\.doubling_steps is 0"):
        override(LoomRunConfig(), ["tokenizers.image.growth.doubling_steps=0"])


def test_a_run_saved_without_some_settings_has_their_defaults() -> None:
    plain = to_plain(LoomRunConfig())
    del plain["tokenizers"], plain["streams"], plain["loom"]["mixture"]
    assert from_plain(LoomRunConfig, plain) == LoomRunConfig()


def test_limits_are_those_of_a_modality() -> None:
    run = override(LoomRunConfig(), ["data.limits.image.max_side=48", "data.limits.record.max_bins=8"])
    assert from_plain(LoomRunConfig, json.loads(json.dumps(to_plain(run)))) == run
    limits_of = run.data.limits_of
    assert [limits_of("image").max_side, limits_of("text").max_tokens, limits_of("record").max_bins] == [
        *(48, 64, 8)
    ]
    assert override(run, ["data.limits.image.max_side=16"]).data.limits_of("image").max_side == 16


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("data.limits.image.max_sides=8", r"data\.limits\.image: .*max_sides.*did you mean 'max_side'"),
        ("data.limits.image.max_side=0", r"data\.limits\.image: max_side is 0; it must be at least 1"),
        ("data.limits.image.max_side=big", r"data\.limits\.image: max_side is 'big'"),
        ("data.limits.imag.max_side=8", r"data\.limits\.imag'.*did you mean 'data\.limits\.image'"),
        ("data.limits.side=8", r"data\.limits\.image\.max_side"),
    ],
)
def test_limits_that_a_modality_does_not_have_are_named(setting: str, message: str) -> None:
    with pytest.raises(BadValue, match=message):
        override(LoomRunConfig(), [setting])


def test_augmentations_are_those_of_the_modalities() -> None:
    run = override(LoomRunConfig(), ["training.augment.shift=0.125", "training.variants=4"])
    assert (run.training.augment, run.training.variants) == ({"shift": 0.125}, 4)
    assert from_plain(LoomRunConfig, json.loads(json.dumps(to_plain(run)))) == run
    assert LoomRunConfig().training.augment == {}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("augment.shft=0.1", r"'shft' \(did you mean 'shift'\?\); allowed: brightness, dropout, flip, shift"),
        ("augment.shift=2", r"augment\.shift is 2; it must be at least 0 and at most 1"),
        ("augment.dropout=often", r"augment\.dropout is 'often'"),
        ("variants=0", "variants is 0; it must be at least 1"),
    ],
)
def test_augmentations_that_cannot_be(setting: str, words: str) -> None:
    with pytest.raises(BadValue, match=words):
        override(LoomRunConfig(), [f"training.{setting}"])


def test_a_stream_has_its_own_tokenizer() -> None:
    settings = [
        "tokenizers.image.codebook_size=32",
        "streams.scan.tokenizer.codebook_size=64",
        "streams.note.tokenizer=bpe",
        "streams.photo.tokenizer.from=runs/a",
        "streams.photo.tokenizer.frozen=true",
    ]
    run = override(LoomRunConfig(), settings)
    assert from_plain(LoomRunConfig, json.loads(json.dumps(to_plain(run)))) == run
    assert run.tokenizer_of("image", "image").options.codebook_size == 32
    assert run.tokenizer_of("scan", "image").options.codebook_size == 64
    assert run.tokenizer_of("note", "text") == TokenizerChoice("bpe", BPEConfig())
    photo = run.tokenizer_of("photo", "image")
    assert (photo.source, photo.frozen) == ("runs/a", True)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("streams.scan.tokenizer.frozen=true", r"frozen needs streams.scan.tokenizer.from=RUN"),
        ("streams.scan.tokenizer=vqgan", "unknown tokenizer 'vqgan'"),
        ("streams.scan.tokenizer.codebok=3", "did you mean 'codebook'"),
    ],
)
def test_a_tokenizer_that_cannot_be(setting: str, words: str) -> None:
    with pytest.raises(BadValue, match=words):
        override(LoomRunConfig(), [setting]).tokenizer_of("scan", "image")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("streams.scan.colour=3", "unknown setting 'streams.scan.colour'"),
        ("streams.scan.tokenizer.frozen=3", "frozen is 3; give a bool"),
        ("tokenizers.imge.codebook_size=3", "did you mean 'image'"),
        ("vqvae.size=512", "'vqvae' is now called 'tokenizers.image'"),
        ("loom.depth=6", r"'loom\.depth' is now called 'loom\.num_layers'"),
        ("tokenizers.image.size=512", "'size' is now called 'codebook_size'"),
        ("loom.sampling.jitter=1", "is now called 'loom.sampling.choice_temperature'"),
        ("loom.sampling.sampler=confidence", "'confidence' is now called 'maskgit'"),
    ],
)
def test_wrong_and_old_names(setting: str, words: str) -> None:
    with pytest.raises(BadValue, match=words):
        override(LoomRunConfig(), [setting])


def test_toml(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("seed = 5\n[training.loom]\nbatch_size = 8\n[training.steps]\nloom = 30\n")
    assert load_config(path) == override(
        LoomRunConfig(), ["seed=5", "training.loom.batch_size=8", "training.steps.loom=30"]
    )


def test_json_such_as_a_run_folders(tmp_path: Path) -> None:
    run = override(LoomRunConfig(), ["seed=5", "loom.width=64"])
    (tmp_path / "config.json").write_text(json.dumps(to_plain(run)))
    assert load_config(tmp_path / "config.json") == run


@pytest.mark.parametrize("name", ["run.toml", "run.json"])
@pytest.mark.parametrize("content", [b"seed = ", b"\xff\xfe"])
def test_a_file_that_is_none(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadFile, match=name):
        load_config(path)
    with pytest.raises(BadFile, match="No such file"):
        load_config(tmp_path / "other.toml")


def test_a_list_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[1]")
    with pytest.raises(BadFile, match="holds a JSON list"):
        load_config(tmp_path / "run.json")


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
        "version=1",
        "tokenizers.text.vocab_size=9",
        "training.checkpoint_seconds=-1",
        "training.loom.matrix_learning_rate=-1",
        "training.loom.decay=step",
        "training.loom.weight_decay=-1",
        "training.precision=fp8",
        "training.threads.loom=[[0, 0]]",
        "loom.num_heads=0",
        "loom.num_heads=7",
    ],
)
def test_out_of_range(setting: str) -> None:
    name = setting.partition("=")[0].rpartition(".")[2]
    with pytest.raises(BadValue, match=name):
        override(LoomRunConfig(), [setting])
