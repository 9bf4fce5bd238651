"""Coarse to fine: MaskGIT depth by depth, for codes of many residual depths."""

from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter

from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers.maskgit import CHOICE_TEMPERATURE, confidence
from modaloom.diffusion.samplers.ranked_unmasking import ranked_unmasking
from modaloom.diffusion.schedules import SCHEDULES


def coarse_to_fine(
    denoise: CodeDenoiser,
    process: Masked,
    canvas: Canvas,
    times: Tensor,
    *,
    noise: Noise,
    temperature: float = 1.0,
    top_p: float = 1.0,
    choice_temperature: float = CHOICE_TEMPERATURE,
) -> Iterator[Canvas]:
    """MaskGIT's order within a depth, and no finer depth before (SoundStorm, arXiv 2305.09636, §3.3).

    Codes are unmasked by the cosine schedule, few in early steps and many in late ones: what is said is in
    the coarsest depth, which so gets a third of the steps where there are eight. Codes unmasked in one step
    are sampled independently; a step that goes past the end of a depth calls the network again.

    Args:
        denoise, process, canvas, times, noise, temperature, top_p, choice_temperature: as of `maskgit`; of
            the process, the schedule is not used.

    Returns:
        An iterator over the canvas at each later time.

    Raises:
        BadValue: for other times, temperatures or `top_p`, on iteration.
    """
    return ranked_unmasking(
        denoise,
        replace(process, schedule=SCHEDULES["cosine"]),
        canvas,
        times,
        confidence(choice_temperature),
        noise=noise,
        temperature=temperature,
        top_p=top_p,
        candidates=attrgetter("coarsest"),
    )
