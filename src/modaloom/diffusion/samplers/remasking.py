"""Remasking: forward noising before each reverse step, so that sampled codes can be revised."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from modaloom.core.errors import check_range
from modaloom.core.types import Canvas, CodeDenoiser, Field
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.process import Process
from modaloom.diffusion.samplers.base import code_noise, step_ends

Step = Callable[..., Canvas]
"""`step(denoise, process, canvas, s, *, noise, temperature, top_p)`: from each stream's own time to `s`."""


@torch.no_grad()
def remasking(
    denoise: CodeDenoiser,
    process: Process,
    canvas: Canvas,
    times: Tensor,
    *,
    step: Step,
    noise: Noise,
    temperature: float = 1.0,
    top_p: float = 1.0,
    remask: float = 1.0,
) -> Iterator[Canvas]:
    """Before each step from t to s, noise the state forward to t + `remask` · (t − s).

    A corrector step (Campbell et al., arXiv 2205.14987) with the process's own noise. For masked diffusion it
    is remasking (ReMDM, 2503.00307), which lets early codes be revised. Exact for an exact denoiser in the
    limit of short steps. The last step is not noised.

    Args:
        denoise: noisy canvas → logits of the clean codes.
        process: the process whose reverse is sampled.
        canvas: wanted streams at t = `times[0]`, their unknown codes as of the process at that time.
        times: float (S + 1,), falling from at most 1 to exactly 0.
        step: the ancestral step of the process.
        noise: random numbers, one generator per sample.
        temperature: of the codes, at least 0; 0 takes the most probable code.
        top_p: nucleus sampling, in (0, 1].
        remask: forward noising in units of the step, at least 0; 0 is the ancestral sampler.

    Yields:
        The canvas at each later time.

    Raises:
        BadValue: for other times, temperatures, `top_p` or `remask`.
    """
    check_range("remask", remask, 0)
    for s in step_ends(times):
        if s > 0:
            canvas = renoise(process, canvas, s, remask, noise)
        canvas = step(denoise, process, canvas, s, noise=noise, temperature=temperature, top_p=top_p)
        yield canvas


def renoise(process: Process, canvas: Canvas, s: float, remask: float, noise: Noise) -> Canvas:
    """Noise every stream above `s` forward to min(1, t + remask · (t − s)).

    Args:
        process: the forward process.
        canvas: each stream at its own t.
        s: time at the end of the next step, in [0, 1].
        remask: forward noising in units of the step, at least 0.
        noise: random numbers, one generator per sample.

    Returns:
        The noisier canvas.
    """

    def target_time(field: Field) -> Tensor:
        return (field.t + remask * (field.t - s).clamp_min(0)).clamp_max(1)

    uniforms = code_noise(canvas, noise)
    return {
        name: process.advance(field, target_time(field), uniform=uniforms[name])
        for name, field in canvas.items()
    }
