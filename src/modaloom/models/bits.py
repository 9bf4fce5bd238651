"""Bits per code of held-out data: upper bounds, comparable between models of the same tokenizers."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.models.model import Model

POINTS = 8
"""Noise levels a sample: the bound is unbiased at any number of them."""


def bits(
    model: Model, codes: Mapping[str, Tensor], present: Mapping[str, Tensor], *, seed: int = 0
) -> dict[str, float]:
    """`bits.STREAM` given all the other streams, `bits_alone.STREAM` given none: figures for the log.

    The noise depends on the seed and the stream, so that figures of one run differ by the model alone.

    Args:
        codes: stream → int64 (n, L, Q).
        present: stream → bool (n,). Conditional figures take the samples that have every stream.
    """
    everyone = torch.stack([present[name] for name in codes]).all(0)
    figures = {}
    for name in codes:
        given = [other for other in codes if other != name]
        if given and everyone.any():
            figures[f"bits.{name}"] = _bits(model, codes, name, given, everyone, seed)
        if present[name].any():
            figures[f"bits_alone.{name}"] = _bits(model, codes, name, (), present[name], seed)
    return figures


def _bits(
    model: Model,
    codes: Mapping[str, Tensor],
    want: str,
    given: Sequence[str],
    rows: Tensor,
    seed: int,
) -> float:
    loom, noise = model.loom, generator(seed, "bits", want)
    chosen = {name: codes[name][rows] for name in (want, *given)}
    nats = loom.bound(chosen, [want], given, generator=noise, points=POINTS)[want]
    return float(nats.mean()) / math.log(2) / loom.shapes[want].codes
