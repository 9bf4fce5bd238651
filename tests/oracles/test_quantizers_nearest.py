"""Oracle Q13: the fast search against float64 brute force, on random, clustered and tied inputs."""

import pytest
import torch
from torch import Tensor

from modaloom.quantizers.nearest import nearest


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
