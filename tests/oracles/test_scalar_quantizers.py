"""Oracles Q9, Q10: FSQ and LFQ by enumeration of all of their codes."""

import itertools
import math

import pytest
import torch
from draws import normal
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.quantizers import FSQ, LFQ, build
from modaloom.quantizers.fsq import levels_of


@pytest.mark.parametrize("level", range(2, 18))
def test_q10_a_sweep_hits_exactly_the_levels(level: int) -> None:
    """Q10: −∞..∞ gives 0..L−1 in order, each at its value, for even and odd L."""
    line = torch.linspace(-12, 12, 20_001)
    z = torch.cat([torch.tensor([-torch.inf, -1e30]), line, torch.tensor([1e30, torch.inf])])[:, None]
    out = FSQ([level])(z)
    assert out.codes[:, 0].unique_consecutive().tolist() == list(range(level))
    expected = torch.tensor([2 * j / (level - 1) - 1 for j in range(level)])
    torch.testing.assert_close(out.z_q[:, 0].unique_consecutive(), expected)


@pytest.mark.parametrize("level", [2, 5, 8])
def test_q10_a_value_goes_to_the_nearest_of_evenly_spaced_ones(level: int) -> None:
    """In tanh z, by brute force."""
    z = 2 * normal(500, 1)
    values = torch.linspace(-1, 1, level).double()
    nearest = (z.double().tanh() - values).abs().argmin(1)
    assert torch.equal(FSQ([level])(z).codes[:, 0], nearest)


@pytest.mark.parametrize("levels", [[2], [8, 5, 5, 5], [3, 4, 2], [16, 16, 2]])
def test_q9_every_code_of_fsq_comes_back(levels: list[int]) -> None:
    fsq = FSQ(levels)
    codes = torch.arange(math.prod(levels))[:, None]
    vectors = fsq.decode(codes)
    assert len(vectors.unique(dim=0)) == len(codes) == fsq.codebook_sizes[0]
    for channel, level in enumerate(levels):
        assert len(vectors[:, channel].unique()) == level
    out = fsq(torch.atanh(0.999 * vectors))
    assert torch.equal(out.codes, codes)
    assert torch.equal(out.z_q, vectors)
    assert vectors[1, 0] > vectors[0, 0]
    assert torch.equal(vectors[1, 1:], vectors[0, 1:])


def test_fsq_passes_the_gradient_through_tanh() -> None:
    z, weight = normal(40, 3).requires_grad_(), normal(40, 3, seed=1)
    out = FSQ([5, 4, 7])(z)
    (out.z_q * weight).sum().backward()
    torch.testing.assert_close(z.grad, weight * (1 - z.detach().tanh().square()))
    assert out.loss == 0


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_makes_the_loss_so_and_still_has_codes(bad: float) -> None:
    z = torch.tensor([[0.1, bad], [0.2, 0.3]])
    for quantizer in (FSQ([4, 4]), LFQ(4, commitment=0, entropy=0, temperature=1)):
        out, left_out = quantizer(z), quantizer(z, mask=torch.tensor([False, True]))
        assert out.loss.isnan()
        assert left_out.loss == 0
        assert 0 <= out.codes.min() <= out.codes.max() < quantizer.codebook_sizes[0]


def test_levels_multiply_to_the_size_and_are_no_smaller_than_five() -> None:
    known = {2: (2,), 4: (4,), 16: (8, 2), 20: (5, 4), 256: (16, 16), 1000: (8, 5, 5, 5), 1024: (16, 8, 8)}
    assert {size: levels_of(size) for size in known} == known
    for size in range(2, 3000):
        levels = levels_of(size)
        assert math.prod(levels) == size
        assert len(levels) <= 2 or min(levels) >= 5


