"""Beam search of residual codes, against all sums."""

from itertools import product

import pytest
import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.quantizers import GrowthConfig, QuantizerConfig, build
from modaloom.quantizers.beam_search import beam_search

N, STAGES, SIZE, DIM = 200, 3, 5, 4


@pytest.fixture
def drawn() -> tuple[Tensor, Tensor]:
    """Vectors to encode, and code vectors that get shorter from stage to stage."""
    generator = torch.Generator().manual_seed(0)
    scale = torch.tensor([1.0, 0.5, 0.25])[:, None, None]
    vectors = scale * torch.randn(STAGES, SIZE, DIM, generator=generator)
    return torch.randn(N, DIM, generator=generator), vectors


def errors(z: Tensor, vectors: Tensor, codes: Tensor) -> Tensor:
    made = sum(vectors[q][codes[:, q]] for q in range(len(vectors)))
    return (z - made).square().sum(-1)


def test_a_beam_of_all_sums_finds_the_nearest(drawn: tuple[Tensor, Tensor]) -> None:
    z, vectors = drawn
    every = torch.tensor([*product(range(SIZE), repeat=STAGES)])
    sums = sum(vectors[q][every[:, q]] for q in range(STAGES))
    expected = torch.cdist(z, sums).square().amin(1)
    found = errors(z, vectors, beam_search(z, vectors, SIZE ** (STAGES - 1)))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_more_beams_are_nearer_on_average(drawn: tuple[Tensor, Tensor]) -> None:
    z, vectors = drawn
    means = [errors(z, vectors, beam_search(z, vectors, width)).mean() for width in (1, 2, 4, 25)]
    assert means == sorted(means, reverse=True)
    assert means[-1] < 0.9 * means[0]


def test_rows_that_do_not_fit_at_once_have_the_same_codes(
    drawn: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = beam_search(*drawn, 4)
    monkeypatch.setattr("modaloom.quantizers.beam_search.MAX_ELEMENTS", 7 * 4 * SIZE)
    assert torch.equal(beam_search(*drawn, 4), whole)


@pytest.mark.parametrize("name", ["vq", "fsq", "lfq"])
@pytest.mark.parametrize("groups", [1, 2])
def test_encode_is_greedy_without_beams_and_nearer_with_them(name: str, groups: int) -> None:
    torch.manual_seed(0)
    z = torch.randn(4, 50, 8, generator=torch.Generator().manual_seed(1))
    greedy = build(name, 8, 16, 3, groups=groups)
    for step in range(20):
        greedy(z, generator=torch.Generator().manual_seed(step))
    wide = build(name, 8, 16, 3, groups=groups, beam_width=8)
    wide.load_state_dict(greedy.state_dict())
    codes = greedy.eval()(z).codes
    assert torch.equal(greedy.encode(z), codes)
    assert torch.equal(wide.eval()(z).codes, codes)  # training and forward stay greedy
    found = wide.encode(z)
    assert found.shape == codes.shape
    near, far = ((greedy.decode(c) - z).square().mean() for c in (found, codes))
    assert near < far


def test_what_beams_need() -> None:
    with pytest.raises(BadValue, match="beam_width needs whole codebooks"):
        QuantizerConfig(beam_width=2, growth=GrowthConfig(initial_codes=4))
    with pytest.raises(BadValue, match="beam_width needs whole codebooks"):
        QuantizerConfig(beam_width=2, adaptive_distortion=0.1)
    with pytest.raises(BadValue, match="beam_width is 0"):
        QuantizerConfig(beam_width=0)
