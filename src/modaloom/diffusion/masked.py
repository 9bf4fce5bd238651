"""Masked (absorbing) diffusion over codes with nested residual depths."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor

from modaloom.core.types import MASK, Field
from modaloom.diffusion.frontier import Frontier
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.process import Process
from modaloom.diffusion.schedules import PowerSchedule, Schedule


@dataclass(frozen=True)
class Masked(Process):
    """Every code is shown with probability α(t), else masked; a position loses its finest codes first.

    **Law.** A position with Q unknown codes has Q independent mask times with P(later than t) = α(t); their
    order is given to the depths so that the finest is masked first. So m(t) ~ Binomial(Q, 1 − α(t)) codes are
    masked, the finest ones, and Q = 1 is the usual masked diffusion.

    **Bound.** Backwards in time each masked code returns at rate r(t) = −α′/(1 − α) whatever the data, so the
    position's coarsest masked code returns at rate m·r(t). The order σ in which the codes return is then a
    random one that does not depend on the data, and no two return together. Jensen's inequality over it,

        −log p(x) ≤ E_σ Σ_i −log p(x_σ(i) | x_σ(<i)) = ∫₀¹ E_{x_t} Σ_positions m·r(t)·CE(next code | x_t) dt,

    which is an equality for a denoiser that knows the exact conditionals. For Q = 1 the right side is the
    bound of MDLM (arXiv 2406.07524, eq. 10) and MD4 (2406.04329, eq. 4); the middle is that of
    order-agnostic autoregressive models (ARDM, 2110.02037, eq. 2). Nothing is truncated or divided by the
    number of masked codes.

    `known` must be nested too: with a depth, all coarser depths of the position are known.
    """

    time_conditioned: ClassVar[bool] = False
    schedule: Schedule = field(default_factory=PowerSchedule)

    def prior(self, field: Field, *, noise: Noise) -> Field:
        return replace(field, state=field.state.masked_fill(~field.known, MASK), t=torch.ones_like(field.t))

    def advance(self, field: Field, t: Tensor, *, uniform: Tensor) -> Field:
        """Of the unknown codes that are shown each stays so with probability α(t) / α(now)."""
        stays = (self.schedule.alpha(t) / self.schedule.alpha(field.t)).nan_to_num(0.0)
        kept = field.known | (uniform < stays[:, None, None])
        shown = (kept & (field.state != MASK)).sum(-1, keepdim=True)
        depth = torch.arange(field.state.shape[-1], device=field.state.device)
        return replace(field, state=field.state.masked_fill(depth >= shown, MASK), t=t)

    def to_posterior_logits(self, logits: Tensor, field: Field) -> Tensor:
        """As they are: a mask says nothing of the code that it hides."""
        return logits

    def loss(self, logits: Tensor, codes: Tensor, noisy: Field) -> Tensor:
        frontier = Frontier.of(noisy)
        nats = (frontier.masked * frontier.nats(logits, codes)).sum(1)
        # 0 · ∞ at t = 0 would be NaN in the gradient too, so the rate itself is replaced.
        return nats * self.schedule.rate(noisy.t).masked_fill(~frontier.open.any(1), 0)

    def training_loss(self, logits: Tensor, codes: Tensor, field: Field) -> Tensor:
        """Nats per masked code (B,), 0 where nothing is masked: what training minimises.

        The same objective as `loss` up to the factor N / (N + 1), with less variance. For α = 1 − t and
        t ~ U(0, 1) the number M of masked codes of N is uniform on 0..N, and given M the weights m / M · N
        replace m / t: that is ARDM's estimator (arXiv 2110.02037, eq. 4).
        """
        frontier = Frontier.of(field)
        nats = (frontier.masked * frontier.nats(logits, codes)).sum(1)
        return nats / frontier.masked.sum(1).clamp_min(1)

    def stay(self, s: Tensor, t: Tensor) -> Tensor:
        """P(masked at s | masked at t) = (1 − α(s)) / (1 − α(t)) for s ≤ t; 0 at t = 0."""
        return ((1 - self.schedule.alpha(s)) / (1 - self.schedule.alpha(t))).nan_to_num(0.0)

    def posterior(self, probabilities: Tensor, state: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """(B, L, Q, K) probabilities of clean codes → (B, L, Q, K + 1), the last entry being the mask.

        For Q = 1 this is MDLM's eq. 7. With more depths it is the law of one code before the order is given
        to the depths: of m masked codes, Binomial(m, 1 − stay(s, t)) return, the coarsest first.
        """
        stay = self.stay(s, t)[:, None, None, None]
        back = torch.cat([probabilities * (1 - stay), stay.expand(*probabilities.shape[:-1], 1)], -1)
        shown = torch.nn.functional.one_hot(state.clamp_min(0), back.shape[-1]).to(back)
        return torch.where((state == MASK)[..., None], back, shown)
