"""Five image degradations, one network, conditioned on the degradation and its strength."""

from collections.abc import Mapping, Sequence
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
    """A name in SUBTASKS; training samples them uniformly, of signals that are no 8-bit colours those that
    need none."""
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


@dataclass(frozen=True)
class Mixture:
    """Several tasks as one: the functions of a `Task`, each that of the subtask that the options select."""

    subtasks: Mapping[str, Task[Any]]

    def _task(self, options: Restore) -> Task[Any]:
        return self.subtasks[check_choice("degradation", options.degradation, self.subtasks)]

    def sample_options(self, options: Restore, generator: torch.Generator) -> Restore:
        degradation = [*self.subtasks][int(torch.randint(len(self.subtasks), (), generator=generator))]
        drawn = replace(options, degradation=degradation)
        own = self._task(drawn).sample_options(drawn.subtask_options, generator)
        return replace(drawn, **{degradation: own})

    def each(self, options: Restore) -> dict[str, Restore]:
        return {degradation: replace(options, degradation=degradation) for degradation in self.subtasks}

    def prepare(self, signal: Tensor, mask: Tensor | None, options: Restore) -> Tensor:
        return self._task(options).prepare(signal, mask, options.subtask_options)

    def check_gaps(self, marked: Sequence[float], options: Restore) -> None:
        self._task(options).check_gaps(marked, options.subtask_options)

    def degrade(self, signals: Signals, options: Restore, generator: torch.Generator) -> Signals:
        return self._task(options).degrade(signals, options.subtask_options, generator)

    def augment(self, signals: Signals, options: Restore, generator: torch.Generator) -> Signals:
        return self._task(options).augment(signals, options.subtask_options, generator)

    def build_condition(self, signals: Signals, options: Restore) -> ConditionalExample:
        """The subtask's example, with a context of the one-hot degradation and the subtask's level."""
        example = self._task(options).build_condition(signals, options.subtask_options)
        task_index = [*self.subtasks].index(options.degradation)
        which = torch.eye(len(self.subtasks))[task_index].to(example.context)
        context = torch.cat([which.expand(len(example.context), -1), example.context], 1)
        return replace(example, context=context, task_index=torch.tensor(task_index))

    def linear_filter(self, options: Restore) -> FilterSpec:
        return self._task(options).linear_filter(options.subtask_options)

    def postprocess(self, restored: Tensor, signals: Signals, options: Restore) -> Tensor:
        return self._task(options).postprocess(restored, signals, options.subtask_options)

    def is_consistent(self, options: Restore) -> bool:
        return self._task(options).is_consistent(options.subtask_options)

    def recolors(self, options: Restore) -> bool:
        return self._task(options).recolors(options.subtask_options)


def restoring(subtasks: Mapping[str, Task[Any]]) -> Task[Restore]:
    """Returns the task of all of some subtasks."""
    mixture, every = Mixture(subtasks), subtasks.values()
    return Task(
        Restore,
        mixture.degrade,
        mixture.build_condition,
        linear_filter=mixture.linear_filter,
        postprocess=mixture.postprocess,
        sample_options=mixture.sample_options,
        augment=mixture.augment,
        prepare=mixture.prepare,
        check_gaps=mixture.check_gaps,
        reach=max(subtask.reach for subtask in every),
        subtasks=mixture.each,
        is_consistent=mixture.is_consistent,
        recolors=mixture.recolors,
        fixed_options={
            f"{degradation}.{name}": limit
            for degradation, subtask in subtasks.items()
            for name, limit in subtask.fixed_options.items()
        },
        needs_8_bits=any(subtask.needs_8_bits for subtask in every),
        needs_color=any(subtask.needs_color for subtask in every),
        num_tasks=len(subtasks),
    )


RESTORE = restoring(SUBTASKS)
RESTORE_ANY = restoring({name: subtask for name, subtask in SUBTASKS.items() if not subtask.needs_8_bits})
"""`RESTORE` of signals that are no 8-bit colours, without the degradations that need these."""
RESTORE_CLIPS = restoring({name: subtask for name, subtask in SUBTASKS.items() if not subtask.needs_color})
"""`RESTORE` of clips, without colours: hints would have to reach through all of a clip."""
