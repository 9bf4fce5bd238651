"""Likelihood of the lengths of variable streams."""

from collections.abc import Sequence

import torch
from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser
from modaloom.diffusion.process import Process
from modaloom.loom.layout import length_field, stream_of


def length_nats(
    denoise: CodeDenoiser,
    process: Process,
    canvas: Canvas,
    wanted: Sequence[str],
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """−log p in nats (B,) of each length of the wanted streams, given the other streams and earlier lengths.

    A length is predicted as it is sampled: without the codes of its stream, before those of later streams.
    """
    nats, shown = {}, {key: f for key, f in canvas.items() if stream_of(key) not in wanted}
    for length in [key for key in map(length_field, wanted) if key in canvas]:
        own = {key: f for key, f in canvas.items() if stream_of(key) == stream_of(length)}
        t = torch.ones_like(own[length].t)
        noisy = process.diffuse(own, dict.fromkeys(own, t), generator=generator)
        logits = denoise(shown | {key: f for key, f in noisy.items() if key != stream_of(length)})
        nats[length] = process.training_loss(logits[length], own[length].state, noisy[length])
        shown |= noisy | {length: own[length]}
    return nats
