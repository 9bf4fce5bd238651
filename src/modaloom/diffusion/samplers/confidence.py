"""Most confident first."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.core.types import Canvas, Denoiser, Field
from modaloom.diffusion.categorical import Noise, categorical, gumbel
from modaloom.diffusion.frontier import Frontier
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.samplers.reveal import code_noise, moved, outstanding, share, targets


@torch.no_grad()
def confidence(
    denoise: Denoiser,
    process: Masked,
    canvas: Canvas,
    times: Tensor,
    *,
    noise: Noise,
    temperature: float = 1.0,
    top_p: float = 1.0,
    jitter: float = 1.0,
) -> Iterator[Canvas]:
    """Draw every position's next code, keep the most confident ones, mask the rest again.

    MaskGIT (arXiv 2202.04200, §3.2): the confidence is the log-probability of the drawn code plus
    `jitter` · t · Gumbel noise. At time s, (1 − α(s)) of the codes of each stream of each sample stay masked;
    a step that asks for none skips the network, one that asks for more codes than there are open positions
    calls it again. Good in few steps, but not exact: confident codes are favoured.

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
                sure = scores.log_softmax(-1).gather(-1, codes[..., None]).squeeze(-1)
                sure = sure + jitter * field.t[:, None] * gumbel(frontier.pick(luck[name]))
                chosen[name] = top(sure, frontier.open, count)
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
