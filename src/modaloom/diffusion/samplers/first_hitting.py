"""First-hitting sampling: codes unmasked in random order, one at a time."""

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
    """First-hitting sampler (Zheng et al., arXiv 2409.02908): unmask one code at a time in random order.

    The paper samples the time of the next unmasking and its code. As the denoiser does not depend on t, the
    times can be left out; each masked code is equally likely to be the next, a position's coarsest first.
    This is the reverse process in the limit of infinitely many steps, at one network call per code, and exact
    for an exact denoiser. With fewer steps than codes, equal groups are unmasked per step. See
    `ranked_unmasking`.

    Args:
        denoise: noisy canvas → logits of the clean codes.
        process: the process whose reverse is sampled.
        canvas: wanted streams at t = `times[0]`, their unknown codes as of the process at that time.
        times: float (S + 1,), falling from at most 1 to exactly 0.
        noise: random numbers, one generator per sample.
        temperature: of the codes, at least 0; 0 takes the most probable code.
        top_p: nucleus sampling, in (0, 1].

    Returns:
        An iterator over the canvas at each later time.

    Raises:
        BadValue: for other times, temperatures or `top_p`, on iteration.
    """

    def random_rank(candidates: Candidates) -> Tensor:
        # argmax of log m + Gumbel noise samples a position in proportion to its m masked codes.
        return candidates.masked.log() + gumbel(candidates.uniform)

    return ranked_unmasking(
        denoise, process, canvas, times, random_rank, noise=noise, temperature=temperature, top_p=top_p
    )
