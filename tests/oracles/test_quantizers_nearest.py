"""Oracle Q13: the fast search against float64 brute force, on random, clustered and tied inputs."""

import pytest
import torch
from torch import Tensor

from modaloom.quantizers.nearest import first_largest, nearest
from modaloom.quantizers.shortlist import BF16_ROUNDOFF, Shortlist


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def random_case() -> tuple[Tensor, Tensor]:
    return normal(2000, 32), normal(256, 32, seed=1)


def clustered_case() -> tuple[Tensor, Tensor]:
    """Tight clusters far from the origin, where float32 cannot tell the codes of one cluster apart."""
    centers = 30 * normal(8, 16)
    z = centers[torch.arange(1600) % 8] + 1e-3 * normal(1600, 16, seed=1)
    return z, centers[torch.arange(64) % 8] + 1e-3 * normal(64, 16, seed=2)


def grid_case() -> tuple[Tensor, Tensor]:
    """Small integers: every score is exact in float32, and many codes are equally near."""
    draw = torch.Generator().manual_seed(0)
    return torch.randint(-3, 4, (500, 3), generator=draw).float(), torch.randint(
        -3, 4, (90, 3), generator=draw
    ).float()


def crowded_case() -> tuple[Tensor, Tensor]:
    """Codes around each vector that differ by less than bfloat16 can tell: the shortlist has many pairs."""
    z = normal(300, 200)
    near = z[torch.arange(256) % 64] * (1 + 2.0**-10 * normal(256, 1, seed=1))
    return z, near + 1e-3 * normal(256, 200, seed=2)


def narrow_case() -> tuple[Tensor, Tensor]:
    """One value a vector: Cauchy–Schwarz is an equality, so both roundings count in full."""
    return normal(300, 1), normal(64, 1, seed=1)


def lopsided_case() -> tuple[Tensor, Tensor]:
    """Numbers that bfloat16 holds, with squares that its two parts do not; and vectors that are codes."""
    whole = torch.randint(224, 256, (300, 2), generator=torch.Generator().manual_seed(0)).float()
    z = whole * torch.tensor([1, 2.0**-6])
    return z, z[:64]


def shortlist(z: Tensor, codebook: Tensor) -> Tensor:
    return prepared(codebook).nearest(z)


def prepared(codebook: Tensor) -> Shortlist:
    return Shortlist.of(codebook, -0.5 * codebook.square().sum(1))


def squared_distances(z: Tensor, codebook: Tensor) -> Tensor:
    return (z.double()[:, None] - codebook.double()).square().sum(-1)


@pytest.mark.parametrize("chunk", [None, 1, 7, 100_000])
@pytest.mark.parametrize("case", [random_case, clustered_case, grid_case])
def test_q13_within_the_stated_tolerance_of_brute_force(case, chunk: int | None) -> None:
    z, codebook = case()
    brute = squared_distances(z, codebook)
    chosen = brute.gather(1, nearest(z, codebook, chunk=chunk)[:, None])[:, 0]
    reach = z.double().norm(dim=1) + codebook.double().norm(dim=1).max()
    tolerance = (z.shape[1] + 2) * 2.0**-23 * reach.square()
    assert (chosen - brute.min(1).values <= tolerance).all()


@pytest.mark.parametrize("case", [random_case, clustered_case, grid_case, crowded_case, narrow_case])
def test_q13_the_shortlist_is_as_exact(case) -> None:
    z, codebook = case()
    brute = squared_distances(z, codebook)
    chosen = brute.gather(1, shortlist(z, codebook)[:, None])[:, 0]
    reach = z.double().norm(dim=1) + codebook.double().norm(dim=1).max()
    assert (chosen - brute.min(1).values <= (z.shape[1] + 2) * 2.0**-23 * reach.square()).all()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("case", [random_case, clustered_case, crowded_case, narrow_case, lopsided_case])
def test_q13_approximate_scores_are_within_their_bound(case, scale: float) -> None:
    """|approximate score + ½‖z − e‖²| ≤ ε + the final rounding, for all pairs, with an ε that is tight."""
    z, codebook = (scale * x for x in case())
    scores, error = prepared(codebook).approximate_scores(z)
    exact = -0.5 * squared_distances(z, codebook)
    wrong = (scores.double() - exact).abs() - BF16_ROUNDOFF * exact.abs()
    assert (wrong <= (1 + BF16_ROUNDOFF) * error[:, None]).all()
    reach = z.norm(dim=1) + codebook.norm(dim=1).max()
    assert (error <= BF16_ROUNDOFF / 2 * reach.square()).all()


def test_q13_wide_vectors_get_the_very_same_codes_either_way() -> None:
    z, codebook = normal(500, 256), normal(512, 256, seed=1)
    assert torch.equal(nearest(z, codebook), squared_distances(z, codebook).argmin(1))
    assert torch.equal(shortlist(z, codebook), squared_distances(z, codebook).argmin(1))


def test_q13_the_shortlist_too_gives_equally_near_codes_to_the_first() -> None:
    z, codebook = grid_case()
    brute = squared_distances(z, codebook)
    assert torch.equal(shortlist(z, codebook), (brute == brute.min(1, keepdim=True).values).int().argmax(1))


@pytest.mark.parametrize("search", [nearest, shortlist])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_vectors_that_are_not_finite_get_some_code_and_leave_the_others_alone(search, bad: float) -> None:
    z, codebook = random_case()
    spoiled = z.clone()
    spoiled[3, 5] = bad
    codes = search(spoiled, codebook)
    rest = torch.arange(len(z)) != 3
    assert 0 <= codes[3] < len(codebook)
    assert torch.equal(codes[rest], search(z, codebook)[rest])


@pytest.mark.parametrize("K", [1, 31, 32, 64, 96, 100])
def test_first_largest_is_argmax_with_ties_too(K: int) -> None:
    scores = torch.randint(0, 5, (400, K), generator=torch.Generator().manual_seed(K)).float()
    largest = scores == scores.max(1, keepdim=True).values
    assert torch.equal(first_largest(scores), largest.int().argmax(1))


def test_q13_random_inputs_get_the_very_same_codes() -> None:
    z, codebook = random_case()
    assert torch.equal(nearest(z, codebook), squared_distances(z, codebook).argmin(1))


def test_q13_of_equally_near_codes_the_first_is_chosen() -> None:
    z, codebook = grid_case()
    brute = squared_distances(z, codebook)
    least = brute == brute.min(1, keepdim=True).values
    assert (least.sum(1) > 1).sum() > 100
    assert torch.equal(nearest(z, codebook), least.int().argmax(1))


def test_q13_autocast_does_not_lower_the_precision() -> None:
    z, codebook = random_case()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(nearest(z, codebook), squared_distances(z, codebook).argmin(1))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_q13_other_dtypes_are_searched_in_float32(dtype: torch.dtype) -> None:
    z, codebook = (x.to(dtype) for x in random_case())
    assert torch.equal(nearest(z, codebook), nearest(z.float(), codebook.float()))


def test_no_vectors_no_codes() -> None:
    codes = nearest(torch.zeros(0, 4), normal(8, 4))
    assert codes.tolist() == []
    assert codes.dtype == torch.int64
