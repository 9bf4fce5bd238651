"""Classifier-free guidance: from denoisers to a guided denoiser."""

from collections.abc import Callable

import torch
from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser, Logits


def drop_given(canvas: Canvas) -> Canvas:
    """The canvas without the streams that are given in every sample of the batch."""
    return {
        name: field for name, field in canvas.items() if bool((~field.known & field.valid[..., None]).any())
    }


def guide(
    denoise: CodeDenoiser, scale: float, *, drop: Callable[[Canvas], Canvas] = drop_given
) -> CodeDenoiser:
    """Classifier-free guidance, p ∝ p_u · (p_c / p_u)^scale (arXiv 2207.12598, eq. 6, there scale − 1).

    Scale 1 is the conditional denoiser, 0 the unconditional one; `drop` removes the condition. Other scales
    cost a second call if `drop` removes something. The guided denoiser returns normalised log-probabilities
    of the streams that remain.
    """
    if scale == 1:
        return denoise

    def guided(canvas: Canvas) -> Logits:
        rest = drop(canvas)
        if scale == 0 or all(rest.get(name) is field for name, field in canvas.items()):
            return denoise(rest)
        conditional, unconditional = denoise(canvas), denoise(rest)
        return {name: extrapolate(unconditional[name], conditional[name], scale) for name in rest}

    return guided


def extrapolate(unconditional: Tensor, conditional: Tensor, scale: float) -> Tensor:
    """Logits (..., K) → log p, p ∝ p_u^(1 − scale) · p_c^scale, at least float32; p = 0 where p_c = 0."""
    dtype = torch.promote_types(conditional.dtype, torch.float32)
    log_u, log_c = unconditional.to(dtype).log_softmax(-1), conditional.to(dtype).log_softmax(-1)
    mixed = log_u + scale * (log_c - log_u)
    return mixed.masked_fill(log_c == -torch.inf, -torch.inf).log_softmax(-1)
