"""The reverse process of masked diffusion itself."""

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
    """Each masked code returns at its own random time, a position's codes coarse to fine.

    MDLM's ancestral sampler (arXiv 2406.07524, eq. 7) with the return times drawn at the start, which changes
    no law and lets steps without a return skip the network. Codes of *different* positions that return in the
    same step are drawn independently: exact as steps get short. Codes of *one* position that do so are drawn
    in turn, with a network call each.

    `canvas`: unknown codes are `MASK`, wanted streams at t = `times[0]`. Yields a canvas per step of `times`;
    the last one has no masked code at a valid position. Raises `BadValue` for other times or temperatures.
    """
    start, draw = canvas, partial(categorical, temperature=temperature, top_p=top_p)
    returns, uniforms = code_noise(canvas, noise), code_noise(canvas, noise)
    for s in step_ends(times):
        due = returning(process, canvas, start, returns, s)
        canvas = at_time(unmask(denoise, canvas, due, uniforms, draw), s)
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
    """One step of the same law, from wherever the streams are to `s`."""
    draw = partial(categorical, temperature=temperature, top_p=top_p)
    returns, uniforms = code_noise(canvas, noise), code_noise(canvas, noise)
    due = returning(process, canvas, canvas, returns, s)
    return at_time(unmask(denoise, canvas, due, uniforms, draw), s)


def returning(
    process: Masked, canvas: Canvas, start: Canvas, returns: Mapping[str, Tensor], s: float
) -> dict[str, Tensor]:
    """int64 (B, L) by stream: the codes that return until `s`; `returns` (B, L, Q) was drawn at the start."""
    return {
        name: Frontier.of(field).masked - remaining(process, start[name], returns[name], s)
        for name, field in canvas.items()
    }


def remaining(process: Masked, start: Field, returns: Tensor, s: float) -> Tensor:
    """int64 (B, L): the codes of `start` still masked at `s`; `returns` (B, L, Q) ~ U[0, 1) orders them."""
    later = (start.state == MASK) & (returns < masked_fraction(process, start, s)[:, None, None])
    return later.sum(-1) * start.valid
