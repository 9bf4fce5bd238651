"""Uniform diffusion of codes: noise is a uniformly random code."""

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
"""Lower bound of 1 − α, so that the likelihood ratio of clean codes stays finite."""


@dataclass(frozen=True)
class Uniform(Process):
    """Each code, of any depth, is kept with probability α(t), else replaced by a uniformly random code.

    **Forward process.** The uniform kernel of D3PM (arXiv 2107.03006) in continuous time: codes jump to
    each other code at rate σ/K, σ = −α′/α, and q(z | x) = α·[z = x] + β with β = (1 − α)/K.

    **Posterior.** Let u(x) be the distribution of a clean code given all of the canvas but its own state j,
    and p(x) the one given all of it: p(x) ∝ u(x)·q(j | x), a factor q(j | j)/q(j | x) = 1 + α/β for x = j
    (`to_posterior_logits`). The state itself is distributed as g(i) = Σ_x u(x)·q(i | x) = α·u(i) + β.

    **Bound.** In reverse time j jumps to i ≠ j at rate σ/K · g(i)/g(j), which is
    σ/K · Σ_x p(x)·q(i | x)/q(j | x) (Campbell et al., 2205.14987; SEDD, 2310.16834), and
    given the clean code at σ/K · n(i)/n(j) with n(i) = q(i | clean). The KL divergence of two jump processes,
    R and R̂ being the rates given the clean code and the denoiser's,

        −log p(x) ≤ ∫₀¹ E_{z_t} Σ_codes Σ_{i ≠ j} [R̂ᵢ − Rᵢ + Rᵢ·log(Rᵢ / R̂ᵢ)] dt,

    is an equality for a denoiser with the exact conditionals: then R̂ are the rates of the reversed data
    process P, those given the clean codes are P conditioned on its start, and the divergence of the second
    from the first is −log P(start = x). Both have the same noise at t = 1, as α(1) = 0. As n and g sum to 1
    over the codes, the inner sum is

        σ/K · [1/g(j) − 1/n(j) + (KL(n ‖ g) − log(n(j)/g(j))) / n(j)],

    the bound of UDLM (2412.10193) with u for their x_θ. In terms of g it stays finite at both ends: a small
    error of p(j) near t = 0 would be multiplied by 1/t, one of u is not.
    """

    time_conditioned: ClassVar[bool] = True
    schedule: Schedule = field(default_factory=PowerSchedule)

    def prior(self, field: Field, *, noise: Noise) -> Field:
        uniform = noise.uniform(*field.state.shape[1:]).to(field.state.device)
        start = replace(field, t=torch.zeros_like(field.t))
        return self.advance(start, torch.ones_like(field.t), uniform=uniform)

    def advance(self, field: Field, t: Tensor, *, uniform: Tensor) -> Field:
        """Each unknown code is kept with probability α(t) / α(field.t), else replaced at random.

        Given that it is replaced, the rescaled `uniform` is uniform again and chooses the new code.
        """
        assert field.codebook_size is not None, "uniform noise needs the size of the codebook"
        keep_prob = self.stay(field.t, t)[:, None, None]
        rescaled = (uniform - keep_prob).clamp_min(0) / (1 - keep_prob).clamp_min(EPS)
        random_code = (rescaled * field.codebook_size).long().clamp_max(field.codebook_size - 1)
        kept = field.known | (uniform < keep_prob)
        return replace(field, state=torch.where(kept, field.state, random_code), t=t)

    def to_posterior_logits(self, logits: Tensor, field: Field) -> Tensor:
        return _add_at_state(logits, field.state, self.odds(field.t, logits.shape[-1]).log())

    def from_posterior_logits(self, logits: Tensor, field: Field) -> Tensor:
        """The inverse of `to_posterior_logits`: logits of each code given the rest of the canvas."""
        return _add_at_state(logits, field.state, -self.odds(field.t, logits.shape[-1]).log())

    def most_likely(self, logits: Tensor, field: Field) -> Tensor:
        noisy = unknown(field) & (field.t > 0)[:, None, None]
        return torch.where(noisy, logits.argmax(-1), field.state)

    def carry_over(self, codes: Tensor, state: Tensor) -> Tensor:
        return codes

    def loss(self, logits: Tensor, codes: Tensor, noisy: Field) -> Tensor:
        """In float64: near t = 1 terms of size K cancel."""
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
        # At t = 1, where the rate is infinite, the state is independent of the data.
        rate = self.schedule.decay(t).nan_to_num(nan=0.0, posinf=0.0) / size
        return (nats * unknown(noisy)).sum((1, 2)) * rate

    def training_loss(self, logits: Tensor, codes: Tensor, field: Field) -> Tensor:
        """Cross-entropy of the clean codes (B,), in nats per code; 0 where none is unknown.

        It has the same optimum as the bound at every t, with weights that stay bounded near t = 0.
        """
        target = codes.masked_fill(~unknown(field), MASK)
        scores = logits.to(torch.promote_types(logits.dtype, torch.float32)).flatten(0, 2)
        nats = F.cross_entropy(scores, target.flatten(), ignore_index=MASK, reduction="none")
        return nats.view(codes.shape).sum((1, 2)) / count(field).clamp_min(1)

    def posterior(self, probabilities: Tensor, state: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """Σ_x p(x)·q(z_s | z_t, x) = (α(s)·u + β(s)) · q(z_t | z_s), normalised.

        Args:
            probabilities: float (B, L, Q, K) of the clean codes, given all of the canvas.
            state: int64 (B, L, Q) at time t.
            s: float (B,) ≤ t.
            t: float (B,) in [0, 1].

        Returns:
            float64 (B, L, Q, K), probabilities of the state at s.
        """
        size = probabilities.shape[-1]
        alpha, stay = (a[:, None, None, None] for a in (self.schedule.alpha(s.double()), self.stay(s, t)))
        own = F.one_hot(state, size)
        u = probabilities.double() / torch.where(own == 1, self.odds(t, size)[:, None, None, None], 1.0)
        prior = alpha * u / u.sum(-1, keepdim=True) + (1 - alpha) / size
        posterior = prior * (stay * own + (1 - stay) / size)
        return posterior / posterior.sum(-1, keepdim=True)

    def stay(self, s: Tensor, t: Tensor) -> Tensor:
        """float64 (B,): P(code not resampled between s and t ≥ s) = α(t) / α(s); 1 at s = t = 1."""
        return (self.schedule.alpha(t.double()) / self.schedule.alpha(s.double())).nan_to_num(1.0)

    def odds(self, t: Tensor, size: int) -> Tensor:
        """float64 (B,): the likelihood ratio q(j | j) / q(j | x ≠ j) = 1 + K·α / (1 − α), large at t = 0."""
        alpha = self.schedule.alpha(t.double())
        return 1 + size * alpha / (1 - alpha).clamp_min(EPS)


def _add_at_state(logits: Tensor, state: Tensor, value: Tensor) -> Tensor:
    """Logits (B, L, Q, K) with `value` (B,) added at the index of each code's own state (B, L, Q)."""
    values = value.to(logits.dtype)[:, None, None, None].expand(*state.shape, 1)
    return logits.scatter_add(-1, state[..., None], values)


def _pick(values: Tensor, index: Tensor) -> Tensor:
    """(B, L, Q, K), (B, L, Q) → (B, L, Q)."""
    return values.gather(-1, index[..., None]).squeeze(-1)
