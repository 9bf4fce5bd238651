"""Gaussian diffusion: the process, network and sampler of modaloom's estimator."""

from collections import deque

import torch
from budget import Budget, Descent
from torch import Tensor

from modaloom.diffusion.gaussian import VariancePreserving
from modaloom.diffusion.prediction import PREDICTIONS, denoiser
from modaloom.diffusion.samplers.continuous.ddim import ddim
from modaloom.networks.mlp import ResidualMLP
from modaloom.networks.time_conditioned import TIME_CHANNELS, TimeConditioned
from rivals.base import Rival, batch

PROCESS, PREDICTION = VariancePreserving(), PREDICTIONS["v"]
STEPS, BLOCKS = 100, 3


class Diffusion(Rival):
    """v-prediction, and DDIM in STEPS steps."""

    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        self.columns = columns
        self.network = TimeConditioned(
            ResidualMLP(columns + TIME_CHANNELS, columns, width=width, blocks=BLOCKS)
        )

    def learn(self, rows: Tensor, budget: Budget, *, seed: int) -> int:
        return len(Descent().run(self, lambda rng: self.loss(batch(rows, rng), rng), budget, seed=seed))

    def loss(self, x_BC: Tensor, rng: torch.Generator) -> Tensor:
        """Squared error of v at uniform times."""
        t_B = torch.rand(len(x_BC), generator=rng)
        return PROCESS.loss(self.network, PREDICTION, x_BC, t_B, generator=rng).mean()

    @torch.no_grad()
    def sample(self, n: int, *, generator: torch.Generator) -> Tensor:
        noise = PROCESS.prior(torch.empty(n, self.columns), generator=generator)
        states = ddim(
            denoiser(self.network, PROCESS, PREDICTION), PROCESS, noise, torch.linspace(1, 0, STEPS + 1)
        )
        return deque(states, maxlen=1).pop()
