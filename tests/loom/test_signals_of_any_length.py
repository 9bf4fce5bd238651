"""Signals of which every one has its own length: only its own codes exist, and the length is generated."""

import html
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

import modaloom.api as modaloom
from modaloom.core.errors import BadFile, BadValue
from modaloom.core.types import CodeShape
from modaloom.loom.config import LoomRunConfig
from modaloom.modalities import MODALITIES, DataSpec, Modality, SignalCodec
from modaloom.runs.config_io import override
from modaloom.tokenizers.lengths import join_lengths, split_lengths
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer

STRIDE, LONGEST = 4, 40


def _read(path: Path) -> np.ndarray:
    try:
        return np.array(path.read_text().split(), np.float32)
    except (OSError, ValueError) as error:
        raise BadFile(path, str(error)) from error


def _coerce(value: object) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    raise BadValue(f"{type(value).__name__} is no line; give an array")


@dataclass(frozen=True)
class LineLimits:
    max_length: int = LONGEST


def _spec(values: object, limits: LineLimits) -> DataSpec:
    return {"size": [min(limits.max_length, max(len(v) for v in values))], "channels": 1}  # type: ignore[attr-defined]


LINE = Modality(
    name="line",
    suffixes=("line",),
    tokenizer="vqvae",
    read=_read,
    write=lambda value, path: path.write_text(" ".join(f"{number:.4f}" for number in value)) and None,
    coerce=_coerce,
    infer_spec=_spec,
    compare=lambda generated, truth, spec: {"length_error": abs(len(generated) - len(truth))},
    to_html=lambda value, spec: html.escape(str(value.tolist())),
    codec=SignalCodec(
        pack=lambda value, spec: value[None, : spec["size"][0]].astype(np.float32),
        unpack=lambda packed, spec: packed[0],
        to_array=lambda value: value[None].astype(np.float32),
        from_array=lambda packed, facts: packed[0],
        normalize=lambda packed: packed.float(),
        denormalize=lambda signal: signal.clamp(-1, 1),
    ),
    limits=LineLimits(),
    tokenizer_options={"strides": [STRIDE], "crop_size": [8], "variable_length": True, "codebook_size": 8}
    | {"num_quantizers": 2, "widths": [8, 8], "latent_dim": 4},
)
SMALL = (
    *(
        "loom.width=32",
        "loom.num_layers=2",
        "loom.num_heads=2",
        "loom.sampling.steps=4",
        "training.precision=fp32",
    ),
    *("training.tokenizer.batch_size=16", "training.loom.batch_size=16"),
)
LENGTHS = {"short": 6, "long": 37}


