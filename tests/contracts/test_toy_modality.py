"""A new modality is one value in one table: it is read, tokenized, learned, drawn, written and scored."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

import modaloom.api as modaloom
from modaloom.core.errors import BadFile, BadValue
from modaloom.loom.config import CodeSamplingConfig, LoomRunConfig
from modaloom.modalities import MODALITIES, DataSpec, Modality, SignalCodec
from modaloom.restorer.config import RestorerRunConfig
from modaloom.runs.config_io import override

LENGTH = 16
SHAPES = {"rise": np.linspace(-1, 1, LENGTH), "fall": np.linspace(1, -1, LENGTH), "rest": np.zeros(LENGTH)}


def _numbers(text: str) -> np.ndarray:
    try:
        values = np.array(text.split(), np.float32)
    except ValueError as error:
        raise BadValue(f"{text!r} are no numbers") from error
    if values.shape != (LENGTH,):
        raise BadValue(f"{len(values)} numbers; a signal has {LENGTH}")
    return values


def _read(path: Path) -> np.ndarray:
    try:
        return _numbers(path.read_text())
    except (OSError, ValueError) as error:
        raise BadFile(path, str(error)) from error


def _write(value: np.ndarray, path: Path) -> None:
    path.write_text(" ".join(f"{number:.4f}" for number in value) + "\n")


def _coerce(value: object) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    raise BadValue(f"{type(value).__name__} is no signal; give an array")


@dataclass(frozen=True)
class SignalLimits:
    max_length: int = LENGTH


def _infer_spec(values: Sequence[np.ndarray], limits: SignalLimits) -> DataSpec:
    return {"size": [min(LENGTH, limits.max_length)], "channels": 1}


def _compare(generated: np.ndarray, truth: np.ndarray, spec: DataSpec) -> Mapping[str, float]:
    return {"mse": float(np.square(generated - truth).mean())}


def _loss(reconstruction: Tensor, signal: Tensor) -> Tensor:
    return (reconstruction - signal).square().flatten(1).mean(1)


def _pack(value: np.ndarray, spec: DataSpec) -> np.ndarray:
    return value[None].astype(np.float32)


def _unpack(packed: np.ndarray, spec: DataSpec) -> np.ndarray:
    return packed[0]


SIGNAL = Modality(
    name="signal",
    suffixes=("sig",),
    tokenizer="vqvae",
    read=_read,
    write=_write,
    coerce=_coerce,
    infer_spec=_infer_spec,
    compare=_compare,
    to_html=lambda value, spec: html.escape(str(value.tolist())),
    codec=SignalCodec(
        pack=_pack,
        unpack=_unpack,
        to_array=lambda value: value[None].astype(np.float32),
        from_array=lambda packed, facts: packed[0],
        normalize=lambda packed: packed.float(),
        denormalize=lambda signal: signal.clamp(-1, 1),
        loss=_loss,
    ),
    limits=SignalLimits(),
)
SMALL = (
    *(
        "tokenizers.signal.codebook_size=8",
        "tokenizers.signal.num_quantizers=1",
        "tokenizers.signal.widths=[16,16]",
        "tokenizers.signal.latent_dim=8",
    ),
    *("loom.width=32", "loom.num_layers=1", "loom.num_heads=2", "loom.sampling.steps=4"),
    *("training.tokenizer.batch_size=16", "training.loom.batch_size=16", "training.precision=fp32"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """40 signals with their words; the modality is in the table while the test runs."""
    monkeypatch.setitem(MODALITIES, SIGNAL.name, SIGNAL)
    root, rng = tmp_path / "pairs", np.random.default_rng(0)
    root.mkdir()
    for i in range(40):
        word = [*SHAPES][i % len(SHAPES)]
        _write(SHAPES[word] * rng.uniform(0.7, 1), root / f"{i:02d}.sig")
        (root / f"{i:02d}.txt").write_text(f"{word}\n")
    return root


def test_a_modality_is_one_value_in_one_table(folder: Path, tmp_path: Path) -> None:
    assert modaloom.inspect(folder).streams["signal"].count == 40
    steps = {"signal": 20, "loom": 20}
    run = modaloom.train(folder, out=tmp_path / "run", steps=steps, config=override(LoomRunConfig(), SMALL))
    ways = [({"text": "rise"}, "signal"), ({"signal": folder / "00.sig"}, "text")]
    for given, want in ways:
        drawn = [*modaloom.generate(run.path, given=given, want=[want], out=tmp_path / want, n=2)]
        assert [set(sample.streams) for sample in drawn] == [{want}, {want}]
    values = [_read(path) for path in sorted((tmp_path / "signal").glob("*.signal.sig"))]
    assert len(values) == 2
    assert np.abs(values).max() <= 1
    rows = modaloom.evaluate(tmp_path / "run", folder, n=4)
    assert {(row.row, row.metric) for row in rows} >= {("text->signal", "mse"), ("signal->text", "exact")}
    page = (tmp_path / "run" / "report.html").read_text()
    assert "signal → text" in page


def test_its_signals_can_be_restored_too(folder: Path, tmp_path: Path) -> None:
    """Over one axis: noise is taken away, and every task that any signal can have is learned."""
    small = (
        "restorer.local.width=16",
        "restorer.local.num_res_blocks=1",
        "restorer.crop_sizes=[16]",
        "restorer.unet.groups=4",
    )
    config = override(RestorerRunConfig(), [*small, 'data.streams=["signal"]', "restorer.unet.widths=[8,8]"])
    run = modaloom.train(folder, out=tmp_path / "denoise", task="denoise", steps=150, config=config)
    rows = {row.metric: row for row in modaloom.evaluate(run, folder)}
    assert rows["mse"].value < 0.8 * rows["mse"].floor
    noisy = SHAPES["rise"] * 0.8 + np.random.default_rng(0).normal(0, 0.2, LENGTH)
    _write(noisy.clip(-1, 1), tmp_path / "noisy.sig")
    (found,) = modaloom.restore(run.path, [tmp_path / "noisy.sig"], out=tmp_path / "restored")
    assert found == tmp_path / "restored" / "noisy.sig"
    assert _nearest(_read(found)) == "rise"
    for task in ("inpaint", "vary", "generate"):
        modaloom.train(folder, out=tmp_path / task, task=task, steps=2, config=config)


@pytest.mark.full
def test_it_is_learned(folder: Path, tmp_path: Path) -> None:
    steps = {"signal": 300, "loom": 1200}
    run = modaloom.train(folder, out=tmp_path / "run", steps=steps, config=override(LoomRunConfig(), SMALL))
    options: dict[str, Any] = vars(CodeSamplingConfig(temperature=0.5))
    for word, shape in SHAPES.items():
        value = _nearest(run.generate({"text": word}, ["signal"], n=1, **options)[0]["signal"])
        assert value == word
        assert run.generate({"signal": shape * 0.85}, ["text"], n=1, **options)[0]["text"] == word


def _nearest(value: np.ndarray) -> str:
    return min(SHAPES, key=lambda word: float(np.square(SHAPES[word] * 0.85 - value).mean()))
