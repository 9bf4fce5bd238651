"""A question put to a restorer, and the finished answer."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import torch
from torch import Tensor

from modaloom.core.counter_rng import counter_noise
from modaloom.core.errors import BadValue, check_choice
from modaloom.core.rng import derive
from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.noise import CounterNoise
from modaloom.diffusion.samplers.continuous import SIGNAL_SAMPLERS
from modaloom.diffusion.samplers.continuous.timestep_spacing import TIMESTEP_SPACINGS
from modaloom.restorer.config import AUTO, DEFAULT_SAMPLER, MEAN_FLOW, SignalSamplingConfig
from modaloom.restorer.example import ConditionalExample, as_batch
from modaloom.restorer.restorer import Restorer
from modaloom.restorer.tasks.base import Signals, Task

PredictFn = Callable[[Restorer, ConditionalExample, SignalSamplingConfig, int, float], Tensor]
"""(Restorer, question as a batch of one, how to draw, seed, level to begin at) → what it found."""


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
    """What a user holds → the finished signal (C, *axes), on the CPU.

    The noise of a place depends on the seed and the place alone.

    Args:
        mode: mean | sample; empty: the Restorer's usual one.

    Raises `BadValue` for signals that the task cannot use, and for a mode that the Restorer has not learned.
    """
    example = task.build_condition(inputs, options)
    restorer.check(example)
    prediction = MODES[resolve_mode(restorer, mode)](
        restorer, _to_device(as_batch(example), restorer), sampling, seed, task.start_time(options)
    )
    return task.finalize(prediction[0].cpu(), example, inputs, options)


def resolve_mode(restorer: Restorer, mode: str) -> str:
    """The way of answering that is asked for, or else the Restorer's usual one. Raises `BadValue`."""
    usual = restorer.modes[0]
    if check_choice("mode", mode or usual, MODES) not in restorer.modes:
        raise BadValue(f"this run has learned no {mode}; take --mode {usual}")
    return mode or usual


def _mean(
    restorer: Restorer, example: ConditionalExample, sampling: SignalSamplingConfig, seed: int, start: float
) -> Tensor:
    return restorer.mean(example)


def _sample(
    restorer: Restorer, example: ConditionalExample, sampling: SignalSamplingConfig, seed: int, start: float
) -> Tensor:
    times = _timesteps(restorer.process, sampling, start)
    name = (
        (MEAN_FLOW if restorer.mean_flow_prob else DEFAULT_SAMPLER)
        if sampling.sampler == AUTO
        else sampling.sampler
    )
    if name == MEAN_FLOW:
        return restorer.sample_mean_flow(example, _noise(example, seed), times)
    sampler = partial(SIGNAL_SAMPLERS[name].sample, noise=CounterNoise(derive(seed, "walk")))
    return restorer.sample(example, _noise(example, seed), times, sampler=sampler)


def _timesteps(process: GaussianProcess, sampling: SignalSamplingConfig, start: float) -> Tensor:
    """From `start` down to 0: a spacing that begins short of pure noise is stretched to it, so that what the
    walk starts from is noise of the very level that the start says."""
    times = TIMESTEP_SPACINGS[sampling.timestep_spacing](process, sampling.steps)
    return start * torch.cat([torch.ones_like(times[:1]), times[1:]])


def _noise(example: ConditionalExample, seed: int) -> Tensor:
    return counter_noise(seed, example.target.shape[1:])[None]


MODES: Mapping[str, PredictFn] = {"mean": _mean, "sample": _sample}


def _to_device(pair: ConditionalExample, like: Restorer) -> ConditionalExample:
    return ConditionalExample(
        *(getattr(pair, f.name).to(like.scale_K.device) for f in fields(ConditionalExample))
    )
