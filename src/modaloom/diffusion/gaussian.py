"""Variance-preserving Gaussian diffusion of signals in continuous time."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.level import NoiseLevel
from modaloom.diffusion.vp_schedule import CosineVP, VPSchedule


@dataclass(frozen=True)
class VariancePreserving(GaussianProcess):
    """x_t = √ᾱ(t) x_0 + √(1 − ᾱ(t)) ε (Ho et al. 2020, arXiv 2006.11239, eq. 4), for t in [0, 1].

    With the cosine schedule, t is the angle between data and noise in units of π/2, and the terminal SNR is
    0: sampling starts at the noise level at which training ended (Lin et al. 2023, arXiv 2305.08891, §3.1).
    """

    schedule: VPSchedule = field(default_factory=CosineVP)

    def at(self, t: Tensor) -> NoiseLevel:
        """√ᾱ is computed as the sine of the complement, exactly 1 at t = 0 and 0 at t = 1."""
        return NoiseLevel(torch.sin(self.schedule.complement(t)), torch.sin(self.schedule.angle(t)))

    def rate(self, t: Tensor) -> NoiseLevel:
        level, slope = self.at(t), self.schedule.derivative(t)
        return NoiseLevel(-level.sigma * slope, level.alpha * slope)

    def time(self, ratio: Tensor) -> Tensor:
        return self.schedule.time(ratio.atan())
