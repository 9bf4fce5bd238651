"""Variance-preserving gaussian diffusion of signals in continuous time."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from modaloom.diffusion.angle import Angle, Cosine
from modaloom.diffusion.continuous import Continuous
from modaloom.diffusion.level import Level


@dataclass(frozen=True)
class Gaussian(Continuous):
    """x_t = √ᾱ(t) x_0 + √(1 − ᾱ(t)) ε (Ho et al. 2020, arXiv 2006.11239, eq. 4), for t in [0, 1].

    With the cosine schedule t itself is the angle between data and noise, and at t = 1 no data is left at all
    (Lin et al. 2023, arXiv 2305.08891, §3.1): a walk that starts in pure noise then starts where training
    ended.
    """

    schedule: Angle = field(default_factory=Cosine)

    def at(self, t: Tensor) -> Level:
        """√ᾱ is written as the sine of the complement, which is 1 and 0 exactly at the ends."""
        return Level(torch.sin(self.schedule.rest(t)), torch.sin(self.schedule.angle(t)))

    def rate(self, t: Tensor) -> Level:
        level, speed = self.at(t), self.schedule.speed(t)
        return Level(-level.noise * speed, level.signal * speed)

    def time(self, ratio: Tensor) -> Tensor:
        return self.schedule.time(ratio.atan())
