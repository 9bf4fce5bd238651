"""The ancestral sampler of uniform diffusion: one step by hand, and what temperature acts on."""

import pytest
import torch

from modaloom.core.types import Canvas, Field, Logits
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers.ancestral_uniform import ancestral_uniform
from modaloom.diffusion.uniform import Uniform

DRAWS = 40_000
REST = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
"""What the rest of the canvas says of a code, whatever its state."""


def denoise(canvas: Canvas) -> Logits:
    process = Uniform()
    return {
        n: process.to_posterior_logits(REST.log().expand(*f.state.shape, 3), f) for n, f in canvas.items()
    }


def sample(state: int, times: list[float], **options: float) -> torch.Tensor:
    """Shares of the three codes at the end."""
    codes = torch.full((DRAWS, 1, 1), state)
    field = Field(codes, codes < 0, codes[..., 0] >= 0, torch.full((DRAWS,), times[0]), 3)
    noise = Noise([torch.Generator().manual_seed(0)], each=DRAWS)
    *_, last = ancestral_uniform(
        denoise, Uniform(), {"x": field}, torch.tensor(times), noise=noise, **options
    )
    return last["x"].state.flatten().bincount(minlength=3).double() / DRAWS


@pytest.mark.parametrize(
    ("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (2.0, 1.0), (1.0, 0.8), (0.0, 1.0)]
)
@pytest.mark.parametrize("times", [[0.5, 0.0], [0.5, 0.3, 0.2, 0.0]])
def test_bayes_with_a_sharpened_rest(temperature: float, top_p: float, times: list[float]) -> None:
    """A lone code of state 2 at α = 1/2: p(x) ∝ rest(x)^(1/T)·q(2 | x) in any number of steps."""
    rest = REST ** (1 / temperature) if temperature else torch.tensor([1.0, 0.0, 0.0]).double()
    rest = rest * (torch.tensor([1, 1, 0]) if top_p < 1 else 1)
    expected = rest * torch.tensor([1 / 6, 1 / 6, 4 / 6])
    got = sample(2, times, temperature=temperature, top_p=top_p)
    torch.testing.assert_close(got, expected / expected.sum(), atol=0.011, rtol=0)
