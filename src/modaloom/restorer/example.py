"""Training and inference examples of a Restorer.

Shapes: B batch, C channels, D channels of the condition, P members of a set, V features of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True)
class ConditionalExample:
    """A condition and its target; batched examples (`collate`) have B in front of every shape."""

    target: Tensor
    """float32 (C, *axes): the target. At inference, the initial estimate, or zeros."""
    condition: Tensor
    """float32 (D, *axes), on the target's grid: the condition. D may be 0."""
    context: Tensor
    """float32 (P, V): a set of context vectors for the whole signal. V may be 0."""
    task_index: Tensor
    """int64 (): index of the subtask, in [0, num_tasks); each has its own normalization."""


def unlabeled_example(
    condition: Tensor, channels: int, *, context: Tensor | None = None, task_index: int = 0
) -> ConditionalExample:
    """Returns an example whose target is zeros (an expanded view).

    Args:
        condition: float32 (D, *axes).
        channels: C, channels of the target.
        context: float32 (P, V); None: (1, 0).
        task_index: index of the subtask.
    """
    target = condition.new_zeros(()).expand(channels, *condition.shape[1:])
    context = condition.new_zeros(1, 0) if context is None else context
    return ConditionalExample(target, condition, context, torch.tensor(task_index))


def as_batch(example: ConditionalExample) -> ConditionalExample:
    """Returns a single example as a batch of one; tensors are views."""
    return ConditionalExample(*(getattr(example, f.name)[None] for f in fields(ConditionalExample)))


def collate(examples: Sequence[ConditionalExample]) -> ConditionalExample:
    """Stacks examples of equal shapes into a batch."""
    return ConditionalExample(
        *(torch.stack([getattr(example, f.name) for example in examples]) for f in fields(ConditionalExample))
    )
