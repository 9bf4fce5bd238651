"""Categorical sampling by inverting the CDF in float64.

Float32 uniforms are multiples of 2⁻²⁴: Gumbel noise made of them has a truncated tail, which silently lowers
the temperature (arXiv 2409.02908). The inverse CDF also needs one uniform per code, the Gumbel trick K.
"""

import torch
from torch import Tensor

from modaloom.core.errors import check_range


def gumbel(uniform: Tensor) -> Tensor:
    """Standard Gumbel noise, float64, from uniforms in [0, 1)."""
    return -(-uniform.double().clamp_min(torch.finfo(torch.float64).tiny).log()).log()


def inverse_cdf(logits: Tensor, uniform: Tensor) -> Tensor:
    """int64 (..., N): the outcomes of `logits` (..., K) at the N quantiles `uniform` (..., N) in [0, 1)."""
    cumulative = logits.double().softmax(-1).cumsum(-1)
    # Multiplying u by the last sum instead of dividing by it keeps u < 1 strictly below it, so that outcomes
    # of probability 0 are never sampled.
    return torch.searchsorted(cumulative, uniform.double() * cumulative[..., -1:], right=True)


def categorical(logits: Tensor, uniform: Tensor, *, temperature: float = 1.0, top_p: float = 1.0) -> Tensor:
    """Sample from softmax(logits / temperature), truncated to the nucleus.

    Args:
        logits: float (..., K); an outcome at −∞ is never sampled.
        uniform: float (...) ~ U[0, 1).
        temperature: at least 0; 0 takes the most probable outcome.
        top_p: in (0, 1]; keeps the smallest set of most probable outcomes with at least this probability
            (nucleus sampling, arXiv 1904.09751).

    Returns:
        int64 (...).

    Raises:
        BadValue: for a temperature or `top_p` out of range.
    """
    return inverse_cdf(
        apply_temperature_top_p(logits, temperature=temperature, top_p=top_p), uniform[..., None]
    ).squeeze(-1)


def apply_temperature_top_p(logits: Tensor, *, temperature: float = 1.0, top_p: float = 1.0) -> Tensor:
    """float64 logits (..., K) of the distribution that `categorical` samples; same arguments and errors."""
    check_range("temperature", temperature, 0)
    check_range("top_p", top_p, 0, 1, open_low=True)
    if temperature == 0:
        mode = logits.argmax(-1, keepdim=True)
        return torch.full_like(logits, -torch.inf, dtype=torch.float64).scatter(-1, mode, 0)
    return nucleus(logits.double() / temperature, top_p)


def nucleus(logits: Tensor, top_p: float) -> Tensor:
    """Logits (..., K) with −∞ outside the smallest set of most probable outcomes that reaches `top_p`."""
    if top_p == 1:
        return logits
    probabilities, order = logits.softmax(-1).sort(-1, descending=True)
    outside = probabilities.cumsum(-1) - probabilities >= top_p
    return logits.masked_fill(torch.zeros_like(outside).scatter(-1, order, outside), -torch.inf)
