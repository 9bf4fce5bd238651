"""A variational autoencoder (Kingma & Welling 2013, arXiv 1312.6114)."""

import torch
from budget import Budget, Descent
from torch import Tensor

from rivals.base import Rival, batch, normal, perceptron

LATENT = 8


class VAE(Rival):
    """Normal latents, a normal decoder of the best single variance (Rybkin et al. 2020, arXiv 2006.13202)."""

    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        self.encoder = perceptron(columns, width, width, 2 * LATENT)
        self.decoder = perceptron(LATENT, width, width, columns)

    def learn(self, rows: Tensor, budget: Budget, *, seed: int) -> int:
        return len(Descent().run(self, lambda draws: self.loss(batch(rows, draws), draws), budget, seed=seed))

    def loss(self, x_BC: Tensor, draws: torch.Generator) -> Tensor:
        """Minus the bound on log p(x): C/2 · log of the mean squared error, which is σ², plus the KL."""
        mean_BD, log_BD = self.encoder(x_BC).chunk(2, 1)
        z_BD = mean_BD + (log_BD / 2).exp() * normal(*mean_BD.shape, draws)
        kl = (mean_BD.square() + log_BD.exp() - log_BD - 1).sum(1).mean() / 2
        error = (x_BC - self.decoder(z_BD)).square().mean()
        return x_BC.shape[1] / 2 * error.clamp_min(1e-8).log() + kl

    @torch.no_grad()
    def sample(self, n: int, *, generator: torch.Generator) -> Tensor:
        return self.decoder(normal(n, LATENT, generator))
