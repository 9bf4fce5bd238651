"""Unmasking in order of a rank, for samplers that choose which codes are unmasked first.

Shapes: B batch, L positions, K codes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

import torch
from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser, Field
from modaloom.diffusion.categorical import categorical
from modaloom.diffusion.frontier import Frontier
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers.base import at_time, code_noise, nonempty, step_ends
from modaloom.diffusion.samplers.unmask import masked_fraction


@dataclass(frozen=True)
class Candidates:
    """A sample of each position's next code."""

    codes: Tensor
    """int64 (B, L)."""
    log_p: Tensor
    """float64 (B, L, K): log-probabilities of the codes before temperature and top-p."""
    masked: Tensor
    """int64 (B, L): the number of masked codes of the position; only positions above 0 can be unmasked."""
    t: Tensor
    """float (B,): noise level."""
    uniform: Tensor
    """float64 (B, L) ~ U[0, 1)."""


Rank = Callable[[Candidates], Tensor]
"""Candidates → score (B, L): the codes of the highest score are unmasked first."""


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
    candidates: Callable[[Frontier], Tensor] = attrgetter("open"),
) -> Iterator[Canvas]:
    """Sample every position's next code, keep those of the highest rank, mask the rest again.

    At time s, (1 − α(s)) of the codes of each stream of each sample stay masked. A step that unmasks no code
    skips the network; one that unmasks more codes than there are open positions calls it again. The last
    canvas has no masked code at a valid position.

    Args:
        denoise: noisy canvas → logits of the clean codes.
        process: gives the fraction of masked codes at a time.
        canvas: unknown codes are `MASK`; wanted streams at t = `times[0]`.
        times: float (S + 1,), falling from at most 1 to exactly 0.
        rank: scores of the candidates.
        noise: random numbers, one generator per sample.
        temperature: of the codes, at least 0; 0 takes the most probable code.
        top_p: nucleus sampling, in (0, 1].
        candidates: frontier → bool (B, L): positions whose next code may be unmasked, of those with a masked
            one.

    Yields:
        The canvas at each later time.

    Raises:
        BadValue: for other times, temperatures or `top_p`.
    """
    start, sample = canvas, partial(categorical, temperature=temperature, top_p=top_p)
    for s in step_ends(times):
        uniforms, rank_uniforms = code_noise(canvas, noise), code_noise(canvas, noise)
        counts = nonempty(
            {
                name: Frontier.of(field).masked.sum(1) - num_masked(process, start[name], s)
                for name, field in canvas.items()
            }
        )
        while counts:
            logits = denoise(canvas)
            chosen = {}
            for name, count in counts.items():
                field, frontier = canvas[name], Frontier.of(canvas[name])
                scores = frontier.pick(logits[name]).double()
                codes, log_p = sample(scores, frontier.pick(uniforms[name])), scores.log_softmax(-1)
                found = Candidates(codes, log_p, frontier.masked, field.t, frontier.pick(rank_uniforms[name]))
                chosen[name] = top_k(rank(found), candidates(frontier), count)
                canvas = canvas | {name: frontier.write(field, codes, chosen[name])}
            counts = nonempty({name: count - chosen[name].sum(1) for name, count in counts.items()})
        canvas = at_time(canvas, s)
        yield canvas


def num_masked(process: Masked, start: Field, s: float) -> Tensor:
    """int64 (B,): the number of codes of `start` that stay masked at time `s`."""
    return (Frontier.of(start).masked.sum(1) * masked_fraction(process, start, s)).round().long()


def top_k(score: Tensor, allowed: Tensor, count: Tensor) -> Tensor:
    """bool (B, L): the `count` (B,) highest scores (B, L) of each row among the `allowed`; all if too few."""
    order = score.masked_fill(~allowed, -torch.inf).argsort(dim=1, descending=True, stable=True)
    rank: Tensor = order.argsort(dim=1)
    return allowed & (rank < count[:, None])
