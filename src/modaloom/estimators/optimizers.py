"""Optimizers by their Keras names."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from modaloom.core.errors import check_choice

Optimizer = str | Callable[..., torch.optim.Optimizer]
"""A name in OPTIMIZERS or a callable of the parameters, as `functools.partial(torch.optim.Adam, lr=0.01)`."""

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": partial(torch.optim.Adam, fused=True),
    "adamw": torch.optim.AdamW,
    "rmsprop": partial(torch.optim.RMSprop, lr=1e-3),
    "sgd": partial(torch.optim.SGD, lr=0.01),
}
"""Name → factory, with Keras's default learning rates."""


def make_optimizer(optimizer: Optimizer, module: nn.Module) -> torch.optim.Optimizer:
    """An optimizer of the module's parameters. Raises `BadValue` for an unknown name."""
    kind = optimizer if callable(optimizer) else OPTIMIZERS[check_choice("optimizer", optimizer, OPTIMIZERS)]
    return kind(module.parameters())
