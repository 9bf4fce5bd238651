"""How a Restorer is made and asked: its configuration, and the table of its networks."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

import torch
from torch import nn

from modaloom.core.errors import BadValue, check_choice, check_range
from modaloom.diffusion import GAUSSIAN_PROCESSES
from modaloom.diffusion.prediction import PREDICTIONS
from modaloom.diffusion.samplers.continuous import SIGNAL_SAMPLERS
from modaloom.diffusion.samplers.continuous.timestep_spacing import TIMESTEP_SPACINGS
from modaloom.modalities.base import Limits
from modaloom.networks.local_resnet import LocalResNet, LocalResNetConfig
from modaloom.networks.unet import UNet, UNetConfig
from modaloom.restorer.tasks import TASKS
from modaloom.runs.config import DataConfig, OptimizerConfig, RunConfig, TrainingConfig
from modaloom.runs.config_io import changed

AUTO = "auto"
DEFAULT_SAMPLER = "dpmpp_2m"
"""The walk of one that does not leap."""
MEAN_FLOW = "mean_flow"
"""The sampler of a Restorer that has learned mean flow: good in one to four steps."""

MEAN_FLOW_NEEDS = {"process": "flow", "prediction": "velocity"}
"""What mean flow is of."""


@dataclass(frozen=True)
class SignalSamplingConfig:
    """How a draw walks from noise to a signal."""

    sampler: str = AUTO
    """A walk over signals; "mean_flow", where it has been learned; "auto": that, else DEFAULT_SAMPLER."""
    timestep_spacing: str = "uniform"
    """At which times it stops."""
    steps: int = 8

    def __post_init__(self) -> None:
        check_choice("sampler", self.sampler, (*SIGNAL_SAMPLERS, MEAN_FLOW, AUTO))
        check_choice("timestep_spacing", self.timestep_spacing, TIMESTEP_SPACINGS)
        check_range("steps", self.steps, 1)


class SignalSamplingOptions(TypedDict, total=False):
    """Fields of `SignalSamplingConfig` that differ from a run's."""

    sampler: str
    timestep_spacing: str
    steps: int


@dataclass(frozen=True)
class RestorerConfig:
    """What a Restorer is, and what it practises."""

    task: str = ""
    """A name in TASKS."""
    options: dict[str, Any] = field(default_factory=dict)
    """Of the task, where they differ from its own: factor, sigma, …"""
    network: str = AUTO
    """local | unet | auto: local where the task improves what it is given; large signals go by tiles."""
    local: LocalResNetConfig = field(default_factory=LocalResNetConfig)
    unet: UNetConfig = field(default_factory=UNetConfig)
    process: str = "gaussian"
    prediction: str = "v"
    mean_prob: float = 0.5
    """Share of the training pairs that ask for the mean, where the task improves what it is given; at 0
    there is no mean, at 1 no draw."""
    mean_flow_prob: float = 0.0
    """Share of the other training pairs that learn to cross a stretch of time in one step (mean flow); needs
    process=flow and prediction=velocity, and draws by `mean_flow`."""
    crop_sizes: tuple[int, ...] = (48,)
    """Of the training pieces of such a task, in positions of each axis; each step takes the next size."""
    crop_scales: int = 3
    """Pieces are also cut twice as large and halved, and so on: at so many scales."""
    crop_candidates: int = 4
    """Pieces that are cut for each one that is learned from, the one with most detail."""
    tokenizers: str = ""
    """A run whose tokenizer makes the given signal of the wanted one, where the task takes one."""
    sampling: SignalSamplingConfig = field(default_factory=SignalSamplingConfig)
    """How it draws unless asked otherwise."""

    def __post_init__(self) -> None:
        if self.task:
            check_choice("task", self.task, TASKS)
            self.task_options()
        check_choice("network", self.network, (*NETWORKS, AUTO))
        process = GAUSSIAN_PROCESSES[check_choice("process", self.process, GAUSSIAN_PROCESSES)]()
        prediction = PREDICTIONS[check_choice("prediction", self.prediction, PREDICTIONS)]
        if not math.isfinite(prediction.gain(process.at(torch.ones(())))):
            raise BadValue(
                f"prediction {self.prediction} says nothing of the data in pure noise; take v or x0"
            )
        check_range("mean_prob", self.mean_prob, 0, 1)
        check_range("mean_flow_prob", self.mean_flow_prob, 0, 1)
        if self.mean_flow_prob and any(
            getattr(self, name) != value for name, value in MEAN_FLOW_NEEDS.items()
        ):
            raise BadValue(
                f"mean_flow_prob needs {' and '.join(f'{n}={v}' for n, v in MEAN_FLOW_NEEDS.items())}"
            )
        if self.sampling.sampler == MEAN_FLOW and not self.mean_flow_prob:
            raise BadValue(
                "the sampler mean_flow needs a Restorer that has learned it; set mean_flow_prob to 0.25, say"
            )
        if not self.crop_sizes:
            raise BadValue("crop_sizes is empty; give the size of at least one kind of training piece")
        for side in self.crop_sizes:
            check_range("crop_sizes", side, 1)
        check_range("crop_scales", self.crop_scales, 1)
        check_range("crop_candidates", self.crop_candidates, 1)

    def task_options(self) -> Any:
        """The options of the task. Raises `BadValue`."""
        return changed(TASKS[self.task].options(), self.options.items())

    def resolve_network(self, is_residual: bool) -> str:
        """A name in NETWORKS; `is_residual`: whether the task improves what it is given."""
        return ("local" if is_residual else "unet") if self.network == AUTO else self.network


NetworkFactory = Callable[..., nn.Module]
"""(Channels, configuration, *, axes, condition_channels, context_features) → network."""

NETWORKS: Mapping[str, NetworkFactory] = {
    "local": lambda channels, config, **shape: LocalResNet(channels, config.local, **shape),
    "unet": lambda channels, config, **shape: UNet(channels, config.unet, **shape),
}


@dataclass(frozen=True)
class RestorerTrainingConfig(TrainingConfig):
    """How long, how fast, how safe."""

    restorer: OptimizerConfig = field(
        default_factory=lambda: OptimizerConfig(learning_rate=1e-3, batch_size=16)
    )


@dataclass(frozen=True, kw_only=True)
class RestorerRunConfig(RunConfig):
    """The whole configuration of a Restorer run."""

    engine: Literal["restorer"] = "restorer"
    restorer: RestorerConfig = field(default_factory=RestorerConfig)
    training: RestorerTrainingConfig = field(default_factory=RestorerTrainingConfig)


def tiny() -> RestorerRunConfig:
    """Whole pictures up to 32 px, crops of any: minutes on two CPU cores."""
    return RestorerRunConfig()


def small() -> RestorerRunConfig:
    """Whole pictures up to 64 px: an hour on one GPU."""
    return RestorerRunConfig(data=DataConfig(limits=Limits(max_side=64)))


def base() -> RestorerRunConfig:
    """Whole pictures up to 128 px: a day on a few GPUs."""
    return RestorerRunConfig(data=DataConfig(limits=Limits(max_side=128)))


PRESETS: dict[str, Callable[[], RestorerRunConfig]] = {"tiny": tiny, "small": small, "base": base}
