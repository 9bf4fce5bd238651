"""The contract of a process: how data becomes noise as t goes from 0 (data) to 1 (noise), and the way back.

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
    """A diffusion over codes in continuous time. Knows no network: denoisers return logits of clean codes."""

    time_conditioned: ClassVar[bool]
    """Whether the state hides how noisy it is, so that a network must be told."""

    @abstractmethod
    def prior(self, field: Field, *, noise: Noise) -> Field:
        """The field at t = 1: noise in the place of all its codes that are not known."""

    @abstractmethod
    def advance(self, field: Field, t: Tensor, *, uniform: Tensor) -> Field:
        """A draw of the field at `t` (B,) ≥ `field.t`, given its state now; codes that are known stay.

        `uniform` (B, L, Q) ~ U[0, 1) is all the chance in it.
        """

    @abstractmethod
    def to_posterior_logits(self, logits: Tensor, field: Field) -> Tensor:
        """Logits (B, L, Q, K) that do not look at a code's own state → those that do: times q(state | code).

        A network is better at the first, which change little with t, and the second is then Bayes' rule.
        """

    @abstractmethod
    def loss(self, logits: Tensor, codes: Tensor, noisy: Field) -> Tensor:
        """Nats per sample (B,) whose mean over t ~ U(0, 1) and `corrupt` bounds −log p(unknown | known).

        `noisy` is the corrupted field, `codes` are the clean ones, `logits` (B, L, Q, K) of any float type.
        """

    @abstractmethod
    def training_loss(self, logits: Tensor, codes: Tensor, field: Field) -> Tensor:
        """What training minimises, (B,): nats per code to be predicted, with as little variance as may be."""

    @abstractmethod
    def posterior(self, probabilities: Tensor, state: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """q(state at s | state at t, clean codes ~ `probabilities`) for s ≤ t, each code for itself."""

    @final
    def corrupt(self, field: Field, t: Tensor, *, generator: torch.Generator) -> Field:
        """A draw at `t` (B,) of a field of clean codes; those that are known stay."""
        uniform = uniforms(*field.state.shape, generator=generator).to(field.state.device)
        return self.advance(replace(field, t=torch.zeros_like(t)), t, uniform=uniform)

    @final
    def diffuse(self, canvas: Canvas, levels: Mapping[str, Tensor], *, generator: torch.Generator) -> Canvas:
        """The canvas of clean codes with each stream of `levels` corrupted to its own times (B,)."""
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
        """Nats per sample (B,) by stream; their sum bounds −log p(unknown codes of `wanted` | all the rest).

        `canvas` holds clean codes; its other streams are shown as they are. All wanted streams share t, which
        is stratified over `points` intervals (the estimate is unbiased at any number of them). To bound each
        stream's own conditional, want one at a time.
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
    """int64 (B,): the codes of a field that are to be predicted, by which a loss is normalised."""
    return unknown(field).sum((1, 2))


def unknown(field: Field) -> Tensor:
    """bool (B, L, Q): the codes that are to be predicted."""
    return ~field.known & field.valid[..., None]
