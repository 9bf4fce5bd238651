"""A variational autoencoder (Kingma & Welling 2013, arXiv 1312.6114)."""

from itertools import count

import torch
from budget import Budget, Descent
from torch import Tensor

from rivals.base import Rival, batch, normal, perceptron

LATENT = 8
RISE = 1000
"""Steps in which the KL's weight rises to 1: else a decoder may learn to ignore its latents for ever."""


class VAE(Rival):
    """Normal latents, a normal decoder of the best single variance (Rybkin et al. 2020, arXiv 2006.13202)."""

    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        self.encoder = perceptron(columns, width, width, 2 * LATENT)
        self.decoder = perceptron(LATENT, width, width, columns)

    def learn(self, rows: Tensor, budget: Budget, *, seed: int) -> int:
        weights = (min(1.0, step / RISE) for step in count())

        def loss(rng: torch.Generator) -> Tensor:
            return self.loss(batch(rows, rng), rng, weight=next(weights))

        return len(Descent().run(self, loss, budget, seed=seed))

    def loss(self, x_BC: Tensor, rng: torch.Generator, *, weight: float = 1.0) -> Tensor:
        """C/2 · log σ², σ² being the mean squared error, plus the KL: a bound on −log p(x) at weight 1."""
        mean_BD, log_BD = self.encoder(x_BC).chunk(2, 1)
        z_BD = mean_BD + (log_BD / 2).exp() * normal(*mean_BD.shape, rng)
        kl = (mean_BD.square() + log_BD.exp() - log_BD - 1).sum(1).mean() / 2
        error = (x_BC - self.decoder(z_BD)).square().mean()
        return x_BC.shape[1] / 2 * error.clamp_min(1e-8).log() + weight * kl

    @torch.no_grad()
    def sample(self, n: int, *, generator: torch.Generator) -> Tensor:
        return self.decoder(normal(n, LATENT, generator))
