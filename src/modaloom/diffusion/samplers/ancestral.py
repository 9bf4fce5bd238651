"""Ancestral sampling of masked diffusion: the reverse process itself."""

from collections.abc import Iterator, Mapping
from functools import partial

import torch
from torch import Tensor

from modaloom.core.types import MASK, Canvas, CodeDenoiser, Field
from modaloom.diffusion.categorical import categorical
from modaloom.diffusion.frontier import Frontier
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers.base import at_time, code_noise, step_ends
from modaloom.diffusion.samplers.unmask import masked_fraction, unmask


@torch.no_grad()
def ancestral(
    denoise: CodeDenoiser,
    process: Masked,
    canvas: Canvas,
    times: Tensor,
    *,
    noise: Noise,
    temperature: float = 1.0,
    top_p: float = 1.0,
) -> Iterator[Canvas]:
    """Ancestral sampling (MDLM, arXiv 2406.07524, eq. 7): each masked code is unmasked at a random time.

    The unmasking times are sampled at the start, which changes no distribution and lets steps without an
    unmasking skip the network. Codes of *different* positions unmasked in one step are sampled independently,
    which is exact in the limit of short steps; codes of *one* position are sampled in sequence, coarse to
    fine, with a network call each. The last canvas has no masked code at a valid position.

    Args:
        denoise: noisy canvas → logits of the clean codes.
        process: the process whose reverse is sampled.
        canvas: wanted streams at t = `times[0]`, their unknown codes as of the process at that time.
        times: float (S + 1,), falling from at most 1 to exactly 0.
        noise: random numbers, one generator per sample.
        temperature: of the codes, at least 0; 0 takes the most probable code.
        top_p: nucleus sampling, in (0, 1].

    Yields:
        The canvas at each later time.

    Raises:
        BadValue: for other times, temperatures or `top_p`.
    """
    start, sample = canvas, partial(categorical, temperature=temperature, top_p=top_p)
    unmask_at, uniforms = code_noise(canvas, noise), code_noise(canvas, noise)
    for s in step_ends(times):
        counts = num_to_unmask(process, canvas, start, unmask_at, s)
        canvas = at_time(unmask(denoise, canvas, counts, uniforms, sample), s)
        yield canvas


@torch.no_grad()
def ancestral_step(
    denoise: CodeDenoiser,
    process: Masked,
    canvas: Canvas,
    s: float,
    *,
    noise: Noise,
    temperature: float,
    top_p: float,
) -> Canvas:
    """One ancestral step, from each stream's own time to `s`.

    Args:
        denoise: noisy canvas → logits of the clean codes.
        process: the process whose reverse is sampled.
        canvas: each stream at its own `t`.
        s: time at the end of the step, in [0, 1].
        noise: random numbers, one generator per sample.
        temperature: of the codes, at least 0; 0 takes the most probable code.
        top_p: nucleus sampling, in (0, 1].

    Returns:
        The canvas at `s`.
    """
    sample = partial(categorical, temperature=temperature, top_p=top_p)
    unmask_at, uniforms = code_noise(canvas, noise), code_noise(canvas, noise)
    counts = num_to_unmask(process, canvas, canvas, unmask_at, s)
    return at_time(unmask(denoise, canvas, counts, uniforms, sample), s)


def num_to_unmask(
    process: Masked, canvas: Canvas, start: Canvas, unmask_at: Mapping[str, Tensor], s: float
) -> dict[str, Tensor]:
    """The number of codes to unmask at each position until time `s`.

    Args:
        process: gives the probability that a code is still masked at `s`.
        canvas: the current canvas.
        start: the canvas at the start of sampling.
        unmask_at: stream → float (B, L, Q) ~ U[0, 1), sampled at the start.
        s: time at the end of the step, in [0, 1].

    Returns:
        Stream → int64 (B, L).
    """
    return {
        name: Frontier.of(field).masked - num_masked(process, start[name], unmask_at[name], s)
        for name, field in canvas.items()
    }


def num_masked(process: Masked, start: Field, unmask_at: Tensor, s: float) -> Tensor:
    """The number of codes of each position that are still masked at time `s`.

    Args:
        process: gives the probability that a code is still masked at `s`.
        start: the field at the start of sampling.
        unmask_at: float (B, L, Q) ~ U[0, 1), sampled at the start.
        s: in [0, 1].

    Returns:
        int64 (B, L).
    """
    masked = (start.state == MASK) & (unmask_at < masked_fraction(process, start, s)[:, None, None])
    return masked.sum(-1) * start.valid
