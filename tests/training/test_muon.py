"""Muon against torch's own, and its orthogonalization against the polynomial."""

import pytest
import torch
from torch import Tensor, nn

from modaloom.training.muon import Muon, orthogonalize

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
SHAPES = [(6, 36), (36, 6), (16, 16), (1, 5)]


def gradient(matrix: Tensor, step: int) -> Tensor:
    return torch.randn(matrix.shape, generator=torch.Generator().manual_seed(step))


@pytest.mark.parametrize("shape", SHAPES)
def test_in_bfloat16_it_is_torchs_to_the_bit(shape: tuple[int, int]) -> None:
    start = torch.randn(shape, generator=torch.Generator().manual_seed(9))
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    mine = Muon([ours], lr=0.03, weight_decay=0.3, dtype=torch.bfloat16)
    peer = torch.optim.Muon([theirs], lr=0.03, weight_decay=0.3, adjust_lr_fn="match_rms_adamw")
    for step in range(4):
        ours.grad, theirs.grad = gradient(ours, step), gradient(theirs, step)
        mine.step()
        peer.step()
        assert torch.equal(ours, theirs)
    state, expected = mine.state_dict()["state"][0], peer.state_dict()["state"][0]
    assert list(state) == list(expected) == ["momentum_buffer"]
    assert torch.equal(state["momentum_buffer"], expected["momentum_buffer"])
    assert not torch.equal(ours, start)


@pytest.mark.parametrize("shape", SHAPES)
def test_in_float32_every_singular_value_follows_the_polynomial(shape: tuple[int, int]) -> None:
    matrix = gradient(torch.empty(shape), 1)
    u, s, v = torch.linalg.svd(matrix.double(), full_matrices=False)
    s = s / s.norm()
    a, b, c = COEFFICIENTS
    for _ in range(5):
        s = a * s + b * s**3 + c * s**5
    expected = (u * s) @ v
    before = matrix.clone()
    found = orthogonalize(matrix, COEFFICIENTS, 5, eps=1e-7, dtype=torch.float32)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, atol=2e-5, rtol=0)
    assert torch.equal(matrix, before)


def test_a_matrix_without_a_gradient_stays() -> None:
    matrix = nn.Parameter(torch.ones(2, 3))
    Muon([matrix], lr=1, weight_decay=1, dtype=torch.float32).step()
    assert torch.equal(matrix, torch.ones(2, 3))
