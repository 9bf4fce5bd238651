"""The contract of a process: how data becomes noise as t goes from 0 (data) to 1 (noise), and the way back.

Shapes: B batch, L positions, Q depths, K codes.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import final

import torch
from torch import Tensor

from modaloom.core.types import Canvas, Denoiser, Field


class Process(ABC):
    """A diffusion over codes in continuous time. Knows no network: denoisers return logits of clean codes."""

    @abstractmethod
    def prior(self, codes: Tensor, known: Tensor) -> Tensor:
        """The state at t = 1, int64 (B, L, Q): `codes` where `known` (bool (B, L, Q)), noise elsewhere."""

    @abstractmethod
    def corrupt(self, codes: Tensor, t: Tensor, known: Tensor, *, generator: torch.Generator) -> Tensor:
        """A draw of the state at `t` (B,), int64 (B, L, Q); codes that are `known` stay."""

    @abstractmethod
    def loss(self, logits: Tensor, codes: Tensor, noisy: Field) -> Tensor:
        """Nats per sample (B,) whose mean over t ~ U(0, 1) and `corrupt` bounds −log p(unknown | known).

        `noisy` is the corrupted field, `codes` are the clean ones, `logits` (B, L, Q, K) of any float type.
        """

    @abstractmethod
    def mean_loss(self, logits: Tensor, codes: Tensor, field: Field) -> Tensor:
        """What training minimises, (B,): nats per code to be predicted, with as little variance as may be."""

    @abstractmethod
    def posterior(self, probabilities: Tensor, state: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """q(state at s | state at t, clean codes ~ `probabilities`) for s < t, each code for itself."""

    @final
    def diffuse(self, canvas: Canvas, levels: Mapping[str, Tensor], *, generator: torch.Generator) -> Canvas:
        """The canvas of clean codes with each stream of `levels` corrupted to its own times (B,)."""
        return canvas | {
            name: replace(
                canvas[name],
                state=self.corrupt(canvas[name].state, t, canvas[name].known, generator=generator),
                t=t,
            )
            for name, t in levels.items()
        }

    @final
    @torch.no_grad()
    def bound(
        self,
        denoise: Denoiser,
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


def uniforms(*shape: int, generator: torch.Generator) -> Tensor:
    """float64 U[0, 1) on the generator's device, so that a seed means the same on any other."""
    return torch.rand(*shape, dtype=torch.float64, device=generator.device, generator=generator)


def count(field: Field) -> Tensor:
    """int64 (B,): the codes of a field that are to be predicted, by which a loss is normalised."""
    return (~field.known & field.valid[..., None]).sum((1, 2))
