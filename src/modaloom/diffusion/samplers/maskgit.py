"""Most confident codes first."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser
from modaloom.diffusion.categorical import gumbel
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers.ranked_unmasking import Candidates, ranked_unmasking


@torch.no_grad()
def maskgit(
    denoise: CodeDenoiser,
    process: Masked,
    canvas: Canvas,
    times: Tensor,
    *,
    noise: Noise,
    temperature: float = 1.0,
    top_p: float = 1.0,
    choice_temperature: float = 1.0,
) -> Iterator[Canvas]:
    """Draw every position's next code, keep the most confident ones, mask the rest again.

    MaskGIT (arXiv 2202.04200, §3.2): the confidence is the log-probability of the drawn code plus
    `choice_temperature` · t · Gumbel noise. Forgiving to a denoiser that is not yet good, but not exact:
    likely codes are kept and unlikely ones drawn again, so that what is drawn from nothing is less varied
    than the data.

    Otherwise as `ranked_unmasking`.
    """

    def drawn(candidates: Candidates) -> Tensor:
        sure = candidates.log_p.gather(-1, candidates.codes[..., None]).squeeze(-1)
        return sure + choice_temperature * candidates.t[:, None] * gumbel(candidates.uniform)

    return ranked_unmasking(
        denoise, process, canvas, times, drawn, noise=noise, temperature=temperature, top_p=top_p
    )
