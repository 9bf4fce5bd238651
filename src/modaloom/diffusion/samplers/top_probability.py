"""Top-probability sampling: positions of the most certain distribution first."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers.ranked_unmasking import Candidates, ranked_unmasking


@torch.no_grad()
def top_probability(
    denoise: CodeDenoiser,
    process: Masked,
    canvas: Canvas,
    times: Tensor,
    *,
    noise: Noise,
    temperature: float = 1.0,
    top_p: float = 1.0,
) -> Iterator[Canvas]:
    """Unmask the positions with the largest top probability first (Kim et al. 2025, arXiv 2502.06768).

    The order depends on the unmasked codes alone and not on the codes being sampled: with one code per step
    this is the chain rule, exact for an exact denoiser at temperature 1. See `ranked_unmasking`.

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

    def max_log_p(candidates: Candidates) -> Tensor:
        return candidates.log_p.amax(-1)

    return ranked_unmasking(
        denoise, process, canvas, times, max_log_p, noise=noise, temperature=temperature, top_p=top_p
    )
