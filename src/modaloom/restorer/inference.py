"""Inference with a Restorer: condition, posterior mean or sample, postprocessing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import torch
from torch import Tensor

from modaloom.core.errors import BadValue, check_choice
from modaloom.core.frame import Frames, finished, single
from modaloom.core.rng import derive
from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.noise import CounterNoise, shared_noise
from modaloom.diffusion.samplers.continuous import SIGNAL_SAMPLERS
from modaloom.diffusion.samplers.continuous.timestep_spacing import TIMESTEP_SPACINGS
from modaloom.restorer.config import AUTO, DEFAULT_SAMPLER, MEAN_FLOW, SignalSamplingConfig
from modaloom.restorer.example import ConditionalExample, as_batch
from modaloom.restorer.restorer import Restorer
from modaloom.restorer.self_calibration import trust
from modaloom.restorer.tasks.base import Signals, Task


@dataclass(frozen=True)
class Draw:
    """Which noise a signal has."""

    seed: int
    start: int
    """Position of the signal along the first axis of what it is a stretch of."""


PredictFn = Callable[[Restorer, ConditionalExample, SignalSamplingConfig, Draw, float], Frames[Tensor]]
"""(Restorer, example as a batch of one, sampling, noise, start time) → frames of (1, C, *axes)."""


def run_task(
    restorer: Restorer,
    task: Task[Any],
    inputs: Signals,
    options: Any,
    *,
    mode: str = "",
    sampling: SignalSamplingConfig,
    seed: int = 0,
) -> Tensor:
    """`stream_task` to its end: returns the restored signal (C, *axes), on the CPU."""
    return finished(stream_task(restorer, task, inputs, options, mode=mode, sampling=sampling, seed=seed))


def stream_task(
    restorer: Restorer,
    task: Task[Any],
    inputs: Signals,
    options: Any,
    *,
    mode: str = "",
    sampling: SignalSamplingConfig,
    seed: int = 0,
    start: int = 0,
    weight: float | None = None,
) -> Frames[Tensor]:
    """Restores a signal; yields after each evaluation of the mean, or step of the sampler.

    The mean of a task with a smaller copy (`Task.smaller`) is weighted by what it is worth there.
    Result and preview are finished signals (C, *axes), on the CPU: of the prediction, and of its present
    estimate (`Restorer.stream`). The noise at a position depends on the seed and the position alone.

    Args:
        restorer: the trained model.
        task: the task that it was trained for.
        inputs: prepared input, mask and reference signals.
        options: options of the task.
        mode: mean | sample; empty: the Restorer's default mode.
        sampling: sampler, timestep spacing and number of steps; unused for the mean.
        seed: seed of the noise.
        start: position of the signal along the first axis of what it is a stretch of.
        weight: what the prediction is worth; None: as `calibrated` on these inputs.

    Raises:
        BadValue: signals that the task cannot use, or a mode that the Restorer was not trained for.
    """
    example = task.build_condition(inputs, options)
    restorer.check(example)
    chosen = resolve_mode(restorer, mode)
    batch, time = _to_device(as_batch(example), restorer), task.start_time(options)
    share = calibrated(restorer, task, [inputs], options, chosen) if weight is None else weight

    def finish(prediction: Tensor) -> Tensor:
        return task.finalize(share * prediction[0].cpu(), example, inputs, options)

    return (frame.map(finish) for frame in MODES[chosen](restorer, batch, sampling, Draw(seed, start), time))


def calibrated(
    restorer: Restorer, task: Task[Any], parts: Iterable[Signals], options: Any, mode: str = ""
) -> float:
    """The weight in [0, 1] of a mode's prediction: of the mean, how far it can be trusted (`trust`)."""

    def mean(example: ConditionalExample) -> Tensor:
        return restorer.mean(_to_device(as_batch(example), restorer))[0].cpu()

    return trust(mean, task, parts, options) if resolve_mode(restorer, mode) == MEAN else 1.0


def evaluations(restorer: Restorer, mode: str, sampling: SignalSamplingConfig) -> int:
    """Evaluations of the network, one after the other, that an answer is made of."""
    if resolve_mode(restorer, mode) == MEAN:
        return 1
    name = _sampler(restorer, sampling)
    return sampling.steps * (1 if name == MEAN_FLOW else SIGNAL_SAMPLERS[name].evaluations)


def resolve_mode(restorer: Restorer, mode: str) -> str:
    """Returns the mode, or the Restorer's default if empty. Raises `BadValue` if it was not trained."""
    usual = restorer.modes[0]
    if check_choice("mode", mode or usual, MODES) not in restorer.modes:
        raise BadValue(f"this run has learned no {mode}; take --mode {usual}")
    return mode or usual


def _mean(
    restorer: Restorer, example: ConditionalExample, sampling: SignalSamplingConfig, draw: Draw, start: float
) -> Frames[Tensor]:
    yield from single(restorer.mean(example))


def _sample(
    restorer: Restorer, example: ConditionalExample, sampling: SignalSamplingConfig, draw: Draw, start: float
) -> Frames[Tensor]:
    times = _timesteps(restorer.process, sampling, start)
    name = _sampler(restorer, sampling)
    noise = initial_noise(example, draw, sampling.shared_noise)
    if name == MEAN_FLOW:
        return restorer.stream_mean_flow(example, noise, times)
    walk = CounterNoise(derive(draw.seed, "walk"), draw.start, sampling.shared_noise)
    sampler = partial(SIGNAL_SAMPLERS[name].sample, noise=walk)
    return restorer.stream(example, noise, times, sampler=sampler)


def _sampler(restorer: Restorer, sampling: SignalSamplingConfig) -> str:
    if sampling.sampler == AUTO:
        return MEAN_FLOW if restorer.mean_flow_prob else DEFAULT_SAMPLER
    return sampling.sampler


def _timesteps(process: GaussianProcess, sampling: SignalSamplingConfig, start: float) -> Tensor:
    """Timesteps from `start` down to 0. The first time is set to `start` exactly, also for a spacing that
    begins below 1, so that the initial state has the noise level of `start`."""
    times = TIMESTEP_SPACINGS[sampling.timestep_spacing](process, sampling.steps)
    return start * torch.cat([torch.ones_like(times[:1]), times[1:]])


def initial_noise(example: ConditionalExample, draw: Draw, shared: float = 0.0) -> Tensor:
    """N(0, 1) in the shape of a batch of one; of a clip, all frames share this part of its variance."""
    return shared_noise(draw.seed, example.target.shape[1:], start=draw.start, shared=shared)[None]


MEAN = "mean"
MODES: Mapping[str, PredictFn] = {MEAN: _mean, "sample": _sample}


def _to_device(pair: ConditionalExample, like: Restorer) -> ConditionalExample:
    return ConditionalExample(
        *(getattr(pair, f.name).to(like.scale_K.device) for f in fields(ConditionalExample))
    )
