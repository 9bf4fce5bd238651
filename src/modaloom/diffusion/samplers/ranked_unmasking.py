"""The walk of the samplers that choose which codes come back first. Shapes: B batch, L positions, K codes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser, Field
from modaloom.diffusion.categorical import categorical
from modaloom.diffusion.frontier import Frontier
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers.base import at_time, code_noise, outstanding, step_ends
from modaloom.diffusion.samplers.unmask import masked_fraction


@dataclass(frozen=True)
class Candidates:
    """Each position's next code, as drawn."""

    codes: Tensor
    """int64 (B, L)."""
    log_p: Tensor
    """float64 (B, L, K): the law of the codes before temperature and top-p."""
    masked: Tensor
    """int64 (B, L): how many codes of the position are masked; only those of more than 0 can come back."""
    t: Tensor
    """float (B,): noise level."""
    uniform: Tensor
    """float64 (B, L) ~ U[0, 1)."""


Rank = Callable[[Candidates], Tensor]
"""(B, L): the codes with the highest rank come back first."""


@torch.no_grad()
def ranked_unmasking(
    denoise: CodeDenoiser,
    process: Masked,
    canvas: Canvas,
    times: Tensor,
    rank: Rank,
    *,
    noise: Noise,
    temperature: float = 1.0,
    top_p: float = 1.0,
) -> Iterator[Canvas]:
    """Draw every position's next code, keep those that rank highest, mask the rest again.

    At time s, (1 − α(s)) of the codes of each stream of each sample stay masked; a step that asks for none
    skips the network, one that asks for more codes than there are open positions calls it again.

    `canvas`: unknown codes are `MASK`, wanted streams at t = `times[0]`. Yields a canvas per step of `times`;
    the last one has no masked code at a valid position.
    """
    start, draw = canvas, partial(categorical, temperature=temperature, top_p=top_p)
    for s in step_ends(times):
        uniforms, rank_uniforms = code_noise(canvas, noise), code_noise(canvas, noise)
        due = outstanding(
            {
                name: Frontier.of(field).masked.sum(1) - remaining(process, start[name], s)
                for name, field in canvas.items()
            }
        )
        while due:
            logits = denoise(canvas)
            chosen = {}
            for name, count in due.items():
                field, frontier = canvas[name], Frontier.of(canvas[name])
                scores = frontier.pick(logits[name]).double()
                codes, log_p = draw(scores, frontier.pick(uniforms[name])), scores.log_softmax(-1)
                candidates = Candidates(
                    codes, log_p, frontier.masked, field.t, frontier.pick(rank_uniforms[name])
                )
                chosen[name] = top_k(rank(candidates), frontier.open, count)
                canvas = canvas | {name: frontier.write(field, codes, chosen[name])}
            due = outstanding({name: count - chosen[name].sum(1) for name, count in due.items()})
        canvas = at_time(canvas, s)
        yield canvas


def remaining(process: Masked, start: Field, s: float) -> Tensor:
    """int64 (B,): how many codes of `start` are to be masked at `s`."""
    return (Frontier.of(start).masked.sum(1) * masked_fraction(process, start, s)).round().long()


def top_k(score: Tensor, allowed: Tensor, count: Tensor) -> Tensor:
    """bool (B, L): each row's `count` (B,) highest scores (B, L) among the `allowed`; all if too few."""
    order = score.masked_fill(~allowed, -torch.inf).argsort(dim=1, descending=True, stable=True)
    rank: Tensor = order.argsort(dim=1)
    return allowed & (rank < count[:, None])
