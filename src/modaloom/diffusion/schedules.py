"""How much of the data is still there at time t: α(0) = 1 and α(1) = 0, both exactly.

An α that ends above zero would train on hints that sampling from an all-masked canvas never sees.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.errors import check_range


class Schedule(ABC):
    """A decreasing α on [0, 1]. Times and results are float tensors of any one shape."""

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor:
        """The probability that a code is still shown at t."""

    @abstractmethod
    def rate(self, t: Tensor) -> Tensor:
        """−α′(t) / (1 − α(t)): the rate at which a masked code is revealed, per unit of time; ∞ at t = 0."""

    @abstractmethod
    def decay(self, t: Tensor) -> Tensor:
        """−α′(t) / α(t): the rate at which a code is lost, per unit of time; ∞ at t = 1."""


@dataclass(frozen=True)
class PowerSchedule(Schedule):
    """α = 1 − tᵖ; p = 1 is the linear schedule of MDLM (arXiv 2406.07524, §3)."""

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
    """α = 1 − cos(π/2 · (1 − t)), MaskGIT's and MD4's (arXiv 2202.04200, §3.2; 2406.04329, table 1).

    Written with the sine of the complement, which is 0 and 1 exactly at the ends.
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
