"""Texts of any length by a run of a few steps on windows of four files.

Oracle: what is given or kept stands in every result, at its place.
"""

import math

import pytest
import torch

from modaloom import api
from modaloom.api.callbacks import TrainCallbacks
from modaloom.core.errors import BadValue
from modaloom.loom.evaluation.bounds import bits_per_unit
from modaloom.loom.run import TrainedRun
from modaloom.tokenizers.bpe import BPE
from modaloom.tokenizers.spans import Span

SMALL = ["loom.width=32", "loom.num_layers=1", "loom.num_heads=1", "loom.sampling.steps=2"]


def prose(name: str) -> str:
    return " ".join(f"{name}{i % 7} went to the river {i % 11} times;" for i in range(60))


@pytest.fixture(scope="module", params=["false", "true"], ids=["fixed", "variable"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    place = tmp_path_factory.mktemp("long")
    (place / "books").mkdir()
    for name in "abcd":
        (place / "books" / f"{name}.txt").write_text(prose(name))
    settings = [*SMALL, f"tokenizers.text.variable_length={request.param}"]
    said: list[str] = []
    callbacks = TrainCallbacks(notify=said.append)
    found = api.train(
        place / "books", out=place / "run", steps=5, settings=settings, samples=8, callbacks=callbacks
    )
    assert isinstance(found, TrainedRun)
    assert any("4 long files are cut into" in one for one in said)
    return found


def test_a_prompt_goes_on_to_any_length(run: TrainedRun) -> None:
    most = int(run.model.streams["text"].tokenizer.extent[0])
    drawn = run.generate({"text": "a1 went to"}, "text", n=2, seed=1, length=5 * most, sampler="maskgit")
    for sample in drawn:
        assert sample["text"].startswith("a1 went to")
        codes = sample.codes["text"][:, 0]
        assert len(codes) <= max(most, 5 * most)
    assert max(len(sample.codes["text"]) for sample in drawn) > most, "nothing went on"
    (again,) = run.generate({"text": "a1 went to"}, "text", n=1, seed=1, length=5 * most, sampler="maskgit")
    assert again["text"] == drawn[0]["text"]


def test_gaps_are_filled_anywhere(run: TrainedRun) -> None:
    text = "a1 went to the river 2 times;"
    for spans, start, end in [([(0, 10)], "a1 went to", ""), ([(0, 2), (14, 99)], "a1", " river 2 times;")]:
        for sample in run.generate({"text": text}, "text", n=3, keep={"text": spans}):
            assert sample["text"].startswith(start)
            assert end in sample["text"]


def test_a_prompt_is_no_longer_than_a_window(run: TrainedRun) -> None:
    with pytest.raises(BadValue, match=r"are cut after .* tokens, and it would go on from there"):
        run.generate({"text": prose("a")}, "text", length=10_000)


def bpe(*, variable: bool = False) -> BPE:
    return BPE.learn(["the river the river 日本"], vocab_size=270, length=12, variable=variable)


@pytest.mark.parametrize("variable", [False, True])
def test_places_of_characters(variable: bool) -> None:
    """Tokens of "the river 日" by hand: bytes are learned to whole words; of a character of three bytes all
    or none are kept."""
    tokenizer, text = bpe(variable=variable), "the river 日"
    tokens = tokenizer.hf_tokenizer.encode(text).tokens

    def kept(*spans: Span) -> list[int]:
        return torch.where(tokenizer.positions_in(spans, text))[0].tolist()

    assert tokens[:2] == ["the", "Ġriver"]
    assert kept((0, 3)) == [0]
    assert kept((0, 9)) == [0, 1]
    assert kept((3, 9)) == kept((2, 9.5)) == [1]
    assert kept((0, 3), (9, 11)) == [0, *range(2, len(tokens))]
    ends = [] if variable else [*range(len(tokens), 12)]
    assert kept((9, 12)) == kept((9, math.inf)) == [*range(2, len(tokens)), *ends]
    with pytest.raises(BadValue, match=r"0:1 keeps nothing: parts are whole tokens, 'the' ' river'"):
        kept((0, 1))


@pytest.mark.parametrize("variable", [False, True])
def test_rows_are_those_before_the_end(variable: bool) -> None:
    tokenizer = bpe(variable=variable)
    codes = tokenizer.encode(["the river", ""])
    assert [len(row) for row in tokenizer.rows(codes)] == [2, 0]


def test_bits_are_counted_for_each_character(run: TrainedRun) -> None:
    """After five steps every code is about as likely as any other."""
    texts = [prose(name)[:40] for name in "abcd"]
    tokenizer = run.model.streams["text"].tokenizer
    codes = sum(map(len, tokenizer.rows(tokenizer.encode(texts))))
    evenly = codes * math.log2(tokenizer.shape.codebook_size) / sum(map(len, texts))
    assert bits_per_unit(run.model, "text", texts) == pytest.approx(evenly, rel=0.4)
    long = prose("a") * 99
    cut = run.model.as_learned("text", long)
    assert len(cut) < len(long)
    assert bits_per_unit(run.model, "text", [long]) == pytest.approx(bits_per_unit(run.model, "text", [cut]))
    with pytest.raises(BadValue, match="have no length"):
        bits_per_unit(run.model, "text", [""])
