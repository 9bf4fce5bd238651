"""Noise schedules of a variance-preserving process as an angle φ from 0 at t = 0 towards π/2.

√ᾱ = cos φ and σ = sin φ. Times and results are float tensors of one shape.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import torch
from torch import Tensor

from modaloom.core.errors import check_range

HALF_PI = math.pi / 2


class VPSchedule(ABC):
    """An angle φ(t) that increases with t."""

    @abstractmethod
    def angle(self, t: Tensor) -> Tensor:
        """φ, to full relative precision near 0."""

    @abstractmethod
    def complement(self, t: Tensor) -> Tensor:
        """π/2 − φ, to full relative precision near 0."""

    @abstractmethod
    def derivative(self, t: Tensor) -> Tensor:
        """dφ/dt."""

    @abstractmethod
    def time(self, angle: Tensor) -> Tensor:
        """The inverse: the time at which φ is `angle` in [0, π/2]; 1 if φ stays below."""


@dataclass(frozen=True)
class CosineVP(VPSchedule):
    """φ = πt/2, the cosine schedule (Nichol & Dhariwal 2021, arXiv 2102.09672, eq. 17, without offset)."""

    def angle(self, t: Tensor) -> Tensor:
        return t * HALF_PI

    def complement(self, t: Tensor) -> Tensor:
        return (1 - t) * HALF_PI

    def derivative(self, t: Tensor) -> Tensor:
        return torch.full_like(t, HALF_PI)

    def time(self, angle: Tensor) -> Tensor:
        return angle / HALF_PI


@dataclass(frozen=True)
class LinearVP(VPSchedule):
    """ᾱ = exp(−B), B = ∫₀ᵗ β, β linear from `beta_min` to `beta_max`: DDPM's schedule in continuous time.

    Song et al. 2021 (arXiv 2011.13456, eq. 33). The terminal SNR is not 0: √ᾱ(1) = 0.007.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        check_range("beta_min", self.beta_min, 0, open_low=True)
        check_range("beta_max", self.beta_max, self.beta_min, open_low=True)

    def angle(self, t: Tensor) -> Tensor:
        return self._tangent(t).atan()

    def complement(self, t: Tensor) -> Tensor:
        return (1 / self._tangent(t)).atan()

    def derivative(self, t: Tensor) -> Tensor:
        """½β / tan; ∞ at t = 0."""
        return (self.beta_min + t * (self.beta_max - self.beta_min)) / (2 * self._tangent(t))

    def time(self, angle: Tensor) -> Tensor:
        lost, slope = angle.tan().square().log1p(), self.beta_max - self.beta_min
        root = (self.beta_min**2 + 2 * slope * lost).sqrt()
        return (2 * lost / (self.beta_min + root)).nan_to_num(1.0, posinf=1.0).clamp_max(1)

    def _tangent(self, t: Tensor) -> Tensor:
        """σ/√ᾱ = √(exp(B) − 1)."""
        return (self.beta_min * t + (self.beta_max - self.beta_min) / 2 * t.square()).expm1().sqrt()


@dataclass(frozen=True)
class ZeroTerminalVP(VPSchedule):
    """A schedule rescaled to zero terminal SNR (Lin et al. 2023, arXiv 2305.08891, algorithm 1).

    √ᾱ′ = (√ᾱ − c₁) / (1 − c₁) with c₁ = √ᾱ(1): in angles, sin(φ′/2) = sin(φ/2) / (√2 sin(φ₁/2)).
    """

    base: VPSchedule = field(default_factory=LinearVP)

    def angle(self, t: Tensor) -> Tensor:
        return 2 * (self._half(t) / (math.sqrt(2) * self._half(torch.ones_like(t)))).clamp_max(1).asin()

    def complement(self, t: Tensor) -> Tensor:
        last = self.base.complement(torch.ones_like(t)).sin()
        return ((self.base.complement(t).sin() - last) / (1 - last)).asin()

    def derivative(self, t: Tensor) -> Tensor:
        """From d cos φ′ = d cos φ / (1 − c₁)."""
        last = self.base.complement(torch.ones_like(t)).sin()
        return self.base.angle(t).sin() * self.base.derivative(t) / ((1 - last) * self.angle(t).sin())

    def time(self, angle: Tensor) -> Tensor:
        half = math.sqrt(2) * self._half(torch.ones_like(angle)) * (angle / 2).sin()
        return self.base.time(2 * half.clamp_max(1).asin())

    def _half(self, t: Tensor) -> Tensor:
        return (self.base.angle(t) / 2).sin()


VP_SCHEDULES: dict[str, VPSchedule] = {
    "cosine": CosineVP(),
    "linear": LinearVP(),
    "zero_terminal": ZeroTerminalVP(),
}
