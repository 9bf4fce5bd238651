"""The second half of a value, given its first half. Oracle: a distribution in which that is certain."""

import pytest
import torch
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.core.types import CodeShape
from modaloom.diffusion.noise import Noise
from modaloom.loom.config import CodeSamplingConfig, LoomConfig
from modaloom.loom.loom import Loom
from modaloom.loom.mixture import TrainingMixture

ROWS, PLACES, K, STEPS, BATCH, N = 4, 4, 6, 400, 32, 200
SHAPE = CodeShape((ROWS, PLACES), 2, K)


def moving(n: int, random: torch.Generator) -> Tensor:
    """Codes (n, L, 2) that rise or fall by one with each row; finer ones are noise."""
    start, falls = (torch.randint(most, (n, 1), generator=random) for most in (K, 2))
    codes = torch.randint(K, (n, ROWS, PLACES, 2), generator=random)
    codes[..., 0] = ((start + (1 - 2 * falls) * torch.arange(ROWS)) % K)[..., None]
    return codes.flatten(1, 2)


def continued(kept_prob: float) -> float:
    """How often all of the second half goes on as the first half does, after a short training."""
    torch.manual_seed(0)
    config = LoomConfig(width=32, num_layers=2, num_heads=2, mixture=TrainingMixture(kept_prob=kept_prob))
    loom, random = Loom({"x": SHAPE}, {"x": "x"}, {}, config), torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(loom.parameters(), lr=3e-3)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loom.loss({"x": moving(BATCH, random)}, {"x": torch.ones(BATCH) > 0}, random).total.backward()
        optimizer.step()
    truth, half = moving(N, torch.Generator().manual_seed(99)), ROWS * PLACES // 2
    canvas = loom.eval().canvas({"x": truth}, ["x"], N, {"x": torch.arange(2 * half) < half})
    drawn = loom.sample(canvas, CodeSamplingConfig(steps=16), Noise([generator(0, i) for i in range(N)]))["x"]
    assert torch.equal(drawn[:, :half], truth[:, :half])
    return float((drawn == truth)[:, half:, 0].all(1).float().mean())


@pytest.mark.full
def test_a_value_goes_on_as_it_began_after_training_on_kept_parts() -> None:
    """Nothing but the first half tells the second, of which there are 12."""
    assert continued(0.5) > 0.8
