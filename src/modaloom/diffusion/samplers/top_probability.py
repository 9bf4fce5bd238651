"""Most certain positions first."""

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
    """Draw the next code where its distribution is most certain, whatever the draw.

    A position's certainty is its largest probability (Kim et al. 2025, arXiv 2502.06768, compare ways to
    plan the order). The order then depends on what is shown alone, never on the codes being drawn: with one
    code a step this is the chain rule, and exact for an exact denoiser at temperature 1.

    Otherwise as `ranked_unmasking`.
    """

    def likeliest(candidates: Candidates) -> Tensor:
        return candidates.log_p.amax(-1)

    return ranked_unmasking(
        denoise, process, canvas, times, likeliest, noise=noise, temperature=temperature, top_p=top_p
    )
