"""What a restoration is learned from and asked with.

Shapes: B batch, C channels, D channels of the condition, P members of a set, V features of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pair:
    """One question and its answer; `stacked` ones have B in front of every shape."""

    target: Tensor
    """float32 (C, *axes): the answer. Asking, what the walk starts from, or zeros."""
    condition: Tensor
    """float32 (D, *axes), on the target's grid: what is known of it. D may be 0."""
    context: Tensor
    """float32 (P, V): a set of vectors that holds for the whole signal. V may be 0."""
    kind: Tensor
    """int64 (): which of the task's kinds it is; each has a scale of its own."""


def blank(condition: Tensor, channels: int, *, context: Tensor | None = None, kind: int = 0) -> Pair:
    """A question without an answer: a target of zeros (a view of one), and an empty context."""
    target = condition.new_zeros(()).expand(channels, *condition.shape[1:])
    context = condition.new_zeros(1, 0) if context is None else context
    return Pair(target, condition, context, torch.tensor(kind))


def alone(pair: Pair) -> Pair:
    """A single pair as a batch of one, its large tensors not copied."""
    return Pair(*(getattr(pair, f.name)[None] for f in fields(Pair)))


def stacked(pairs: Sequence[Pair]) -> Pair:
    """Pairs of equal shapes → one of a batch."""
    return Pair(*(torch.stack([getattr(pair, f.name) for pair in pairs]) for f in fields(Pair)))
