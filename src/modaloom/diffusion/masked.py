"""Masked (absorbing-state) diffusion of codes with nested residual depths."""

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
    """Each code is unmasked with probability α(t); a position's finest codes are masked first.

    **Forward process.** A position with Q unknown codes has Q independent masking times with
    P(later than t) = α(t), assigned to the depths in order, the earliest to the finest. So
    m(t) ~ Binomial(Q, 1 − α(t)) codes are masked, the finest ones; Q = 1 is the usual masked diffusion.

    **Bound.** In reverse time each masked code is unmasked at rate r(t) = −α′/(1 − α) whatever the data, so
    the position's coarsest masked code is unmasked at rate m·r(t). The order σ of unmasking is then random
    and independent of the data, one code at a time. Jensen's inequality over σ,

        −log p(x) ≤ E_σ Σ_i −log p(x_σ(i) | x_σ(<i)) = ∫₀¹ E_{x_t} Σ_positions m·r(t)·CE(next code | x_t) dt,

    which is an equality for a denoiser with the exact conditionals. For Q = 1 the right side is the bound of
    MDLM (arXiv 2406.07524, eq. 10) and MD4 (2406.04329, eq. 4); the middle is that of order-agnostic
    autoregressive models (ARDM, 2110.02037, eq. 2).

    `known` must be nested too: if a depth is known, so are all coarser depths of the position.
    """

    time_conditioned: ClassVar[bool] = False
    schedule: Schedule = field(default_factory=PowerSchedule)

    def prior(self, field: Field, *, noise: Noise) -> Field:
        return replace(field, state=field.state.masked_fill(~field.known, MASK), t=torch.ones_like(field.t))

    def advance(self, field: Field, t: Tensor, *, uniform: Tensor) -> Field:
        """Each unmasked unknown code stays so with probability α(t) / α(field.t)."""
        keep_prob = (self.schedule.alpha(t) / self.schedule.alpha(field.t)).nan_to_num(0.0)
        kept = field.known | (uniform < keep_prob[:, None, None])
        num_unmasked = (kept & (field.state != MASK)).sum(-1, keepdim=True)
        depth = torch.arange(field.state.shape[-1], device=field.state.device)
        return replace(field, state=field.state.masked_fill(depth >= num_unmasked, MASK), t=t)

    def to_posterior_logits(self, logits: Tensor, field: Field) -> Tensor:
        """The logits unchanged: a mask carries no information about its code."""
        return logits

    def most_likely(self, logits: Tensor, field: Field) -> Tensor:
        return torch.where(field.state == MASK, logits.argmax(-1), field.state)

    def carry_over(self, codes: Tensor, state: Tensor) -> Tensor:
        """Carry-over unmasking (MDLM, arXiv 2406.07524, § 3.2.3)."""
        return torch.where(state == MASK, codes, state)

    def loss(self, logits: Tensor, codes: Tensor, noisy: Field) -> Tensor:
        frontier = Frontier.of(noisy)
        nats = (frontier.masked * frontier.nats(logits, codes)).sum(1)
        # At t = 0, 0 · ∞ would make the gradient NaN as well, so the rate itself is replaced.
        return nats * self.schedule.rate(noisy.t).masked_fill(~frontier.open.any(1), 0)

    def training_loss(self, logits: Tensor, codes: Tensor, field: Field) -> Tensor:
        """Nats per masked code (B,); 0 where nothing is masked.

        The same objective as `loss` up to the factor N / (N + 1), with less variance. For α = 1 − t and
        t ~ U(0, 1) the number M of masked codes of N is uniform on 0..N, and given M the weights N · m / M
        replace m / t: ARDM's estimator (arXiv 2110.02037, eq. 4).
        """
        frontier = Frontier.of(field)
        nats = (frontier.masked * frontier.nats(logits, codes)).sum(1)
        return nats / frontier.masked.sum(1).clamp_min(1)

    def stay(self, s: Tensor, t: Tensor) -> Tensor:
        """P(masked at s | masked at t) = (1 − α(s)) / (1 − α(t)) for s ≤ t; 0 at t = 0."""
        return ((1 - self.schedule.alpha(s)) / (1 - self.schedule.alpha(t))).nan_to_num(0.0)

    def posterior(self, probabilities: Tensor, state: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """q(state at s | state at t, clean codes ~ `probabilities`), per code (MDLM, eq. 7).

        With more than one depth, the codes unmasked until s are Binomial(m, 1 − stay(s, t)) of the m masked
        ones, the coarsest first; this is the distribution of one code before they are assigned to depths.

        Args:
            probabilities: float (B, L, Q, K) of the clean codes.
            state: int64 (B, L, Q) at time t.
            s: float (B,) ≤ t.
            t: float (B,) in [0, 1].

        Returns:
            float (B, L, Q, K + 1); the last entry is the mask's.
        """
        stay = self.stay(s, t)[:, None, None, None]
        masked = torch.cat([probabilities * (1 - stay), stay.expand(*probabilities.shape[:-1], 1)], -1)
        unmasked = torch.nn.functional.one_hot(state.clamp_min(0), masked.shape[-1]).to(masked)
        return torch.where((state == MASK)[..., None], masked, unmasked)
