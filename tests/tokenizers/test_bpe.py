"""Byte-level BPE: exact round trips, EOS and PAD, determinism, state without pickles."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from modaloom.core.errors import BadRun, BadValue
from modaloom.core.rng import generator
from modaloom.modalities import MODALITIES, Shortened
from modaloom.modalities.text import TextLimits
from modaloom.tokenizers.bpe import BPE

TEXTS = ["a small red circle", "a large blue star", "what colour is it?", "red"] * 50
TEXT = MODALITIES["text"]
bpe = BPE.learn(TEXTS, vocab_size=300, length=16)


@given(st.text(max_size=30))
def test_any_text_comes_back_exactly(text: str) -> None:
    wide = bpe.view((130,))
    assert wide.decode(wide.encode([text])) == [text]
    assert wide.shortened(text) == ()


def test_texts_end_in_eos_then_pad() -> None:
    row = bpe.encode(["red"])[0, :, 0].tolist()
    end = row.index(bpe.eos)
    assert max(row[:end]) < bpe.eos
    assert row[end + 1 :] == [bpe.pad] * (15 - end)
    assert bpe.shape.codebook_size == bpe.pad + 1


def test_merges_shorten_what_was_seen() -> None:
    assert bpe.required_length(["a small red circle"]) <= 8
    assert bpe.required_length(["xqzjkvwy"]) == 9
    assert bpe.required_length([]) == 1


def test_longer_text_is_cut_and_counted() -> None:
    short = bpe.view((5,))
    codes = short.encode(["xqzjkvwy", "xqzjk", "red"])
    cut = Shortened("are cut after 5 tokens", "max_tokens", 5, 9)
    assert [short.shortened(text) for text in ("xqzjkvwy", "xqzjk", "red")] == [[cut], (), ()]
    assert short.decode(codes) == ["xqzjk", "xqzjk", "red"]
    assert bpe.eos not in codes[0]


@given(st.text("ab日🙂 \n", max_size=30))
def test_a_prepared_text_is_what_its_codes_say_and_stays_it(text: str) -> None:
    short = bpe.view((5,))
    (said,) = short.decode(short.encode([text]))
    assert short.as_learned(text) == said
    assert short.decode(short.encode([said])) == [said]
    assert short.as_learned(said) == said


def test_views_share_the_vocabulary() -> None:
    short = bpe.view((8,))
    assert torch.equal(short.encode(["red"])[0], bpe.encode(["red"])[0, :8])
    assert short.shape.codebook_size == bpe.shape.codebook_size
    assert (bpe.shape.grid, short.shape.grid) == ((16,), (8,))


def test_decoding_stops_at_eos_drops_pad_and_replaces_broken_bytes() -> None:
    red = bpe.encode(["red"])[0, :, 0].tolist()[:1]
    assert bpe.required_length(["red"]) == 2
    assert bpe.decode(torch.tensor([[*red, bpe.pad, *red, bpe.eos, *red]])[..., None]) == ["redred"]
    sun = bpe.encode(["日"])[0, :2, 0].tolist()
    for said in ([*sun, bpe.eos], [*sun, *red]):
        assert "\ufffd" in bpe.decode(torch.tensor(said)[None, :, None])[0]


@pytest.mark.parametrize("variable", [False, True])
def test_a_text_that_was_cut_ends_with_its_last_whole_character(variable: bool) -> None:
    short = BPE.learn(TEXTS, vocab_size=300, length=5, variable=variable)
    assert short.as_learned("日本日本") == "日"
    assert short.as_learned("xqzj日") == "xqzj"
    assert short.as_learned("xq日") == "xq日"


def test_the_same_texts_give_the_same_codes() -> None:
    again = BPE.learn(TEXTS, vocab_size=300, length=16)
    assert json.dumps(again.state()) == json.dumps(bpe.state())
    assert torch.equal(again.encode(TEXTS), bpe.encode(TEXTS))


def test_state_is_json_and_rebuilds_it() -> None:
    again = BPE.restore(json.loads(json.dumps(bpe.state())))
    texts = [*TEXTS[:4], "日本 unseen 🙂"]
    assert torch.equal(again.encode(texts), bpe.encode(texts))
    assert again.shape == bpe.shape
    assert not again.trainable
    assert not again.state_dict()


@pytest.mark.parametrize(
    "change", [{"merges": [["xx", "yy"]]}, {"vocabulary": 3}, {"length": "long"}, {"merges": None}]
)
def test_damaged_state_is_named(change: dict[str, object]) -> None:
    with pytest.raises(BadRun, match="text tokenizer"):
        BPE.restore({**bpe.state(), **change})


def test_the_vocabulary_holds_every_byte() -> None:
    assert BPE.learn([], vocab_size=1000, length=4).shape.codebook_size == 258
    with pytest.raises(BadValue, match="258"):
        BPE.learn(TEXTS, vocab_size=200, length=4)
    with pytest.raises(BadValue, match="length"):
        bpe.view((0,))


varied = BPE.learn(TEXTS, vocab_size=300, length=16, variable=True)


def segmented(tokenizer: BPE, text: str, dropout: float, seed: int = 0) -> torch.Tensor:
    prepared = torch.from_numpy(tokenizer.prepare(text))
    return tokenizer.variant(prepared, lambda name: generator(seed, name), {"dropout": dropout})


@pytest.mark.parametrize("tokenizer", [bpe, varied, bpe.view((5,)), varied.view((5,))])
@given(st.text("abcdelrs 日🙂!", max_size=30), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_a_variant_decodes_to_the_same_text(tokenizer: BPE, text: str, dropout: float) -> None:
    prepared = torch.from_numpy(tokenizer.prepare(text))
    found = segmented(tokenizer, text, dropout)
    assert (found.shape, found.dtype) == (prepared.shape, prepared.dtype)
    assert tokenizer.decode(found[None, :, None]) == tokenizer.decode(prepared[None, :, None])
    if dropout == 0:
        assert torch.equal(found, prepared)


def test_variants_are_other_segmentations_up_to_the_length() -> None:
    text = "a small red circle"
    assert len({tuple(segmented(bpe, text, 0.1, seed).tolist()) for seed in range(30)}) > 5
    assert torch.equal(segmented(bpe, text, 0.1, 3), segmented(bpe, text, 0.1, 3))
    wide, tight = bpe.view((len(text) + 1,)), bpe.view((bpe.required_length([text]) + 4,))
    assert int((segmented(wide, text, 1.0) < wide.eos).sum()) == len(text)  # bytes
    seen = [segmented(tight, text, 0.5, seed) for seed in range(30)]
    assert all(int((one < tight.eos).sum()) <= len(one) - 1 for one in seen)
    assert len({tuple(one.tolist()) for one in seen}) > 2
    full = bpe.view((bpe.required_length([text]),))
    assert torch.equal(segmented(full, text, 1.0), torch.from_numpy(full.prepare(text)))


def test_a_text_that_was_cut_stays_as_it_is() -> None:
    short = bpe.view((5,))
    assert torch.equal(segmented(short, "xqzjkvwy", 0.5), torch.from_numpy(short.prepare("xqzjkvwy")))


@given(st.text(max_size=30))
def test_a_text_of_variable_length_has_a_code_per_token_and_comes_back(text: str) -> None:
    wide = varied.view((130,))
    (row,) = wide.encode([text])[..., 0].tolist()
    tokens = wide.hf_tokenizer.encode(text).ids
    assert row == tokens + [wide.shape.padding] * (130 - len(tokens))
    assert wide.decode(wide.encode([text])) == [text]
    assert wide.shortened(text) == ()


def test_variable_length_has_the_same_vocabulary_without_eos_and_pad() -> None:
    assert varied.shape.codebook_size == bpe.eos
    fixed, free = bpe.encode(["a small red circle"])[0], varied.encode(["a small red circle"])[0]
    n = int((free != varied.shape.padding).sum())
    assert torch.equal(fixed[:n], free[:n])
    assert varied.required_length(["red"]) == bpe.required_length(["red"]) - 1
    assert "variable" not in bpe.state()
    again = BPE.restore(json.loads(json.dumps(varied.state())))
    assert again.shape == varied.shape
    assert torch.equal(again.encode(TEXTS), varied.encode(TEXTS))


def test_variable_length_goes_up_to_the_limit_and_what_is_cut_is_named() -> None:
    options = BPE.Config(vocab_size=300, variable_length=True)
    ((found,),) = (g.values() for g in BPE.fit(TEXT, {"caption": TEXTS}, TextLimits(max_tokens=5), options))
    assert found.shape.grid == (5,)
    assert found.shortened("xqzjk") == ()
    assert found.shortened("xqzjkvwy") == [Shortened("are cut after 5 tokens", "max_tokens", 5, 8)]
    assert found.as_learned("xqzjkvwy") == "xqzjk"
    assert found.as_learned("xqzjk") == "xqzjk"
