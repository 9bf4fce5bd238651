"""A question put to a restorer, and the finished answer."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import torch
from torch import Tensor

from modaloom.core.errors import BadValue, choose
from modaloom.core.hashed import hashed_signal
from modaloom.core.rng import derive
from modaloom.diffusion.continuous import Continuous
from modaloom.diffusion.noise import HashedNoise
from modaloom.diffusion.samplers.continuous import SAMPLERS
from modaloom.diffusion.samplers.continuous.spacing import SPACINGS
from modaloom.models.pair import Pair, alone
from modaloom.models.restoration import AUTO, JUMP, USUAL, Drawing
from modaloom.models.restorer import Restorer
from modaloom.tasks.base import Signals, Task

Find = Callable[[Restorer, Pair, Drawing, int, float], Tensor]
"""(Restorer, question as a batch of one, how to draw, seed, level to begin at) → what it found."""


def answered(
    restorer: Restorer,
    task: Task[Any],
    held: Signals,
    options: Any,
    *,
    mode: str = "",
    drawing: Drawing,
    seed: int = 0,
) -> Tensor:
    """What a user holds → the finished signal (C, *axes), on the CPU.

    The noise of a place depends on the seed and the place alone.

    Args:
        mode: mean | sample; empty: the Restorer's usual one.

    Raises `BadValue` for signals that the task cannot use, and for a mode that the Restorer has not learned.
    """
    asked = task.ask(held, options)
    restorer.check(asked)
    found = MODES[mode_of(restorer, mode)](
        restorer, _moved(alone(asked), restorer), drawing, seed, task.start(options)
    )
    return task.answer(found[0].cpu(), asked, held, options)


def mode_of(restorer: Restorer, mode: str) -> str:
    """The way of answering that is asked for, or else the Restorer's usual one. Raises `BadValue`."""
    usual = restorer.modes[0]
    if choose("mode", mode or usual, MODES) not in restorer.modes:
        raise BadValue(f"this run has learned no {mode}; take --mode {usual}")
    return mode or usual


def _mean(restorer: Restorer, asked: Pair, drawing: Drawing, seed: int, start: float) -> Tensor:
    return restorer.mean(asked)


def _sample(restorer: Restorer, asked: Pair, drawing: Drawing, seed: int, start: float) -> Tensor:
    process = restorer.process
    assert isinstance(process, Continuous)
    times = _times(process, drawing, start)
    name = (JUMP if restorer.leaps else USUAL) if drawing.sampler == AUTO else drawing.sampler
    if name == JUMP:
        return restorer.leap(asked, _noise(asked, seed), times)
    walk = partial(SAMPLERS[name].walk, noise=HashedNoise(derive(seed, "walk")))
    return restorer.sample(asked, _noise(asked, seed), times, walk=walk)


def _times(process: Continuous, drawing: Drawing, start: float) -> Tensor:
    """From `start` down to 0: a spacing that begins short of pure noise is stretched to it, so that what the
    walk starts from is noise of the very level that the start says."""
    times = SPACINGS[drawing.spacing](process, drawing.steps)
    return start * torch.cat([torch.ones_like(times[:1]), times[1:]])


def _noise(asked: Pair, seed: int) -> Tensor:
    return hashed_signal(seed, asked.target.shape[1:])[None]


MODES: Mapping[str, Find] = {"mean": _mean, "sample": _sample}


def _moved(pair: Pair, like: Restorer) -> Pair:
    return Pair(*(getattr(pair, f.name).to(like.scale_K.device) for f in fields(Pair)))
