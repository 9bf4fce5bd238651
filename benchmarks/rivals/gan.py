"""A generative adversarial network (Goodfellow et al. 2014, arXiv 1406.2661)."""

import torch
import torch.nn.functional as F
from budget import Budget
from torch import Tensor

from modaloom.core.rng import generator as derived
from modaloom.training.ema import EMA
from rivals.base import BATCH, Rival, batch, normal, perceptron

LATENT = 16
PENALTY = 1.0
"""γ of R1, for rows of unit variance."""
RATE, AVERAGE = 1e-3, 0.999


class GAN(Rival):
    """Non-saturating loss, gradient penalty on real rows (R1, Mescheder et al. 2018, arXiv 1801.04406)."""

    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        self.maker = perceptron(LATENT, width, width, width, columns)
        self.critic = perceptron(columns, width, width, width, 1)

    def learn(self, rows: Tensor, budget: Budget, *, seed: int) -> int:
        make, judge = (
            torch.optim.Adam(net.parameters(), lr=RATE, betas=(0.0, 0.99))
            for net in (self.maker, self.critic)
        )
        average, step = EMA(self.maker, AVERAGE), 0
        for step, share in enumerate(budget.shares(), 1):
            rng = derived(seed, "step", step)
            for optimizer, loss in ((judge, self.critic_loss), (make, self.maker_loss)):
                optimizer.param_groups[0]["lr"] = RATE * (1 - share)
                optimizer.zero_grad()
                loss(batch(rows, rng), rng).backward()
                optimizer.step()
            average.update(self.maker, step)
        self.maker.load_state_dict(average.tensors)
        return step

    def critic_loss(self, x_BC: Tensor, rng: torch.Generator) -> Tensor:
        """Discriminate real from generated rows, plus γ/2 · ‖∇ critic‖² on the real ones."""
        real = self.critic(x_BC.requires_grad_())
        (slope_BC,) = torch.autograd.grad(real.sum(), x_BC, create_graph=True)
        made = self.critic(self.maker(normal(BATCH, LATENT, rng)).detach())
        return (F.softplus(-real) + F.softplus(made)).mean() + PENALTY / 2 * slope_BC.square().sum(1).mean()

    def maker_loss(self, x_BC: Tensor, rng: torch.Generator) -> Tensor:
        """Non-saturating generator loss; the real rows are not used."""
        return F.softplus(-self.critic(self.maker(normal(BATCH, LATENT, rng)))).mean()

    @torch.no_grad()
    def sample(self, n: int, *, generator: torch.Generator) -> Tensor:
        return self.maker(normal(n, LATENT, generator))
