"""D5: a mixture of two normals. Oracle: the score of p_u^(1 − w)·p_c^w by differentiation."""

import pytest
import torch
from normal_data import WALKED, normals
from torch import Tensor

from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.guidance import guide_mean
from modaloom.diffusion.prediction import SignalDenoiser

MEANS = torch.tensor([[1.5, 0.0], [-1.0, 0.7]], dtype=torch.float64)
VARIANCES = torch.tensor([0.3, 0.8], dtype=torch.float64)
CHANCES = torch.tensor([0.35, 0.65], dtype=torch.float64)


def log_density(process: GaussianProcess, state: Tensor, t: Tensor, chances: Tensor) -> Tensor:
    """(B,): of the mixture's state at t."""
    level = process.at(t)
    variance = level.alpha[:, None] ** 2 * VARIANCES + level.sigma[:, None] ** 2
    squares = (state[:, None] - level.alpha[:, None, None] * MEANS).square().sum(-1)
    return (chances.log() - squares / (2 * variance) - variance.log()).logsumexp(-1)


def score(process: GaussianProcess, state: Tensor, t: Tensor, chances: Tensor) -> Tensor:
    state = state.clone().requires_grad_()
    return torch.autograd.grad(log_density(process, state, t, chances).sum(), state)[0]


def denoiser(process: GaussianProcess, chances: Tensor) -> SignalDenoiser:
    """Tweedie: D = (x + σ²·score) / a."""

    def mean(state: Tensor, t: Tensor) -> Tensor:
        level = process.level(t, state)
        return (state + level.sigma**2 * score(process, state, t, chances)) / level.alpha

    return mean


@pytest.mark.parametrize("name", WALKED)
@pytest.mark.parametrize("scale", [0, 0.4, 1, 2.5])
def test_the_guided_score_is_that_of_the_tilted_law(name: str, scale: float) -> None:
    """To 1e-5; scale 1 is the conditional law's (the first bump alone), 0 the unconditional one's."""
    process, state, t = WALKED[name], normals(40, 2), torch.linspace(0.05, 0.95, 40, dtype=torch.float64)
    only = torch.tensor([1.0, 0.0], dtype=torch.float64)
    guided = guide_mean(denoiser(process, only), denoiser(process, CHANCES), scale)
    level = process.level(t, state)
    ours = (level.alpha * guided(state, t) - state) / level.sigma**2
    expected = scale * score(process, state, t, only) + (1 - scale) * score(process, state, t, CHANCES)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("scale", "calls"), [(0, [1]), (1, [0]), (2, [0, 1])])
def test_only_other_scales_cost_a_second_call(scale: float, calls: list[int]) -> None:
    seen: list[int] = []

    def told(index: int) -> SignalDenoiser:
        def mean(state: Tensor, t: Tensor) -> Tensor:
            seen.append(index)
            return state

        return mean

    guide_mean(told(0), told(1), scale)(normals(1, 2), torch.ones(1))
    assert sorted(seen) == calls