@pytest.mark.parametrize(
    ("name", "size", "options", "says"),
    [
        ("fsq", 1, {}, "size is 1; for fsq it must be at least 2"),
        ("fsq", 16, {"levels": (4, 5)}, r"\(4, 5\), a product of 20; it must equal size, 16"),
        ("fsq", 16, {"levels": (16, 1)}, "each at least 2"),
        ("lfq", 20, {}, "size is 20; it must be a power of two, such as 16 or 32"),
        ("bsq", 1, {}, "size is 1; it must be a power of two, such as 2 or 4"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(name: str, size: int, options: dict, says: str) -> None:
    with pytest.raises(BadValue, match=says):
        build(name, 4, size, **options)


def lfq(bits: int, side: float = 1.0, temperature: float = 1.0, **weights: float) -> LFQ:
    weights = {"commitment": 0.0, "entropy": 1.0} | weights
    return LFQ(2**bits, temperature=temperature, side=side, **weights)


def all_codes(bits: int, side: float) -> Tensor:
    return side * torch.tensor(list(itertools.product([-1, 1], repeat=bits))).flip(1).double()


@pytest.mark.parametrize("bits", [1, 3, 6])
def test_every_code_of_lfq_comes_back_and_is_the_nearest(bits: int) -> None:
    quantizer, codes = lfq(bits, side=0.7), torch.arange(2**bits)[:, None]
    every = all_codes(bits, 0.7)
    assert torch.equal(quantizer.decode(codes).double(), every.float().double())
    assert torch.equal(quantizer(0.3 * quantizer.decode(codes)).codes, codes)
    z = normal(200, bits)
    assert torch.equal(quantizer(z).codes[:, 0], torch.cdist(z.double(), every).argmin(1))


def soft_codes(z: Tensor, bits: int, side: float, temperature: float) -> Tensor:
    """(N, 2^bits): exp(−‖z − c‖²/temperature), normalised."""
    return torch.softmax(-torch.cdist(z.double(), all_codes(bits, side)).square() / temperature, 1)


def entropy(p: Tensor) -> Tensor:
    return torch.special.entr(p).sum(-1)


def bits_of_the_mean(soft: Tensor, bits: int) -> Tensor:
    plus = all_codes(bits, 1.0) > 0
    p = torch.stack([soft.mean(0)[plus[:, i]].sum() for i in range(bits)])
    return sum(entropy(torch.stack([x, 1 - x])) for x in p)


@pytest.mark.parametrize(("bits", "side", "temperature"), [(1, 1.0, 1.0), (4, 0.5, 0.3), (6, 1.0, 4.0)])
def test_the_entropies_are_those_of_all_codes_enumerated(bits: int, side: float, temperature: float) -> None:
    """The first is exact; the second is the sum of the bits' entropies, at least that of the mean code."""
    z = normal(60, bits) + 0.3
    soft = soft_codes(z, bits, side, temperature)
    expected = entropy(soft).mean() - bits_of_the_mean(soft, bits)
    found = lfq(bits, side, temperature)(z).loss
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)
    assert bits_of_the_mean(soft, bits) >= entropy(soft.mean(0)) - 1e-9


def test_the_bound_is_reached_where_bits_are_independent_over_the_data() -> None:
    z = torch.cartesian_prod(torch.tensor([-1.0, 0.4]), torch.tensor([0.1, 0.9]), torch.tensor([-0.3, 2.0]))
    soft = soft_codes(z, 3, 1.0, 1.0)
    torch.testing.assert_close(bits_of_the_mean(soft, 3), entropy(soft.mean(0)))


def test_the_loss_of_lfq_has_its_closed_form_gradients() -> None:
    """2β(z − q)/N of the commitment; of the entropies, that of the enumeration by autograd."""
    z = normal(30, 3).requires_grad_()
    lfq(3, commitment=0.4, entropy=0.0)(z).loss.backward()
    torch.testing.assert_close(z.grad, 2 * 0.4 * (z - z.sign()).detach() / z.numel())
    z, other = (normal(30, 3).double().requires_grad_() for _ in range(2))
    lfq(3, entropy=0.5)(z).loss.backward()
    soft = soft_codes(other, 3, 1.0, 1.0)
    (0.5 * (entropy(soft).mean() - bits_of_the_mean(soft, 3))).backward()
    torch.testing.assert_close(z.grad, other.grad, rtol=1e-4, atol=1e-7)


def test_the_entropy_of_decided_bits_has_a_finite_gradient() -> None:
    z = torch.full((5, 2), 500.0, requires_grad=True)
    loss = lfq(2)(z).loss
    loss.backward()
    assert loss.abs() < 1e-4
    assert z.grad.isfinite().all()
