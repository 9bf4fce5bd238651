"""Segmentations of BPE dropout: their law against enumeration, and their ends."""

from collections import Counter

import pytest
import torch

from modaloom.tokenizers.bpe import BPE
from modaloom.tokenizers.bpe_dropout import segment

RANKS = {("a", "b"): 0, ("ab", "c"): 1, ("b", "c"): 2}
N = 4000


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_the_law_is_that_of_the_algorithm(p: float) -> None:
    """By hand: `a b` goes first unless it is left out; each merge that is possible is left out with p."""
    q = 1 - p
    law = {("abc",): q * q, ("ab", "c"): q * p, ("a", "bc"): p * q, ("a", "b", "c"): p * p}
    generator = random(0)
    seen = Counter(tuple(segment("abc", RANKS, p, generator)) for _ in range(N))
    assert set(seen) == set(law)
    for parts, share in law.items():
        assert abs(seen[parts] / N - share) < 4 * (share * (1 - share) / N) ** 0.5


def test_the_ends_are_the_plain_segmentation_and_characters() -> None:
    texts = ["the theatre is thereabouts", "another other", "bananas"] * 20
    bpe = BPE.learn(texts, vocab_size=300, length=16)
    ranks = {(left, right): i for i, (left, right) in enumerate(bpe.state()["merges"])}
    for word in ("thereabouts", "Ġtheatre", "Ġother", "banana", "aaaa", "x", ""):
        plain = bpe.hf_tokenizer.model.tokenize(word) if word else []
        assert segment(word, ranks, 0.0, random(0)) == [token.value for token in plain]
        assert segment(word, ranks, 1.0, random(0)) == [*word]
