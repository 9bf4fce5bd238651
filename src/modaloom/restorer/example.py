"""What a restoration is learned from and asked with.

Shapes: B batch, C channels, D channels of the condition, P members of a set, V features of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True)
class ConditionalExample:
    """One question and its answer; batched ones (`collate`) have B in front of every shape."""

    target: Tensor
    """float32 (C, *axes): the answer. Asking, what the walk starts from, or zeros."""
    condition: Tensor
    """float32 (D, *axes), on the target's grid: what is known of it. D may be 0."""
    context: Tensor
    """float32 (P, V): a set of vectors that holds for the whole signal. V may be 0."""
    task_index: Tensor
    """int64 (): which of the task's kinds it is; each has a scale of its own."""


def unlabeled_example(
    condition: Tensor, channels: int, *, context: Tensor | None = None, task_index: int = 0
) -> ConditionalExample:
    """A question without an answer: a target of zeros (a view of one), and an empty context."""
    target = condition.new_zeros(()).expand(channels, *condition.shape[1:])
    context = condition.new_zeros(1, 0) if context is None else context
    return ConditionalExample(target, condition, context, torch.tensor(task_index))


def as_batch(example: ConditionalExample) -> ConditionalExample:
    """A single example as a batch of one, its large tensors not copied."""
    return ConditionalExample(*(getattr(example, f.name)[None] for f in fields(ConditionalExample)))


def collate(examples: Sequence[ConditionalExample]) -> ConditionalExample:
    """Pairs of equal shapes → one of a batch."""
    return ConditionalExample(
        *(torch.stack([getattr(example, f.name) for example in examples]) for f in fields(ConditionalExample))
    )
