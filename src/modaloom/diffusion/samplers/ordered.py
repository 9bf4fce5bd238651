"""The walk of the samplers that choose which codes come back first. Shapes: B batch, L positions, K codes."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from modaloom.core.types import Canvas, Denoiser, Field
from modaloom.diffusion.categorical import Noise, categorical
from modaloom.diffusion.frontier import Frontier
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.samplers.reveal import code_noise, moved, outstanding, share, targets

Rank = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""Log-probabilities (B, L, K) of the next codes, drawn codes (B, L), t (B,), uniforms (B, L) → (B, L): those
with the highest come back first."""


@torch.no_grad()
def ordered(
    denoise: Denoiser,
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
    start = canvas
    for s in targets(times):
        uniforms, luck = code_noise(canvas, noise), code_noise(canvas, noise)
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
                codes = categorical(
                    scores, frontier.pick(uniforms[name]), temperature=temperature, top_p=top_p
                )
                order = rank(scores.log_softmax(-1), codes, field.t, frontier.pick(luck[name]))
                chosen[name] = top(order, frontier.open, count)
                canvas = canvas | {name: frontier.write(field, codes, chosen[name])}
            due = outstanding({name: count - chosen[name].sum(1) for name, count in due.items()})
        canvas = moved(canvas, s)
        yield canvas


def remaining(process: Masked, start: Field, s: float) -> Tensor:
    """int64 (B,): how many codes of `start` are to be masked at `s`."""
    return (Frontier.of(start).masked.sum(1) * share(process, start, s)).round().long()


def top(score: Tensor, allowed: Tensor, count: Tensor) -> Tensor:
    """bool (B, L): each row's `count` (B,) highest scores (B, L) among the `allowed`; all if too few."""
    order = score.masked_fill(~allowed, -torch.inf).argsort(dim=1, descending=True, stable=True)
    rank: Tensor = order.argsort(dim=1)
    return allowed & (rank < count[:, None])
