"""Mini-batch gradient descent over the rows of a table."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from modaloom.core.errors import WorkFailed
from modaloom.core.rng import generator

BATCH_SIZE = 32
"""Rows a step, as in Keras."""


def descend(
    loss: Callable[[Tensor, torch.Generator], Tensor],
    rows: Tensor,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    seed: int,
) -> Iterator[float]:
    """Step down `loss(batch, generator)`, a scalar; yields its mean over each epoch.

    The rate falls linearly to 0, so that the last weights are not those of one lucky batch. The same seed
    gives the same weights. Raises `WorkFailed` when the loss is no longer finite.
    """
    steps = epochs * math.ceil(len(rows) / BATCH_SIZE)
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    for epoch in range(epochs):
        randomness = generator(seed, "epoch", epoch)
        total = 0.0
        shuffled = rows[torch.randperm(len(rows), generator=randomness)]
        for batch in torch.split(shuffled, BATCH_SIZE):
            optimizer.zero_grad()
            value = loss(batch, randomness)
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            decay.step()
            total += value.item() * len(batch)
        if not math.isfinite(total):
            raise WorkFailed(f"the loss is {total} in epoch {epoch + 1}; try an optimizer with a lower rate")
        yield total / len(rows)
