"""Categorical draws whose rare outcomes are as rare as they should be.

Float32 uniforms are multiples of 2⁻²⁴: Gumbel noise made of them has no tail, which silently lowers the
temperature (arXiv 2409.02908). Here a draw inverts the cumulative distribution in float64, which also takes
one uniform per code where Gumbel's trick takes K.
"""

import torch
from torch import Tensor

from modaloom.core.errors import check_range


def gumbel(uniform: Tensor) -> Tensor:
    """Standard Gumbel numbers from uniform ones, float64."""
    return -(-uniform.double().clamp_min(torch.finfo(torch.float64).tiny).log()).log()


def inverse_cdf(logits: Tensor, uniform: Tensor) -> Tensor:
    """int64 (..., N): for `logits` (..., K), the outcomes at the N quantiles `uniform` (..., N) in [0, 1)."""
    cumulative = logits.double().softmax(-1).cumsum(-1)
    # Scaling by the last sum, not dividing by it, keeps u < 1 strictly below it: the last outcome with a
    # probability is then the last one drawn, and outcomes of probability 0 never are.
    return torch.searchsorted(cumulative, uniform.double() * cumulative[..., -1:], right=True)


def categorical(logits: Tensor, uniform: Tensor, *, temperature: float = 1.0, top_p: float = 1.0) -> Tensor:
    """int64 (...): a draw from softmax(logits / temperature) for `logits` (..., K), `uniform` (...).

    −∞ is never drawn. Temperature 0 takes the likeliest. `top_p` keeps the likeliest outcomes that together
    reach that probability (nucleus sampling, arXiv 1904.09751). Raises `BadValue` out of these ranges.
    """
    return inverse_cdf(
        apply_temperature_top_p(logits, temperature=temperature, top_p=top_p), uniform[..., None]
    ).squeeze(-1)


def apply_temperature_top_p(logits: Tensor, *, temperature: float = 1.0, top_p: float = 1.0) -> Tensor:
    """float64 logits (..., K) of the law that `categorical` draws from, with its arguments and errors."""
    check_range("temperature", temperature, 0)
    check_range("top_p", top_p, 0, 1, open_low=True)
    if temperature == 0:
        likeliest = logits.argmax(-1, keepdim=True)
        return torch.full_like(logits, -torch.inf, dtype=torch.float64).scatter(-1, likeliest, 0)
    return nucleus(logits.double() / temperature, top_p)


def nucleus(logits: Tensor, top_p: float) -> Tensor:
    """The logits (..., K) with −∞ outside the smallest set of likeliest outcomes that reaches `top_p`."""
    if top_p == 1:
        return logits
    probabilities, order = logits.softmax(-1).sort(-1, descending=True)
    outside = probabilities.cumsum(-1) - probabilities >= top_p
    return logits.masked_fill(torch.zeros_like(outside).scatter(-1, order, outside), -torch.inf)
