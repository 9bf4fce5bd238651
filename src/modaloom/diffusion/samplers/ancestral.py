"""The reverse process itself."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.core.types import MASK, Canvas, Denoiser, Field
from modaloom.diffusion.categorical import Noise, categorical
from modaloom.diffusion.frontier import Frontier
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.samplers.reveal import code_noise, moved, outstanding, share, targets


@torch.no_grad()
def ancestral(
    denoise: Denoiser,
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
    start = canvas
    returns, uniforms = code_noise(canvas, noise), code_noise(canvas, noise)
    for s in targets(times):
        due = outstanding(
            {
                name: Frontier.of(field).masked - remaining(process, start[name], returns[name], s)
                for name, field in canvas.items()
            }
        )
        while due:
            logits = denoise(canvas)
            for name, count in due.items():
                frontier = Frontier.of(canvas[name])
                codes = categorical(
                    frontier.pick(logits[name]),
                    frontier.pick(uniforms[name]),
                    temperature=temperature,
                    top_p=top_p,
                )
                canvas = canvas | {name: frontier.write(canvas[name], codes, count > 0)}
            due = outstanding({name: count - 1 for name, count in due.items()})
        canvas = moved(canvas, s)
        yield canvas


def remaining(process: Masked, start: Field, returns: Tensor, s: float) -> Tensor:
    """int64 (B, L): the codes of `start` still masked at `s`; `returns` (B, L, Q) ~ U[0, 1) orders them."""
    later = (start.state == MASK) & (returns < share(process, start, s)[:, None, None])
    return later.sum(-1) * start.valid
