"""What a task of restoration is: signals in, a question on the target's grid, a finished signal out.

Signals are float32 (C, *axes) in [0, 1]; pictures have rows before columns.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.restorer.example import ConditionalExample

O = TypeVar("O")  # noqa: E741
"""A task's options, a frozen dataclass."""

OPTION_LIMITS: Mapping[str, Callable[[float, float], bool]] = {"only": operator.eq, "up to": operator.ge}
"""Name → (what an option was trained with, what is asked for) → whether it was practised."""


@dataclass(frozen=True)
class Signals:
    """Signals that belong together; a task says which it needs."""

    target: Tensor | None = None
    """What the answer should be."""
    input: Tensor | None = None
    """What is held instead of it: degraded, or of another stream."""
    reference: Tensor | None = None
    """A reference, of any size."""


def require_target(signals: Signals) -> Tensor:
    """Raises `BadValue` where there is none."""
    if signals.target is None:
        raise BadValue("this task learns from the signal that is wanted; there is none")
    return signals.target


def require_input(signals: Signals) -> Tensor:
    """Raises `BadValue` where there is none."""
    if signals.input is None:
        raise BadValue("this task needs a given signal beside the wanted one; there is none")
    return signals.input


def estimate_from_condition(example: ConditionalExample) -> Tensor:
    """The condition's first channels are the guess that is improved."""
    return example.condition[: len(example.target)]


def zero_estimate(example: ConditionalExample) -> Tensor:
    """The answer is made from nothing."""
    return torch.zeros_like(example.target)


def clamp_output(restored: Tensor, signals: Signals, options: object) -> Tensor:
    """Into the range of signals."""
    return restored.clamp(0, 1)


def reject_mask(signal: Tensor, mask: Tensor | None, options: object) -> Tensor:
    """Raises `BadValue` for a mask."""
    if mask is not None:
        raise BadValue("this task takes no mask; leave it out")
    return signal


def unchanged(signals: Signals, options: object, generator: torch.Generator) -> Signals:
    """Nothing is made of it."""
    return signals


def paired_input(signals: Signals, options: object, generator: torch.Generator) -> Signals:
    """Nothing is degraded: the data holds the given signal."""
    require_input(signals)
    return signals


@dataclass(frozen=True)
class Task(Generic[O]):
    """A new one is a file with a function or two, and a line in TASKS."""

    options: type[O]
    degrade: Callable[[Signals, O, torch.Generator], Signals]
    """Signals with `target` → those with what a user would hold instead."""
    build_condition: Callable[[Signals, O], ConditionalExample]
    """Signals that a user holds → the question, its target blank or where the walk starts."""
    initial_estimate: Callable[[ConditionalExample], Tensor] = estimate_from_condition
    """What the network's answer is added to."""
    postprocess: Callable[[Tensor, Signals, O], Tensor] = clamp_output
    """Guess plus answer (C, *axes), the user's signals → the finished signal."""
    sample_options: Callable[[O, torch.Generator], O] = lambda options, generator: options
    """Options → those of one training pair."""
    augment: Callable[[Signals, O, torch.Generator], Signals] = unchanged
    """Degraded training signals → others that the task should know, too."""
    start_time: Callable[[O], float] = lambda options: 1.0
    """The noise level at which a walk begins."""
    prepare: Callable[[Tensor, Tensor | None, O], Tensor] = reject_mask
    """A user's signal (C, *axes) and mask, bool (*axes), or None → what `build_condition` takes as given."""
    takes_reference: bool = False
    """Whether it takes a reference."""
    unconditional: bool = False
    """Whether it needs nothing but the shape of the answer."""
    subtasks: Callable[[O], Mapping[str, O]] = lambda options: {}
    """Of a task that is several: name → options that ask for it."""
    is_consistent: Callable[[O], bool] = lambda options: True
    """Whether an answer, degraded anew, should become what is given."""
    fixed_options: Mapping[str, str] = field(default_factory=dict)
    """Dotted key of an option that training fixes → a name in OPTION_LIMITS. All others are free."""
    recolors: Callable[[O], bool] = lambda options: False
    """Whether an answer has colours of its own, and not those of what is given."""
    needs_color: bool = False
    """Whether grey signals, whose channels are equal, teach it nothing."""
    num_tasks: int = 1
    """Kinds of pairs, each with a scale of its own."""

    @property
    def is_residual(self) -> bool:
        """Whether the answer is near what is given, and so near each place; else it is made from nothing."""
        return self.initial_estimate is not zero_estimate

    @property
    def paired(self) -> bool:
        """Whether the data, and not the task, holds what is given."""
        return self.degrade is paired_input

    def make_example(self, signals: Signals, options: O, generator: torch.Generator) -> ConditionalExample:
        """A training pair. Raises `BadValue` for signals that the task cannot use."""
        options = self.sample_options(options, generator)
        inputs = self.augment(self.degrade(signals, options, generator), options, generator)
        example = self.build_condition(inputs, options)
        return replace(example, target=require_target(inputs) - self.initial_estimate(example))

    def finalize(
        self, prediction: Tensor, example: ConditionalExample, signals: Signals, options: O
    ) -> Tensor:
        """What a restorer found for the question → the finished signal."""
        return self.postprocess(self.initial_estimate(example) + prediction, signals, options)
