"""The contract of a diffusion process of codes: data at t = 0, noise at t = 1.

Shapes: B batch, L positions, Q depths, K codes.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, final

import torch
from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser, Field
from modaloom.diffusion.noise import Noise, uniforms


class Process(ABC):
    """Diffusion of codes in continuous time. Denoisers return logits of the clean codes."""

    time_conditioned: ClassVar[bool]
    """Whether a network needs t as an input because the state does not determine the noise level."""

    @abstractmethod
    def prior(self, field: Field, *, noise: Noise) -> Field:
        """The field at t = 1: all its unknown codes replaced by noise."""

    @abstractmethod
    def advance(self, field: Field, t: Tensor, *, uniform: Tensor) -> Field:
        """Sample q(state at `t` | state at `field.t`) for `t` (B,) ≥ `field.t`; known codes are unchanged.

        `uniform` (B, L, Q) ~ U[0, 1) is the only randomness.
        """

    @abstractmethod
    def to_posterior_logits(self, logits: Tensor, field: Field) -> Tensor:
        """Posterior logits (B, L, Q, K) by Bayes' rule: p(code | rest) · q(own state | code).

        The network predicts p(code | rest of the canvas), which changes little with t.
        """

    @abstractmethod
    def most_likely(self, logits: Tensor, field: Field) -> Tensor:
        """The field's codes, int64 (B, L, Q), with each noisy one replaced by its most likely clean code.

        `logits` float (B, L, Q, K) are the posterior's. Each code is chosen for itself: it is the mode of its
        own distribution, not that of their joint one.
        """

    @abstractmethod
    def carry_over(self, codes: Tensor, state: Tensor) -> Tensor:
        """Drawn clean codes, but those that a noisy state of the same shape tells for certain."""

    @abstractmethod
    def loss(self, logits: Tensor, codes: Tensor, noisy: Field) -> Tensor:
        """Integrand of the NELBO, nats per sample (B,): its mean over t ~ U(0, 1) and `corrupt` bounds
        −log p(unknown | known).

        `logits` float (B, L, Q, K), clean `codes` int64 (B, L, Q), `noisy` the corrupted field.
        """

    @abstractmethod
    def training_loss(self, logits: Tensor, codes: Tensor, field: Field) -> Tensor:
        """Training loss (B,), in nats per unknown code: a low-variance weighting of `loss`."""

    @abstractmethod
    def posterior(self, probabilities: Tensor, state: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """q(state at s | state at t, clean codes ~ `probabilities`), per code.

        Args:
            probabilities: float (B, L, Q, K) of the clean codes.
            state: int64 (B, L, Q) at time t.
            s: float (B,) ≤ t.
            t: float (B,) in [0, 1].

        Returns:
            Probabilities (B, L, Q, states) of the state at s.
        """

    @final
    def start(self, field: Field, *, noise: Noise) -> Field:
        """The field that a sampler starts from: noise at t = 1; below, its own codes, noised to `field.t`.

        The latter is SDEdit (Meng et al. 2022, arXiv 2108.01073) of codes: a sample of q(state at t | codes),
        which the reverse process takes to t = 0 under other conditions.
        """
        if bool((field.t == 1).all()):
            return self.prior(field, noise=noise)
        uniform = noise.uniform(*field.state.shape[1:]).to(field.state.device)
        return self.advance(replace(field, t=torch.zeros_like(field.t)), field.t, uniform=uniform)

    @final
    def corrupt(self, field: Field, t: Tensor, *, generator: torch.Generator) -> Field:
        """Sample q(state at `t` (B,) | clean codes); known codes are unchanged."""
        uniform = uniforms(*field.state.shape, generator=generator).to(field.state.device)
        return self.advance(replace(field, t=torch.zeros_like(t)), t, uniform=uniform)

    @final
    def diffuse(self, canvas: Canvas, levels: Mapping[str, Tensor], *, generator: torch.Generator) -> Canvas:
        """Corrupt each stream of `levels` (stream → t (B,)) of a canvas of clean codes."""
        return canvas | {
            name: self.corrupt(canvas[name], t, generator=generator) for name, t in levels.items()
        }

    @final
    @torch.no_grad()
    def nelbo(
        self,
        denoise: CodeDenoiser,
        canvas: Canvas,
        wanted: Sequence[str],
        *,
        points: int = 32,
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Monte Carlo estimate of the NELBO (negative evidence lower bound) by stream.

        The sum over streams bounds −log p(unknown codes of `wanted` | all other codes). All wanted streams
        share t, which is stratified over `points` intervals; the estimate is unbiased for any number. To
        bound the conditional of a single stream, pass that one alone.

        Args:
            denoise: noisy canvas → logits of the clean codes.
            canvas: clean codes; streams that are not wanted stay clean.
            wanted: names of the streams to corrupt.
            points: strata of t, at least 1.
            generator: of times and noise.

        Returns:
            Stream → float32 (B,), nats per sample.
        """
        device, batch = canvas[wanted[0]].t.device, len(canvas[wanted[0]].t)
        nats = {name: torch.zeros(batch, device=device) for name in wanted}
        for point in range(points):
            t = (point + uniforms(batch, generator=generator).to(device, torch.float32)) / points
            noisy = self.diffuse(canvas, dict.fromkeys(wanted, t), generator=generator)
            logits = denoise(noisy)
            for name in wanted:
                nats[name] += self.loss(logits[name], canvas[name].state, noisy[name]) / points
        return nats


def count(field: Field) -> Tensor:
    """int64 (B,): the number of unknown codes, by which a loss is normalised."""
    return unknown(field).sum((1, 2))


def unknown(field: Field) -> Tensor:
    """bool (B, L, Q): True where a code is to be predicted (valid and not known)."""
    return ~field.known & field.valid[..., None]
