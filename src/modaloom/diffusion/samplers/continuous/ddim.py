"""The deterministic walk."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.diffusion.prediction import Levels, Mean


@torch.no_grad()
def ddim(denoise: Mean, process: Levels, x: Tensor, times: Tensor) -> Iterator[Tensor]:
    """DDIM (Song et al. 2021, arXiv 2010.02502, eq. 12 without noise): with D = denoise(x_t, t),

        x_s = √ᾱ(s) D + σ(s) ε̂,   ε̂ = (x_t − √ᾱ(t) D) / σ(t).

    Exact, however few the steps, if D does not depend on x; of first order in the step size else. The walk
    may start at any level and go either way: down to t = 0 it draws, up to t = 1 it encodes data as noise.

    `x` (B, ...) is the state at `times[0]` of `times` (S + 1,); yields the state at each later time. Raises
    `BadValue` unless the times lie in [0, 1] and all rise or all fall.
    """
    _check(times)
    times = times.to(x)
    for t, s in pairwise(time.expand(len(x)) for time in times):
        mean, now = denoise(x, t), process.level(t, x)
        x = process.level(s, x).mix(mean, now.noise_of(x, mean))
        yield x


def _check(times: Tensor) -> None:
    steps = times.diff()
    ordered = len(steps) > 0 and bool((steps < 0).all() or (steps > 0).all())
    if not ordered or times.min() < 0 or times.max() > 1:
        raise BadValue(f"times must all fall or all rise within [0, 1]; got {times.tolist()}")
