"""Bits per code of held-out data (NELBO), comparable between models with the same tokenizers.

The length of a variable stream counts as one of its codes.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.loom.model import Model

NUM_NOISE_LEVELS = 2
"""Noise levels per sample; the estimate of the bound is unbiased for any number."""


def bits_per_code(
    model: Model, codes: Mapping[str, Tensor], present: Mapping[str, Tensor], *, seed: int = 0
) -> dict[str, float]:
    """Upper bounds in bits per code: `bits.STREAM` given all other streams, `bits_alone.STREAM` given none.

    The noise depends on the seed and the stream only, so values of one run at different steps are comparable.

    Args:
        model: tokenizers and Loom.
        codes: stream → int64 (n, L, Q).
        present: stream → bool (n,). Conditional bounds use the samples that have every stream.
        seed: seed of the noise.
    """
    complete = torch.stack([present[name] for name in codes]).all(0)
    figures = {}
    for name in codes:
        given = [other for other in codes if other != name]
        if given and complete.any():
            figures[f"bits.{name}"] = _stream_bits(model, codes, name, given, complete, seed)
        if present[name].any():
            figures[f"bits_alone.{name}"] = _stream_bits(model, codes, name, (), present[name], seed)
    return figures


def _stream_bits(
    model: Model,
    codes: Mapping[str, Tensor],
    want: str,
    given: Sequence[str],
    rows: Tensor,
    seed: int,
) -> float:
    loom, noise = model.loom, generator(seed, "bits", want)
    chosen = {name: codes[name][rows] for name in (want, *given)}
    nats = loom.nelbo(chosen, [want], given, generator=noise, points=NUM_NOISE_LEVELS)[want]
    return float(nats.mean()) / math.log(2) / float(loom.layout.count(want, chosen[want]).double().mean())
