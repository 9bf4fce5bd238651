"""Mini-batch gradient descent over the rows of a table."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from modaloom.core.errors import WorkFailed
from modaloom.core.rng import generator

BATCH_SIZE = 32
"""Rows per step, as in Keras."""


def descend(
    loss: Callable[[Tensor, torch.Generator], Tensor],
    rows: Tensor,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    seed: int,
) -> Iterator[float]:
    """Minimise a loss by mini-batch gradient descent; the learning rate decays linearly to 0.

    Args:
        loss: batch (b, columns), generator → scalar.
        rows: float (n, columns).
        optimizer: of the parameters.
        epochs: passes over the rows, at least 1.
        seed: of shuffling and the loss's random numbers.

    Yields:
        The mean loss of each epoch.

    Raises:
        WorkFailed: if the loss is not finite.
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
            raise WorkFailed(
                f"the loss is {total} in epoch {epoch + 1}; try an optimizer with a lower learning rate"
            )
        yield total / len(rows)
