"""Configuration of a Restorer (model, training, sampling), presets, and the registry of its networks."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self, TypedDict

import torch
from torch import nn

from modaloom.core.errors import BadValue, check_choice, check_range
from modaloom.diffusion import GAUSSIAN_PROCESSES
from modaloom.diffusion.prediction import PREDICTIONS
from modaloom.diffusion.samplers.continuous import SIGNAL_SAMPLERS
from modaloom.diffusion.samplers.continuous.timestep_spacing import TIMESTEP_SPACINGS
from modaloom.networks.local_resnet import LocalResNet, LocalResNetConfig
from modaloom.networks.tiled import TiledNetwork
from modaloom.networks.unet import UNet, UNetConfig
from modaloom.restorer.tasks import EVERY_TASK
from modaloom.runs.config import DataConfig, OptimizerConfig, RunConfig, TrainingConfig
from modaloom.runs.config_io import changed

AUTO = "auto"
DEFAULT_SAMPLER = "dpmpp_2m"
"""Default sampler of a Restorer trained without mean flow."""
MEAN_FLOW = "mean_flow"
"""Default sampler of a Restorer trained with mean flow; one to four steps are enough."""

MEAN_FLOW_NEEDS = {"process": "flow", "prediction": "velocity"}
"""Settings that mean flow requires."""


@dataclass(frozen=True)
class SignalSamplingConfig:
    """Sampler, timestep spacing and number of steps."""

    sampler: str = AUTO
    """A name in SIGNAL_SAMPLERS, or "mean_flow" (if trained), or "auto": mean_flow if trained, else
    DEFAULT_SAMPLER."""
    timestep_spacing: str = "uniform"
    """A name in TIMESTEP_SPACINGS."""
    steps: int = 8
    """At least 1."""
    shared_noise: float = 0.0
    """Part of the variance of a clip's noise, initial and of each step, that all frames share, in [0, 1]."""

    def __post_init__(self) -> None:
        check_choice("sampler", self.sampler, (*SIGNAL_SAMPLERS, MEAN_FLOW, AUTO))
        check_choice("timestep_spacing", self.timestep_spacing, TIMESTEP_SPACINGS)
        check_range("steps", self.steps, 1)
        check_range("shared_noise", self.shared_noise, 0, 1)


class SignalSamplingOptions(TypedDict, total=False):
    """Fields of `SignalSamplingConfig` that differ from a run's."""

    sampler: str
    timestep_spacing: str
    steps: int
    shared_noise: float


@dataclass(frozen=True)
class RestorerConfig:
    """Task, network, diffusion process and training objective of a Restorer."""

    task: str = ""
    """A name in EVERY_TASK."""
    options: dict[str, Any] = field(default_factory=dict)
    """Task options that differ from the task's defaults: factor, sigma, …"""
    network: str = AUTO
    """local | unet | auto: local for residual tasks, else unet. "local" processes large signals in tiles."""
    local: LocalResNetConfig = field(default_factory=LocalResNetConfig)
    unet: UNetConfig = field(default_factory=UNetConfig)
    process: str = "gaussian"
    prediction: str = "v"
    mean_prob: float = 0.5
    """Fraction of the training examples that train the posterior mean, for residual tasks, in [0, 1]. At 0
    the posterior mean is not learned, at 1 the sampler is not."""
    mean_flow_prob: float = 0.0
    """Fraction of the other training examples that train the average velocity over a time interval (mean
    flow), in [0, 1]; needs process=flow and prediction=velocity; makes `mean_flow` the default sampler."""
    crop_sizes: tuple[int, ...] = (48,)
    """Side lengths of the training crops of residual tasks, in positions along each axis but the time of
    clips, of sounds in 128 samples, at least 1; training steps cycle through them."""
    crop_frames: int = 5
    """Frames of the training crops of clips, at least 1; a crop is as many samples of a batch."""
    crop_scales: int = 3
    """Number of scales of pictures and frames, at least 1: at scale k a crop is cut 2^k times as large and
    downsampled by 2^k."""
    crop_candidates: int = 4
    """Random crops per training crop, at least 1; the one with the most detail is used."""
    tokenizers: str = ""
    """A run whose tokenizer reconstructions of the target are the inputs, for paired tasks."""
    sampling: SignalSamplingConfig = field(default_factory=SignalSamplingConfig)
    """Default sampling settings."""

    def __post_init__(self) -> None:
        if self.task:
            check_choice("task", self.task, EVERY_TASK)
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
        check_range("crop_frames", self.crop_frames, 1)
        check_range("crop_scales", self.crop_scales, 1)
        check_range("crop_candidates", self.crop_candidates, 1)

    def task_options(self) -> Any:
        """Returns the task's options with `options` applied. Raises `BadValue`."""
        return changed(EVERY_TASK[self.task].options(), self.options.items())

    def resolve_network(self, is_residual: bool) -> str:
        """Returns a name in NETWORKS; `is_residual`: whether the task predicts a correction of its input."""
        return ("local" if is_residual else "unet") if self.network == AUTO else self.network


@dataclass(frozen=True)
class NetworkType:
    """How a denoiser is built, and what runs it in inference."""

    build: Callable[..., nn.Module]
    """(Channels, configuration, *, axes, condition_channels, context_features) → network."""
    for_inference: Callable[[Any], nn.Module] = lambda network: network
    """Network → a module with the same outputs, for signals of any size."""
    reach: Callable[[Any], Sequence[int]] | None = None
    """Network → positions beyond a box on which the outputs inside it depend, by axis; None: all."""


NETWORKS: Mapping[str, NetworkType] = {
    "local": NetworkType(
        lambda channels, config, **shape: LocalResNet(channels, config.local, **shape),
        TiledNetwork,
        lambda network: network.receptive_radius,
    ),
    "unet": NetworkType(lambda channels, config, **shape: UNet(channels, config.unet, **shape)),
}


@dataclass(frozen=True)
class RestorerTrainingConfig(TrainingConfig):
    """Training configuration with the Restorer's optimizer."""

    start: str = ""
    """A run of the same task whose network, normalizer and linear filters are the start; empty: random
    weights, and filters and normalizer of the training data."""
    restorer: OptimizerConfig = field(
        default_factory=lambda: OptimizerConfig(learning_rate=1e-3, batch_size=16)
    )


@dataclass(frozen=True, kw_only=True)
class RestorerRunConfig(RunConfig):
    """Complete configuration of a Restorer run."""

    engine: Literal["restorer"] = "restorer"
    restorer: RestorerConfig = field(default_factory=RestorerConfig)
    training: RestorerTrainingConfig = field(default_factory=RestorerTrainingConfig)

    def portable(self) -> Self:
        own = replace(self.restorer, tokenizers=Path(self.restorer.tokenizers).name)
        training = replace(self.training, start=Path(self.training.start).name)
        return replace(self, restorer=own, training=training)


def tiny() -> RestorerRunConfig:
    """Whole images up to 32 px, or crops of images of any size: minutes on two CPU cores."""
    return RestorerRunConfig()


def small() -> RestorerRunConfig:
    """Whole images up to 64 px: an hour on one GPU."""
    return RestorerRunConfig(data=_of_side(64))


def base() -> RestorerRunConfig:
    """Whole images up to 128 px: a day on a few GPUs."""
    return RestorerRunConfig(data=_of_side(128))


def _of_side(side: int) -> DataConfig:
    return DataConfig(limits={name: {"max_side": side} for name in ("image", "raster")})


PRESETS: dict[str, Callable[[], RestorerRunConfig]] = {"tiny": tiny, "small": small, "base": base}
