"""A random order, without a clock."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser
from modaloom.diffusion.categorical import gumbel
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers.ranked_unmasking import Candidates, ranked_unmasking


@torch.no_grad()
def first_hitting(
    denoise: CodeDenoiser,
    process: Masked,
    canvas: Canvas,
    times: Tensor,
    *,
    noise: Noise,
    temperature: float = 1.0,
    top_p: float = 1.0,
) -> Iterator[Canvas]:
    """Codes come back one at a time in a random order; in equal groups if there are fewer steps than codes.

    The first-hitting sampler (Zheng et al., arXiv 2409.02908) draws the time at which the next code
    returns, and which one it is. The masked state tells its time to no one, so that times can be left out:
    what is left is an order in which each masked code is as likely to be next, a position's coarsest first.
    That is the law of the reverse process with steps without end, for one network call a code.

    With one code a step it is exact for an exact denoiser. Otherwise as `ranked_unmasking`.
    """

    def chance(candidates: Candidates) -> Tensor:
        # The largest of log m + Gumbel noise is a position drawn in proportion to its m masked codes.
        return candidates.masked.log() + gumbel(candidates.uniform)

    return ranked_unmasking(
        denoise, process, canvas, times, chance, noise=noise, temperature=temperature, top_p=top_p
    )
