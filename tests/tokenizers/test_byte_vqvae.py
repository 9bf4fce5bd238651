"""Texts by their bytes: round trips, the loss against torch, ends, parts, and a run from files to scores."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

import modaloom
from modaloom.core.errors import BadValue
from modaloom.core.rng import generator
from modaloom.modalities import MODALITIES, Shortened
from modaloom.modalities.byte_codec import BYTES, END, cross_entropy, relative_cross_entropy
from modaloom.modalities.text import TextLimits
from modaloom.tokenizers.byte_vqvae import ByteVQVAE

TEXT, SPEC = MODALITIES["text"], {"size": [400]}
TEXTS = ["a red circle", "日本, e\u0301 🙂", "", "\u05d0\0\r\n"]
SMALL = {"widths": (32, 64), "latent_dim": 16, "codebook_size": 16, "crop_size": (16,)}


def untrained(texts: list[str] = TEXTS, most: int = 64, **options: object) -> ByteVQVAE:
    config = replace(ByteVQVAE.Config(), **SMALL, **options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        ((tokenizer,),) = (
            group.values() for group in ByteVQVAE.fit(TEXT, {"text": texts}, TextLimits(most), config)
        )
    return tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> ByteVQVAE:
    """Trained until it knows the texts by heart."""
    found = untrained().train()
    optimizer = torch.optim.Adam(found.parameters(), 3e-3)
    for step in range(100):
        crops = [found.crop(found.prepare(text), step) for text in TEXTS]
        loss = found.loss(torch.stack([torch.from_numpy(c) for c in crops]), generator(0, step))
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
    return found.eval()


@given(st.text(max_size=60))
def test_bytes_of_any_text_come_back(text: str) -> None:
    assert BYTES.unpack(BYTES.pack(text, SPEC), SPEC) == text
    packed = torch.from_numpy(BYTES.pack(text, SPEC))[None]
    assert torch.equal(BYTES.denormalize(BYTES.normalize(packed)), packed)


def test_broken_bytes_are_shown_and_a_cut_text_ends_with_a_whole_character() -> None:
    cut = BYTES.pack("日本", {"size": [5]})
    assert BYTES.unpack(cut, SPEC) == "日"
    cut[0, 4] = END
    assert BYTES.unpack(cut, SPEC) == "日\ufffd"


def test_the_loss_is_the_cross_entropy() -> None:
    logits, draw = torch.randn(3, 257, 9, generator=generator(0)), generator(1)
    codes = torch.randint(257, (3, 1, 9), generator=draw)
    expected = F.cross_entropy(logits, codes[:, 0], reduction="none").mean(1)
    assert torch.allclose(cross_entropy(logits, BYTES.normalize(codes)), expected)


def test_the_error_is_relative_to_the_best_constant() -> None:
    signal = BYTES.normalize(torch.tensor([[[1, 2, 2, 2]], [[1, 1, 2, END]]]))
    share = signal.mean((0, 2), keepdim=True).clamp_min(1e-30)
    assert float(relative_cross_entropy(share.log().expand_as(signal), signal)) == pytest.approx(1)
    assert float(relative_cross_entropy(100 * signal, signal)) == pytest.approx(0, abs=1e-6)


def test_texts_of_any_length_are_learned_by_heart(tokenizer: ByteVQVAE) -> None:
    codes = tokenizer.encode(TEXTS)
    assert tokenizer.decode(codes) == TEXTS
    lengths = (codes[..., 0] != tokenizer.shape.padding).sum(1).tolist()
    assert lengths == [-(-(len(text.encode()) + 1) // 4) for text in TEXTS]
    again = ByteVQVAE.restore(json.loads(json.dumps(tokenizer.state())))
    again.load_state_dict(tokenizer.state_dict())
    assert torch.equal(again.eval().encode(TEXTS), codes)


def test_what_goes_on_is_the_codes_before_the_end(tokenizer: ByteVQVAE) -> None:
    assert [len(row) for row in tokenizer.rows(tokenizer.encode(TEXTS))] == [
        len(text.encode()) // 4 for text in TEXTS
    ]


def test_parts_are_counted_in_characters(tokenizer: ByteVQVAE) -> None:
    """Bytes of "日本, e": 3, 3, 1, 1, 1, and the end."""

    def kept(*spans: tuple[float, float]) -> list[int]:
        return tokenizer.positions_in(spans, "日本, e").nonzero()[:, 0].tolist()

    assert kept((0, 4)) == [0, 1]
    assert kept((0, 3.5)) == [0]
    assert kept((2, math.inf)) == [2, 3, 4]
    assert kept((1, 4)) == [1]
    for span in ((0, 1), (-1, 1), (math.nan, 2)):
        with pytest.raises(BadValue, match=r"keeps nothing|no part of a value"):
            kept(span)


def test_longer_texts_are_cut_and_counted() -> None:
    short = untrained(["x" * 30], most=2)
    assert short.shape.grid == (2,)
    assert short.as_learned("no more than") == "no more "
    assert short.as_learned("日本日") == "日本"
    assert not short.shortened("no more ")
    assert short.shortened("no more than") == [Shortened("are cut after 8 bytes", "max_tokens", 2, 3)]


@pytest.mark.parametrize(
    "options", [{"variable_length": False}, {"exact_length": True}, {"strides": ()}, {"strides": (2, 2)}]
)
def test_options_that_texts_do_not_have(options: dict[str, object]) -> None:
    with pytest.raises(BadValue, match="one axis"):
        replace(ByteVQVAE.Config(), **options)


def test_other_modalities_are_refused() -> None:
    with pytest.raises(BadValue, match="image is not kept as bytes"):
        ByteVQVAE.fit(MODALITIES["image"], {"image": []}, None, ByteVQVAE.Config())


def test_a_run_from_files_to_scores(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for i in range(40):
        (tmp_path / f"data/{i:02d}.caption.txt").write_text(("a low one", "高い")[i % 2])
        (tmp_path / f"data/{i:02d}.text.txt").write_text(("low", "high")[i % 2])
    sizes = [f"streams.caption.tokenizer.{name}={json.dumps(value)}" for name, value in SMALL.items()]
    settings = [
        *("loom.width=32", "loom.num_layers=1", "loom.num_heads=2", "loom.sampling.steps=2"),
        "streams.caption.tokenizer=byte_vqvae",
        *sizes,
    ]
    modaloom.train(tmp_path / "data", out=tmp_path / "run", steps=5, settings=settings, samples=2)
    run = modaloom.load(tmp_path / "run")
    tokenizer = run.model.streams["caption"].tokenizer
    assert type(tokenizer) is ByteVQVAE
    assert tokenizer.shape.grid == (3,)
    (drawn,) = run.generate(given={"text": "low"}, want="caption", n=1)
    assert isinstance(drawn["caption"], str)
    rows = modaloom.evaluate(run, tmp_path / "data", n=4)
    (row,) = (row for row in rows if (row.row, row.metric) == ("text->caption", "char_error"))
    assert row.ceiling is not None
