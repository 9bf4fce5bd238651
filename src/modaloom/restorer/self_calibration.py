"""How far a network's correction can be trusted on a signal, measured on the signal's own smaller copy.

A super-resolved picture is unknown, but the picture itself is known, and so is a smaller copy of it: what
enlarges the copy is scored on the picture. That patterns recur from scale to scale is the ground of internal
learning (Shocher, Cohen & Irani 2018, arXiv 1712.06087); here a single number is learned from it, so that a
network that has seen nothing like this picture falls back to the linear filter that it starts from.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.tasks.base import Signals, Task

Predict = Callable[[ConditionalExample], Tensor]
"""Example → the network's correction (C, *axes), on the CPU."""


def trust(predict: Predict, task: Task[Any], parts: Iterable[Signals], options: Any) -> float:
    """The weight in [0, 1] with which the correction comes nearest to a signal, from its smaller copy.

    The least-squares solution over parts of the signal: with base b, correction d and truth x,
    w = Σ <x - b, d> / Σ <d, d>. It is 1 for tasks without a smaller copy, for signals too small for one, and
    for a correction that changes nothing.
    """
    match = power = 0.0
    for inputs in parts:
        known = task.smaller(inputs, options)
        if known is None or known.target is None:
            return 1.0
        example = task.build_condition(known, options)
        prediction = predict(example)
        base = task.finalize(torch.zeros_like(prediction), example, known, options)
        change = task.finalize(prediction, example, known, options) - base
        match += float(((known.target - base) * change).sum())
        power += float(change.square().sum())
    return min(1.0, max(0.0, match / power)) if power else 1.0
