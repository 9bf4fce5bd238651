"""Tasks of clips that see with each frame those beside it, moved onto it."""

from dataclasses import replace

import torch
from torch import Tensor

from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.tasks.base import O, Signals, Task, estimate_from_condition
from modaloom.restorer.tasks.motion import aligned

OFFSETS = (-1, 1)


def with_neighbours(task: Task[O]) -> Task[O]:
    """The task, the last channels of whose condition are the estimates of the frames before and after; the
    linear filter sees them, too."""

    def build_condition(signals: Signals, options: O) -> ConditionalExample:
        example = task.build_condition(signals, options)
        clip = estimate_from_condition(example)
        near = [aligned(clip, offset) for offset in OFFSETS]
        return replace(example, condition=torch.cat([example.condition, *near]))

    reach = task.reach + max(OFFSETS)
    return replace(task, build_condition=build_condition, beside=neighbours, reach=reach)


def neighbours(example: ConditionalExample) -> Tensor:
    """(2C, T, H, W): the frame before and the one after, on the place of each."""
    return example.condition[-len(OFFSETS) * len(example.target) :]
