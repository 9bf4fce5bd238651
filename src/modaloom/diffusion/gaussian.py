"""Variance-preserving gaussian diffusion of signals in continuous time."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.diffusion.level import Level
from modaloom.diffusion.prediction import Network, Prediction


@dataclass(frozen=True)
class Gaussian:
    """x_t = √ᾱ(t) x_0 + √(1 − ᾱ(t)) ε (Ho et al. 2020, arXiv 2006.11239, eq. 4), for t in [0, 1].

    The schedule is the cosine one, √ᾱ = cos(πt/2) (Nichol & Dhariwal 2021, arXiv 2102.09672, eq. 17, without
    its offset), so that t is the angle between data and noise. At t = 1 no data is left at all (Lin et al.
    2023, arXiv 2305.08891, §3.1): a walk that starts in pure noise then starts where training ended.

    Signals are floats (B, ...) of about unit variance, times floats (B,).
    """

    def level(self, t: Tensor, like: Tensor) -> Level:
        """The level at `t` (B,), shaped to go over `like` (B, ...), in the dtype of t.

        √ᾱ is written as the sine of the complement, which is 1 and 0 exactly at the ends.
        """
        angle = (t * (math.pi / 2)).reshape(-1, *[1] * (like.ndim - 1))
        rest = ((1 - t) * (math.pi / 2)).reshape(angle.shape)
        return Level(torch.sin(rest), torch.sin(angle))

    def prior(self, like: Tensor, *, generator: torch.Generator) -> Tensor:
        """The state at t = 1: ε in the shape, dtype and device of `like`."""
        drawn = torch.randn(like.shape, dtype=like.dtype, device=generator.device, generator=generator)
        return drawn.to(like.device)

    def loss(
        self, network: Network, prediction: Prediction, data: Tensor, t: Tensor, *, generator: torch.Generator
    ) -> Tensor:
        """(B,): squared error of the network's output at `t` (B,) for one draw of ε, the mean over values.

        It trains one step at a time; the forward process has nothing to train. For a weight w on the squared
        error of the clean data, multiply by w · `prediction.gain`.
        """
        level, noise = self.level(t, data), self.prior(data, generator=generator)
        output = network(level.mix(data, noise), t)
        return (output - prediction.target(data, noise, level)).square().flatten(1).mean(1)
