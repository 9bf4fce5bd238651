"""Five image degradations, one network, conditioned on the degradation and its strength."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from modaloom.core.errors import check_choice
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.patch_ridge import FilterSpec
from modaloom.restorer.tasks.base import Signals, Task
from modaloom.restorer.tasks.colorize import COLORIZE, Colorize
from modaloom.restorer.tasks.denoise import DENOISE, Denoise
from modaloom.restorer.tasks.inpaint import INPAINT, Inpaint
from modaloom.restorer.tasks.jpeg import JPEG, Jpeg
from modaloom.restorer.tasks.superres import SUPERRES, SuperRes

SUBTASKS: Mapping[str, Task[Any]] = {
    "superres": SUPERRES,
    "colorize": COLORIZE,
    "inpaint": INPAINT,
    "denoise": DENOISE,
    "jpeg": JPEG,
}
"""Tasks whose condition is an image and a mask."""


@dataclass(frozen=True)
class Restore:
    """Options of each subtask, and the selected subtask."""

    degradation: str = "superres"
    """A name in SUBTASKS; training samples them uniformly."""
    superres: SuperRes = field(default_factory=SuperRes)
    colorize: Colorize = field(default_factory=Colorize)
    inpaint: Inpaint = field(default_factory=Inpaint)
    denoise: Denoise = field(default_factory=Denoise)
    jpeg: Jpeg = field(default_factory=Jpeg)

    def __post_init__(self) -> None:
        check_choice("degradation", self.degradation, SUBTASKS)

    @property
    def subtask_options(self) -> Any:
        """Options of the selected degradation."""
        return getattr(self, self.degradation)


def _sample_options(options: Restore, generator: torch.Generator) -> Restore:
    degradation = [*SUBTASKS][int(torch.randint(len(SUBTASKS), (), generator=generator))]
    drawn = replace(options, degradation=degradation)
    return replace(
        drawn, **{degradation: SUBTASKS[degradation].sample_options(drawn.subtask_options, generator)}
    )


def _subtasks(options: Restore) -> dict[str, Restore]:
    return {degradation: replace(options, degradation=degradation) for degradation in SUBTASKS}


def _prepare(signal: Tensor, mask: Tensor | None, options: Restore) -> Tensor:
    return SUBTASKS[options.degradation].prepare(signal, mask, options.subtask_options)


def _degrade(signals: Signals, options: Restore, generator: torch.Generator) -> Signals:
    return SUBTASKS[options.degradation].degrade(signals, options.subtask_options, generator)


def _augment(signals: Signals, options: Restore, generator: torch.Generator) -> Signals:
    return SUBTASKS[options.degradation].augment(signals, options.subtask_options, generator)


def _build_condition(signals: Signals, options: Restore) -> ConditionalExample:
    """The subtask's example, with a context of the one-hot degradation and the subtask's level."""
    example, task_index = (
        SUBTASKS[options.degradation].build_condition(signals, options.subtask_options),
        [*SUBTASKS].index(options.degradation),
    )
    which = torch.eye(len(SUBTASKS))[task_index].to(example.context)
    context = torch.cat([which.expand(len(example.context), -1), example.context], 1)
    return replace(example, context=context, task_index=torch.tensor(task_index))


def _linear_filter(options: Restore) -> FilterSpec:
    return SUBTASKS[options.degradation].linear_filter(options.subtask_options)


def _postprocess(restored: Tensor, signals: Signals, options: Restore) -> Tensor:
    return SUBTASKS[options.degradation].postprocess(restored, signals, options.subtask_options)


def _is_consistent(options: Restore) -> bool:
    return SUBTASKS[options.degradation].is_consistent(options.subtask_options)


def _recolors(options: Restore) -> bool:
    return SUBTASKS[options.degradation].recolors(options.subtask_options)


RESTORE = Task(
    Restore,
    _degrade,
    _build_condition,
    linear_filter=_linear_filter,
    postprocess=_postprocess,
    sample_options=_sample_options,
    augment=_augment,
    prepare=_prepare,
    subtasks=_subtasks,
    is_consistent=_is_consistent,
    recolors=_recolors,
    fixed_options={
        f"{degradation}.{name}": limit
        for degradation, subtask in SUBTASKS.items()
        for name, limit in subtask.fixed_options.items()
    },
    needs_color=any(subtask.needs_color for subtask in SUBTASKS.values()),
    num_tasks=len(SUBTASKS),
)
