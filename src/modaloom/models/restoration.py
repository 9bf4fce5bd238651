"""How a Restorer is made and asked: its configuration, and the table of its networks."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from modaloom.core.errors import BadValue, check_range, choose
from modaloom.diffusion import CONTINUOUS
from modaloom.diffusion.prediction import PREDICTIONS
from modaloom.diffusion.samplers.continuous import SAMPLERS
from modaloom.diffusion.samplers.continuous.spacing import SPACINGS
from modaloom.networks.local import Local, LocalConfig
from modaloom.networks.unet import UNet, UNetConfig

AUTO = "auto"
USUAL = "dpm"
"""The walk of one that does not leap."""
JUMP = "jump"
"""The walk of a Restorer that leaps: mean flow, good in one to four steps."""

LEAPING = {"process": "flow", "prediction": "velocity"}
"""What mean flow is of."""


@dataclass(frozen=True)
class Drawing:
    """How a draw walks from noise to a signal."""

    sampler: str = AUTO
    """A walk over signals; "jump", where the Restorer has learned to leap; "auto": that, else USUAL."""
    spacing: str = "uniform"
    """At which times it stops."""
    steps: int = 8

    def __post_init__(self) -> None:
        choose("sampler", self.sampler, (*SAMPLERS, JUMP, AUTO))
        choose("spacing", self.spacing, SPACINGS)
        check_range("steps", self.steps, 1)


@dataclass(frozen=True)
class RestorerConfig:
    """What a Restorer is, and what it practises."""

    options: dict[str, Any] = field(default_factory=dict)
    """Of the task, where they differ from its own: factor, sigma, …"""
    network: str = AUTO
    """local | unet | auto: local where the task improves what it is given; large signals go by tiles."""
    local: LocalConfig = field(default_factory=LocalConfig)
    unet: UNetConfig = field(default_factory=UNetConfig)
    process: str = "gaussian"
    prediction: str = "v"
    means: float = 0.5
    """Share of the training pairs that ask for the mean, where the task improves what it is given; at 0
    there is no mean, at 1 no draw."""
    leaps: float = 0.0
    """Share of the other training pairs that learn to cross a stretch of time in one step (mean flow); needs
    process=flow and prediction=velocity, and draws by `jump`."""
    sides: tuple[int, ...] = (48,)
    """Of the training pieces of such a task, in positions of each axis; each step takes the next size."""
    scales: int = 3
    """Pieces are also cut twice as large and halved, and so on: at so many scales."""
    candidates: int = 4
    """Pieces that are cut for each one that is learned from, the one with most detail."""
    tokenizers: str = ""
    """A run whose tokenizer makes the given signal of the wanted one, where the task takes one."""
    drawing: Drawing = field(default_factory=Drawing)
    """How it draws unless asked otherwise."""

    def __post_init__(self) -> None:
        choose("network", self.network, (*NETWORKS, AUTO))
        process = CONTINUOUS[choose("process", self.process, CONTINUOUS)]()
        prediction = PREDICTIONS[choose("prediction", self.prediction, PREDICTIONS)]
        if not math.isfinite(prediction.gain(process.at(torch.ones(())))):
            raise BadValue(
                f"prediction {self.prediction} says nothing of the data in pure noise; take v or x0"
            )
        check_range("means", self.means, 0, 1)
        check_range("leaps", self.leaps, 0, 1)
        if self.leaps and any(getattr(self, name) != value for name, value in LEAPING.items()):
            raise BadValue(f"leaps need {' and '.join(f'{n}={v}' for n, v in LEAPING.items())}")
        if self.drawing.sampler == JUMP and not self.leaps:
            raise BadValue("the sampler jump needs a Restorer that leaps; set leaps to 0.25, say")
        if not self.sides:
            raise BadValue("sides is empty; give the size of at least one kind of training piece")
        for side in self.sides:
            check_range("sides", side, 1)
        check_range("scales", self.scales, 1)
        check_range("candidates", self.candidates, 1)

    def network_of(self, improves: bool) -> str:
        """A name in NETWORKS; `improves`: whether the task improves what it is given."""
        return ("local" if improves else "unet") if self.network == AUTO else self.network


Make = Callable[..., nn.Module]
"""(Channels, configuration, *, axes, condition, features) → network."""

NETWORKS: Mapping[str, Make] = {
    "local": lambda channels, config, **shape: Local(channels, config.local, **shape),
    "unet": lambda channels, config, **shape: UNet(channels, config.unet, **shape),
}
