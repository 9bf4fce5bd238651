"""Guidance: a denoiser in, a denoiser out."""

from collections.abc import Callable

import torch
from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser, Logits
from modaloom.diffusion.prediction import SignalDenoiser


def drop_given(canvas: Canvas) -> Canvas:
    """The canvas without the streams in which no sample of the batch has anything to predict."""
    return {
        name: field for name, field in canvas.items() if bool((~field.known & field.valid[..., None]).any())
    }


def guide(
    denoise: CodeDenoiser, scale: float, *, drop: Callable[[Canvas], Canvas] = drop_given
) -> CodeDenoiser:
    """Classifier-free guidance, p ∝ p_u · (p_c / p_u)^scale (arXiv 2207.12598, eq. 6, there scale − 1).

    Scale 1 is the conditional denoiser itself, 0 the unconditional one; `drop` takes the condition away. Only
    other scales cost a second call, and only if `drop` drops something. Returns normalised log-probabilities
    of the streams that `drop` leaves.
    """
    if scale == 1:
        return denoise

    def guided(canvas: Canvas) -> Logits:
        rest = drop(canvas)
        if scale == 0 or all(rest.get(name) is field for name, field in canvas.items()):
            return denoise(rest)
        high, low = denoise(canvas), denoise(rest)
        return {name: extrapolate(low[name], high[name], scale) for name in rest}

    return guided


def extrapolate(free: Tensor, conditional: Tensor, scale: float) -> Tensor:
    """Logits (..., K) → log p, p ∝ p_u^(1 − scale) · p_c^scale, at least float32; 0 where p_c is."""
    dtype = torch.promote_types(conditional.dtype, torch.float32)
    low, high = free.to(dtype).log_softmax(-1), conditional.to(dtype).log_softmax(-1)
    mixed = low + scale * (high - low)
    return mixed.masked_fill(high == -torch.inf, -torch.inf).log_softmax(-1)


def guide_mean(conditional: SignalDenoiser, free: SignalDenoiser, scale: float) -> SignalDenoiser:
    """The same for signals, whose scores and so whose means mix linearly: D = D_u + scale · (D_c − D_u)."""
    if scale in (0, 1):
        return conditional if scale else free

    def guided(state: Tensor, t: Tensor) -> Tensor:
        low = free(state, t)
        return low + scale * (conditional(state, t) - low)

    return guided
