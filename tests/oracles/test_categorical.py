"""D6: the tail of the noise and the frequencies of rare codes are right (arXiv 2409.02908)."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from modaloom.diffusion.categorical import categorical, gumbel, inverse_cdf
from modaloom.diffusion.noise import Noise


def uniforms(count: int) -> Tensor:
    return Noise([torch.Generator().manual_seed(0)], each=count).uniform()


def chunks(total: int) -> Iterator[Tensor]:
    """`total` uniforms in parts that fit in memory."""
    noise = Noise([torch.Generator().manual_seed(0)], each=1_000_000)
    return (noise.uniform() for _ in range(total // 1_000_000))


def assert_exponential_tail(total: int) -> None:
    """−log u ~ Exp(1): the counts beyond each level, as far as 3 are expected."""
    levels = sum((-part.log()).long().bincount(minlength=60) for part in chunks(total))
    assert isinstance(levels, Tensor)
    beyond = levels.flip(0).cumsum(0).flip(0)
    for level in range(int(math.log(total / 3))):
        expected = total * math.exp(-level)
        assert abs(beyond[level] - expected) <= 4 * math.sqrt(expected), level


def test_tail() -> None:
    assert_exponential_tail(4_000_000)


@pytest.mark.full
def test_far_tail() -> None:
    """10⁸ draws: −log u passes 17; float32, in multiples of 2⁻²⁴, has nothing between 16.7 and ∞."""
    assert_exponential_tail(100_000_000)


def test_resolution_is_float64() -> None:
    """Float32 noise consists of multiples of 2⁻²⁴; ours does not, and float64 survives the Gumbel map."""
    u = uniforms(1000)
    assert not torch.equal(u, (u * 2**24).round() / 2**24)
    # The largest Gumbel number that float32 can make is 16.6; this one is 34.
    assert gumbel(torch.tensor([1 - 2.0**-50], dtype=torch.float64)).item() == pytest.approx(50 * math.log(2))


def test_chi_square_on_a_peaked_vocabulary() -> None:
    """50,000 codes, one with 0.9: the frequencies of the tail, in 1,000 groups of equal size."""
    size, draws = 50_000, 4_000_000
    p = torch.full((size,), 0.1 / (size - 1), dtype=torch.float64)
    p[123] = 0.9
    codes = torch.cat([inverse_cdf(p.log(), part) for part in chunks(draws)])
    got = codes.bincount(minlength=size).view(1000, 50).sum(1)
    expected = p.view(1000, 50).sum(1) * draws
    chi = ((got - expected) ** 2 / expected).sum().item()
    assert abs(chi - 999) < 5 * math.sqrt(2 * 999)


def test_rare_codes_after_a_long_sum() -> None:
    """Codes of probability 10⁻¹² at the end of the sum have their own share of [0, 1), exactly in float64."""
    p = torch.tensor([0.5, 0.5 - 2e-12, 1e-12, 1e-12], dtype=torch.float64)
    edges = torch.tensor([0.25, 0.75, 1 - 1.5e-12, 1 - 0.5e-12], dtype=torch.float64)
    assert inverse_cdf(p.log(), edges).tolist() == [0, 1, 2, 3]


def test_impossible_codes_are_never_drawn() -> None:
    """−∞ at either end and inside, at the extreme uniforms too."""
    logits = torch.tensor([-torch.inf, 0.3, -torch.inf, 1.2, -torch.inf])
    extremes = torch.tensor([0.0, 2.0**-53, 0.5, 1 - 2.0**-53], dtype=torch.float64)
    assert inverse_cdf(logits, extremes).tolist() == [1, 1, 3, 3]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_temperature_divides_the_logits(temperature: float) -> None:
    logits = torch.tensor([0.0, 1.0, 2.5])
    codes = categorical(logits.expand(200_000, 3), uniforms(200_000), temperature=temperature)
    got = codes.bincount(minlength=3) / len(codes)
    torch.testing.assert_close(got, (logits / temperature).softmax(0), atol=0.005, rtol=0)


def test_temperature_zero_is_the_mode() -> None:
    logits = torch.tensor([[0.0, 3.0, 2.9], [1.0, 0.0, -1.0]])
    assert categorical(logits, torch.tensor([0.999, 0.999]), temperature=0).tolist() == [1, 0]


def test_top_p_keeps_the_smallest_set() -> None:
    """p = 0.5, 0.3, 0.15, 0.05: 0.8 needs the first two only, 0.81 the third; their ratios stay."""
    p = torch.tensor([0.15, 0.5, 0.05, 0.3]).double()
    for top_p, kept in [(0.01, [1]), (0.7999, [1, 3]), (0.81, [0, 1, 3]), (1.0, [0, 1, 2, 3])]:
        codes = categorical(p.log().expand(100_000, 4), uniforms(100_000), top_p=top_p)
        got = codes.bincount(minlength=4) / len(codes)
        inside = torch.zeros(4).double().index_fill(0, torch.tensor(kept), 1) * p
        torch.testing.assert_close(got.double(), inside / inside.sum(), atol=0.01, rtol=0)
        assert (got[inside == 0] == 0).all()
