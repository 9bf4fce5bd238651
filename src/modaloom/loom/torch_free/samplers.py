"""Samplers of masked diffusion without torch: the order of unmasking. Shapes as in sample.py."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from values import Array, Facts


@dataclass(frozen=True)
class Candidates:
    """A sample of each position's next code."""

    codes: Array
    """int64 (n, L)."""
    log_p: Array
    """float64 (n, L, K)."""
    masked: Array
    """int64 (n, L): masked codes of the position."""
    t: np.float32
    gumbel: Array
    """float64 (n, L) of standard Gumbel noise."""
    options: Facts


def _confidence(found: Candidates) -> Array:
    log_p = np.take_along_axis(found.log_p, found.codes[..., None], -1)[..., 0]
    return np.asarray(log_p + found.options["choice_temperature"] * found.t * found.gumbel)


def _random(found: Candidates) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(found.masked) + found.gumbel)


@dataclass(frozen=True)
class Sampler:
    """In which order codes are unmasked."""

    rank: Callable[[Candidates], Array]
    """Candidates → (n, L): the codes of the highest are unmasked first."""
    masked: Callable[[np.float32], np.float32] = lambda t: 1 - (1 - t)
    """t → the fraction of the codes that is still masked."""
    coarsest: bool = False
    """Whether all codes of a depth are unmasked before those of the next."""


SAMPLERS = {
    "maskgit": Sampler(_confidence),
    "top_probability": Sampler(lambda found: np.asarray(found.log_p.max(-1))),
    "first_hitting": Sampler(_random),
    "coarse_to_fine": Sampler(
        _confidence, lambda t: 1 - (1 - np.sin(t * np.float32(np.pi / 2))), coarsest=True
    ),
}


def log_softmax(logits: Array) -> Array:
    """float64, over the last axis."""
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def gumbel(uniform: Array) -> Array:
    """Standard Gumbel noise of numbers in [0, 1)."""
    return np.asarray(-np.log(-np.log(np.maximum(uniform, np.finfo(np.float64).tiny))))


def pick(logits: Array, uniform: Array, options: Facts) -> Array:
    """Logits (…, K), uniforms (…) → int64 (…): samples at a temperature, of the nucleus."""
    if options["temperature"] == 0:
        return np.asarray(logits.argmax(-1))
    p = np.exp(log_softmax(logits.astype(np.float64) / options["temperature"]))
    if options["top_p"] < 1:
        order = np.argsort(-p, -1, kind="stable")
        ranked = np.take_along_axis(p, order, -1)
        outside = np.cumsum(ranked, -1) - ranked >= options["top_p"]
        np.put_along_axis(p, order, np.where(outside, 0, ranked), -1)
    cumulative = np.cumsum(p, -1)
    return np.asarray((cumulative <= uniform[..., None] * cumulative[..., -1:]).sum(-1))


def times(steps: int) -> Array:
    """float32 (steps + 1,) from 1 to 0, rounded as torch.linspace does."""
    step, i = np.float32(-1) / np.float32(steps), np.arange(steps + 1, dtype=np.float32)
    return np.where(i < (steps + 1) // 2, 1 + step * i, -step * (steps - i)).astype(np.float32)
