"""Noise schedules α(t) of code processes, with α(0) = 1 and α(1) = 0 exactly.

With α(1) > 0, training would see remains of the data at t = 1 that sampling from pure noise does not have.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.errors import check_range


class Schedule(ABC):
    """A decreasing α on [0, 1]. Times and results are float tensors of one shape."""

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor:
        """The probability that a code is still clean at t."""

    @abstractmethod
    def rate(self, t: Tensor) -> Tensor:
        """−α′(t) / (1 − α(t)): the unmasking rate of the reverse process, per unit of time; ∞ at t = 0."""

    @abstractmethod
    def decay(self, t: Tensor) -> Tensor:
        """−α′(t) / α(t): the corruption rate of the forward process, per unit of time; ∞ at t = 1."""


@dataclass(frozen=True)
class PowerSchedule(Schedule):
    """α = 1 − tᵖ with p = `power` > 0; p = 1 is the linear schedule of MDLM (arXiv 2406.07524, §3)."""

    power: float = 1.0

    def __post_init__(self) -> None:
        check_range("power", self.power, 0, open_low=True)

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - t**self.power

    def rate(self, t: Tensor) -> Tensor:
        return self.power / t

    def decay(self, t: Tensor) -> Tensor:
        return self.power * t ** (self.power - 1) / self.alpha(t)


@dataclass(frozen=True)
class CosineSchedule(Schedule):
    """α = 1 − cos(π/2 · (1 − t)), as in MaskGIT and MD4 (arXiv 2202.04200, §3.2; 2406.04329, table 1).

    Computed as 1 − sin(π/2 · t), exact at both ends.
    """

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - torch.sin(t * (math.pi / 2))

    def rate(self, t: Tensor) -> Tensor:
        angle = t * (math.pi / 2)
        return (math.pi / 2) / torch.tan(angle)

    def decay(self, t: Tensor) -> Tensor:
        angle = t * (math.pi / 2)
        return (math.pi / 2) * torch.cos(angle) / self.alpha(t)


SCHEDULES: dict[str, Schedule] = {
    "linear": PowerSchedule(),
    "square": PowerSchedule(2.0),
    "cosine": CosineSchedule(),
}
