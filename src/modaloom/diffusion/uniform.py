"""Uniform diffusion over codes: noise is a random code."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.types import MASK, Field
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.process import Process, count, unknown
from modaloom.diffusion.schedules import PowerSchedule, Schedule

EPS = 1e-12
"""The least share of noise: given codes, at t = 0, keep finite odds."""


@dataclass(frozen=True)
class Uniform(Process):
    """Every code, of any depth, is kept with probability α(t), else replaced by one of the K at random.

    **Law.** The uniform kernel of D3PM (arXiv 2107.03006), in continuous time: codes jump to
    each other code at rate σ/K, σ = −α′/α, and q(z | x) = α·[z = x] + β with β = (1 − α)/K.

    **Own and other evidence.** Let u(x) be the law of a clean code given all of the canvas but its own state
    j, and p(x) the law given all of it: p(x) ∝ u(x)·q(j | x), a factor q(j | j)/q(j | x) = 1 + α/β for x = j
    (`to_posterior_logits`). The state itself is distributed as g(i) = Σ_x u(x)·q(i | x) = α·u(i) + β.

    **Bound.** Backwards in time j jumps to i ≠ j at rate σ/K · g(i)/g(j), which is
    σ/K · Σ_x p(x)·q(i | x)/q(j | x) (Campbell et al., 2205.14987; SEDD, 2310.16834), and
    given the clean code at σ/K · n(i)/n(j) with n(i) = q(i | clean). The divergence of two jump processes,
    R and R̂ being the rates given the clean code and the denoiser's,

        −log p(x) ≤ ∫₀¹ E_{z_t} Σ_codes Σ_{i ≠ j} [R̂ᵢ − Rᵢ + Rᵢ·log(Rᵢ / R̂ᵢ)] dt,

    holds with equality for a denoiser that knows the exact conditionals: then R̂ are the rates of the data's
    own process P backwards, that given the clean codes is P given where its path begins, and the divergence
    of the second from the first is −log P(path begins at x). Both begin at the same noise, as α(1) = 0. As
    n and g sum to 1 over the codes, the inner sum is

        σ/K · [1/g(j) − 1/n(j) + (KL(n ‖ g) − log(n(j)/g(j))) / n(j)],

    the bound of UDLM (2412.10193) with u for their x_θ. Written with g it stays finite at both ends:
    a small error of p(j) near t = 0 would be multiplied by 1/t, one of u is not.
    """

    time_conditioned: ClassVar[bool] = True
    schedule: Schedule = field(default_factory=PowerSchedule)

    def prior(self, field: Field, *, noise: Noise) -> Field:
        uniform = noise.uniform(*field.state.shape[1:]).to(field.state.device)
        start = replace(field, t=torch.zeros_like(field.t))
        return self.advance(start, torch.ones_like(field.t), uniform=uniform)

    def advance(self, field: Field, t: Tensor, *, uniform: Tensor) -> Field:
        """An unknown code stays with probability α(t) / α(now); what is left of its number draws another."""
        assert field.codebook_size is not None, "uniform noise needs the size of the codebook"
        stays = self.stay(field.t, t)[:, None, None]
        left = (uniform - stays).clamp_min(0) / (1 - stays).clamp_min(EPS)
        other = (left * field.codebook_size).long().clamp_max(field.codebook_size - 1)
        return replace(field, state=torch.where(field.known | (uniform < stays), field.state, other), t=t)

    def to_posterior_logits(self, logits: Tensor, field: Field) -> Tensor:
        return _own(logits, field.state, self.odds(field.t, logits.shape[-1]).log())

    def from_posterior_logits(self, logits: Tensor, field: Field) -> Tensor:
        """The inverse of `to_posterior_logits`: what all the rest of the canvas says of each code."""
        return _own(logits, field.state, -self.odds(field.t, logits.shape[-1]).log())

    def loss(self, logits: Tensor, codes: Tensor, noisy: Field) -> Tensor:
        """In float64: near t = 1 terms of size K cancel to what is left of the data."""
        size, t = logits.shape[-1], noisy.t.double()
        alpha = self.schedule.alpha(t)[:, None, None]
        floor = (1 - alpha).clamp_min(EPS) / size
        log_g = (
            alpha[..., None] * self.from_posterior_logits(logits.double(), noisy).softmax(-1)
            + floor[..., None]
        ).log()
        log_g_j, log_g_x = (_pick(log_g, index) for index in (noisy.state, codes))
        top = alpha + floor
        entropy = top * top.log() + (size - 1) * floor * floor.log()
        divergence = entropy - floor * log_g.sum(-1) - alpha * log_g_x
        n_j = torch.where(noisy.state == codes, top, floor)
        nats = (-log_g_j).exp() - 1 / n_j + (divergence - n_j.log() + log_g_j) / n_j
        # Nothing is left of the data at t = 1, where the rate is infinite.
        rate = self.schedule.decay(t).nan_to_num(nan=0.0, posinf=0.0) / size
        return (nats * unknown(noisy)).sum((1, 2)) * rate

    def training_loss(self, logits: Tensor, codes: Tensor, field: Field) -> Tensor:
        """Cross-entropy of the clean codes (B,), nats a code, 0 where none is unknown.

        Not the bound's weighting, but the same optimum at every t, and weights that do not grow near t = 0.
        """
        target = codes.masked_fill(~unknown(field), MASK)
        scores = logits.to(torch.promote_types(logits.dtype, torch.float32)).flatten(0, 2)
        nats = F.cross_entropy(scores, target.flatten(), ignore_index=MASK, reduction="none")
        return nats.view(codes.shape).sum((1, 2)) / count(field).clamp_min(1)

    def posterior(self, probabilities: Tensor, state: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """(B, L, Q, K) probabilities of clean codes, given all of the canvas → float64 (B, L, Q, K).

        Σ_x p(x)·q(z_s | z_t, x) = (α(s)·u + β(s)) · q(z_t | z_s), normalised.
        """
        size = probabilities.shape[-1]
        alpha, stays = (a[:, None, None, None] for a in (self.schedule.alpha(s.double()), self.stay(s, t)))
        mine = F.one_hot(state, size)
        others = probabilities.double() / torch.where(mine == 1, self.odds(t, size)[:, None, None, None], 1.0)
        earlier = alpha * others / others.sum(-1, keepdim=True) + (1 - alpha) / size
        back = earlier * (stays * mine + (1 - stays) / size)
        return back / back.sum(-1, keepdim=True)

    def stay(self, s: Tensor, t: Tensor) -> Tensor:
        """float64 (B,): P(no noise between s and t ≥ s) = α(t) / α(s); 1 at s = t = 1."""
        return (self.schedule.alpha(t.double()) / self.schedule.alpha(s.double())).nan_to_num(1.0)

    def odds(self, t: Tensor, size: int) -> Tensor:
        """float64 (B,): q(j | j) / q(j | x ≠ j) = 1 + K·α / (1 − α), large at t = 0."""
        alpha = self.schedule.alpha(t.double())
        return 1 + size * alpha / (1 - alpha).clamp_min(EPS)


def _own(logits: Tensor, state: Tensor, more: Tensor) -> Tensor:
    """Logits (B, L, Q, K) with `more` (B,) added to that of each code's own state (B, L, Q)."""
    added = more.to(logits.dtype)[:, None, None, None].expand(*state.shape, 1)
    return logits.scatter_add(-1, state[..., None], added)


def _pick(values: Tensor, index: Tensor) -> Tensor:
    """(B, L, Q, K), (B, L, Q) → (B, L, Q)."""
    return values.gather(-1, index[..., None]).squeeze(-1)
