"""Builds a Restorer from its plan and configuration, and converts it to and from model parts."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from modaloom.core.errors import BadRun, BadValue
from modaloom.diffusion import GAUSSIAN_PROCESSES
from modaloom.diffusion.prediction import PREDICTIONS
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import DataSpec, Modality
from modaloom.modalities.scale import Scale
from modaloom.modalities.unit import scale_of
from modaloom.restorer.config import NETWORKS, NetworkType, RestorerConfig
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.patch_ridge import FilterSpec, PatchRidge
from modaloom.restorer.restorer import Restorer
from modaloom.restorer.tasks import Task, tasks_of
from modaloom.restorer.tasks.base import OPTION_LIMITS
from modaloom.runs.config_io import changed, differences, from_plain
from modaloom.runs.model import Part, freeze, with_tensors

RESTORER = "restorer"
"""The Restorer's name among the parts of a model and the stages of a training."""
FILTERS = "filters"
"""Name of the linear filters among the parts of a model; models of tasks without filters lack it."""


@dataclass(frozen=True)
class RestorerPlan:
    """Task, streams and input shape of a Restorer."""

    task: str
    streams: tuple[str, ...]
    """The target stream last; before it the input stream, if the task is paired."""
    modality: str
    spec: DataSpec | None
    """Size that whole signals are fitted to; None: signals of any size."""
    channels: int = 0
    """Channels of the target. `with_input_shape` sets this and the three fields below."""
    axes: int = 0
    """Number of axes of a signal."""
    condition: int = 0
    """Channels of the condition."""
    features: int = 0
    """Features of each context vector."""
    scales: Mapping[str, DataSpec] = field(default_factory=dict)
    """Stream → facts on its values (`SignalCodec.measure`); empty for values without."""

    @property
    def modality_type(self) -> Modality:
        """The modality of all streams."""
        return MODALITIES[self.modality]

    @property
    def signal_channels(self) -> int:
        """Channels of a signal; `channels` are those of what the network predicts."""
        return 1 if self.modality_type.signal.is_waveform else self.channels

    @property
    def task_type(self) -> Task[Any]:
        """The task of these signals, without filters."""
        return tasks_of(self.modality_type.signal)[self.task]

    def facts(self, stream: str) -> DataSpec:
        """Facts on the values of a stream, for `modalities/unit.py`; empty if there are none."""
        return self.scales.get(stream, {})

    @property
    def scale(self) -> Scale:
        """Scale of the target."""
        return scale_of(self.modality_type, self.facts(self.streams[-1]))

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "RestorerPlan":
        """The inverse of `dataclasses.asdict`, after JSON."""
        return cls(**{**plain, "streams": tuple(plain["streams"])})

    def with_input_shape(self, pair: ConditionalExample) -> "RestorerPlan":
        """Returns a copy with the shape of an example."""
        return replace(
            self,
            channels=len(pair.target),
            axes=pair.target.ndim - 1,
            condition=len(pair.condition),
            features=pair.context.shape[-1],
        )


@dataclass(frozen=True)
class Restoration:
    """A trained Restorer with its plan and configuration."""

    plan: RestorerPlan
    config: RestorerConfig
    restorer: Restorer
    filters: tuple[PatchRidge, ...] = ()
    """The linear filter of each subtask; empty: none."""

    @property
    def task(self) -> Task[Any]:
        """The task, with the filters."""
        return replace(self.plan.task_type, filters=self.filters)

    def with_filters(self, examples: Iterable[ConditionalExample]) -> "Restoration":
        """Returns a copy with filters fitted to training examples, which are made without any."""
        plan = self.plan
        filters = self.task.fit_filters(self.options, examples, channels=plan.channels, axes=plan.axes)
        return replace(self, filters=filters)

    @property
    def options(self) -> Any:
        """The task's options that the Restorer was trained with."""
        return changed(self.task.options(), self.config.options.items())

    def reach(self, evaluations: int = 1) -> int:
        """Frames of a clip before and after one on which its answer depends, by so many evaluations of the
        network in turn."""
        reach = _network_type(self.plan, self.config).reach
        assert reach is not None
        network = reach(self.restorer.network)[0]
        return self.task.reach + evaluations * network

    def check(self, options: Any) -> None:
        """Raises `BadValue` for options that are fixed by training and lie outside the trained range."""
        for name, (trained, asked) in differences(self.options, options).items():
            limit = self.task.fixed_options.get(name)
            if limit and not OPTION_LIMITS[limit](trained, asked):
                learned = f"{name} is {asked:g}; this run has learned {limit} {trained:g}"
                raise BadValue(f"{learned}; train one with --set restorer.options.{name}={asked:g}")


def build_restorer(plan: RestorerPlan, config: RestorerConfig, *, seed: int) -> Restorer:
    """Returns a Restorer with freshly initialized weights, which depend on the seed alone."""
    task = plan.task_type
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network_type(plan, config).build(
            plan.channels,
            config,
            axes=plan.axes,
            condition_channels=plan.condition,
            context_features=plan.features,
            interval_conditioned=config.mean_flow_prob > 0,
        )
    return Restorer(
        network,
        GAUSSIAN_PROCESSES[config.process](),
        PREDICTIONS[config.prediction],
        num_tasks=task.num_tasks,
        mean_prob=config.mean_prob if task.is_residual else 0,
        mean_flow_prob=config.mean_flow_prob,
        input_spec=(plan.channels, plan.condition, plan.features),
    )


def _network_type(plan: RestorerPlan, config: RestorerConfig) -> NetworkType:
    """Raises `BadValue` for clips with a network that sees all of a signal."""
    name = config.resolve_network(plan.task_type.is_residual)
    if plan.axes == 3 and NETWORKS[name].reach is None:
        raise BadValue(f"network is {name}; clips are answered a few frames at a time, by network=local")
    return NETWORKS[name]


def pack_restorer(found: Restoration) -> dict[str, Part]:
    """Returns the model parts of a trained Restorer."""
    state = {"plan": asdict(found.plan), "config": asdict(found.config)}
    parts = {RESTORER: Part(found.restorer.state_dict(), state)}
    if found.filters:
        weights = {str(i): one.weight_LPFC for i, one in enumerate(found.filters)}
        parts[FILTERS] = Part(weights, {"specs": [asdict(one.spec) for one in found.filters]})
    return parts


def unpack_restorer(parts: Mapping[str, Part]) -> Restoration:
    """The inverse of `pack_restorer`, in eval mode, with its network as for inference. Raises `BadRun`."""
    try:
        part = parts[RESTORER]
        plan, config = RestorerPlan.of(part.state["plan"]), from_plain(RestorerConfig, part.state["config"])
        restorer = with_tensors(lambda: build_restorer(plan, config, seed=0), part.tensors)
        filters = _unpack_filters(parts.get(FILTERS, Part({}, {"specs": []})))
    except (LookupError, TypeError, AttributeError, RuntimeError, ValueError) as error:
        raise BadRun(f"the model is not one of this version ({error})") from error
    freeze([restorer])
    restorer.network = _network_type(plan, config).for_inference(restorer.network)
    return Restoration(plan, config, restorer, filters)


def _unpack_filters(part: Part) -> tuple[PatchRidge, ...]:
    specs = [FilterSpec(**plain) for plain in part.state["specs"]]
    return tuple(PatchRidge(spec, part.tensors[str(i)].double()) for i, spec in enumerate(specs))