def lines(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(n)
    return [np.sin(np.arange(k) / 3).astype(np.float32) for k in rng.integers(1, LONGEST + 1, n)]


@pytest.fixture
def tokenizer(monkeypatch: pytest.MonkeyPatch) -> VQVAETokenizer:
    monkeypatch.setitem(MODALITIES, LINE.name, LINE)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        options = LoomRunConfig().tokenizer_of("line", "line").options
        group = VQVAETokenizer.fit(LINE, {"line": [np.zeros(LONGEST, np.float32)]}, LINE.limits, options)
    return group[0]["line"].eval()


def test_options_of_a_modality_are_below_those_of_a_run(tokenizer: VQVAETokenizer) -> None:
    assert (tokenizer.config.codebook_size, tokenizer.config.commitment) == (8, VQVAEConfig().commitment)
    run = override(LoomRunConfig(), ["tokenizers.line.codebook_size=16"])
    assert run.tokenizer_of("line", "line").options.codebook_size == 16
    assert run.tokenizer_of("line", "line").options.strides == (STRIDE,)


def test_a_signal_has_a_code_for_every_stride_that_it_touches(tokenizer: VQVAETokenizer) -> None:
    values = lines(9)
    codes = tokenizer.encode(values)
    assert codes.shape == (9, LONGEST // STRIDE, 2)
    for value, row in zip(values, codes):
        n = -(-len(value) // STRIDE)
        assert (row[:n] < 8).all()
        assert (row[n:] == tokenizer.shape.padding).all()
    assert [len(value) for value in tokenizer.decode(codes)] == [
        -(-len(v) // STRIDE) * STRIDE for v in values
    ]


def test_codes_do_not_depend_on_the_others_of_a_batch(tokenizer: VQVAETokenizer) -> None:
    values = lines(6)
    whole = tokenizer.encode(values)
    for value, row in zip(values, whole):
        assert torch.equal(tokenizer.encode([value])[0], row)
        rebuilt, alone = tokenizer.decode(whole)[0], tokenizer.decode(whole[:1])[0]
        assert np.array_equal(rebuilt, alone)


def test_signals_of_as_many_codes_are_encoded_together(
    tokenizer: VQVAETokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [tokenizer.prepare(np.sin(np.arange(n))) for n in (5, 40, 8, 1, 7)]
    alone = [tokenizer.encode_prepared([row])[0] for row in rows]
    encode, sizes = tokenizer.encode_batch, list[tuple[int, ...]]()

    def counted(batch: torch.Tensor) -> torch.Tensor:
        sizes.append(tuple(batch.shape))
        return encode(batch)

    monkeypatch.setattr(tokenizer, "encode_batch", counted)
    assert torch.equal(tokenizer.encode_prepared(rows), torch.stack(alone))
    assert sizes == [(3, 1, 8), (1, 1, 40), (1, 1, 4)]


def test_a_signal_that_ends_before_its_first_code_is_empty(tokenizer: VQVAETokenizer) -> None:
    codes = torch.full((2, LONGEST // STRIDE, 2), tokenizer.shape.padding)
    codes[1, 0] = 3
    assert [len(value) for value in tokenizer.decode(codes)] == [0, STRIDE]


def test_lengths_are_split_as_they_were_joined() -> None:
    shape = CodeShape((5, 2), 3, 7, variable=True)
    rows = [torch.randint(7, (n, 2, 3)) for n in (0, 2, 5)]
    joined = join_lengths(rows, shape)
    assert joined.shape == (3, 5, 2, 3)
    assert all(torch.equal(a, b) for a, b in zip(rows, split_lengths(joined, shape), strict=True))
    joined[2, 1, 0, 0] = shape.padding
    assert [len(row) for row in split_lengths(joined, shape)] == [0, 2, 1]


def test_crops_of_short_signals_are_lengthened(tokenizer: VQVAETokenizer) -> None:
    crop = tokenizer.crop(np.array([[1, 2, 3]], np.float32), seed=0)
    assert crop.tolist() == [[1, 2, 3, 3, 3, 3, 3, 3]]
    long = tokenizer.crop(np.arange(LONGEST, dtype=np.float32)[None], seed=0)
    assert long.shape == (1, 8)
    assert long[0, 0] % STRIDE == 0


def test_without_crops_there_is_no_variable_length() -> None:
    with pytest.raises(BadValue, match="crop_size"):
        replace(VQVAEConfig(), variable_length=True)


def folder(root: Path, n: int) -> Path:
    root.mkdir()
    rng = np.random.default_rng(0)
    for i in range(n):
        word = [*LENGTHS][i % 2]
        value = np.sin(np.arange(LENGTHS[word] + rng.integers(0, 3)) / 3 + rng.uniform(0, 6))
        LINE.write(value.astype(np.float32), root / f"{i:03d}.line")
        (root / f"{i:03d}.txt").write_text(word)
    return root


def test_a_run_generates_signals_of_their_own_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODALITIES, LINE.name, LINE)
    data = folder(tmp_path / "data", 60)
    config = override(LoomRunConfig(), SMALL)
    steps = {"line": 20, "loom": 150}
    run = modaloom.train(data, out=tmp_path / "run", steps=steps, config=config, samples=4)
    for word, most in LENGTHS.items():
        found = [len(sample["line"]) for sample in run.generate(given={"text": word}, want="line", n=8)]
        assert np.median(found) == -(-(most + 1) // STRIDE) * STRIDE
    rows = modaloom.evaluate(run, data, n=4)
    assert {(row.row, row.metric) for row in rows} >= {
        ("text->line", "length_error"),
        ("line->text", "exact"),
    }
    again = modaloom.load(run.path)
    assert again.model.streams["line"].tokenizer.shape.variable


def test_positions_in_spans_are_whole_codes(tokenizer: VQVAETokenizer) -> None:
    """A code is of four positions."""
    kept = tokenizer.positions_in([(0, 8), (13, 24)])
    assert kept.nonzero().flatten().tolist() == [0, 1, 4, 5]
    assert len(kept) == LONGEST // STRIDE
    for short in ((0, 3), (1, 4), (LONGEST, LONGEST + 8)):
        with pytest.raises(BadValue, match="keeps nothing: parts are whole steps of 4"):
            tokenizer.positions_in([short])
    ended = tokenizer.positions_in([(0, 10)], np.zeros(10, np.float32))  # its last code reaches past its end
    assert ended.nonzero().flatten().tolist()[:3] == [0, 1, 2]
    for wrong in ((4, 4), (-1, 4)):
        with pytest.raises(BadValue, match="is no part of a value"):
            tokenizer.positions_in([wrong])
