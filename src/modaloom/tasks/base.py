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
from modaloom.models.pair import Pair

O = TypeVar("O")  # noqa: E741
"""A task's options, a frozen dataclass."""

REACHES: Mapping[str, Callable[[float, float], bool]] = {"only": operator.eq, "up to": operator.ge}
"""Name → (what an option was trained with, what is asked for) → whether it was practised."""


@dataclass(frozen=True)
class Signals:
    """Signals that belong together; a task says which it needs."""

    want: Tensor | None = None
    """What the answer should be."""
    given: Tensor | None = None
    """What is held instead of it: degraded, or of another stream."""
    style: Tensor | None = None
    """A reference, of any size."""


def wanted(signals: Signals) -> Tensor:
    """Raises `BadValue` where there is none."""
    if signals.want is None:
        raise BadValue("this task learns from the signal that is wanted; there is none")
    return signals.want


def given(signals: Signals) -> Tensor:
    """Raises `BadValue` where there is none."""
    if signals.given is None:
        raise BadValue("this task needs a given signal beside the wanted one; there is none")
    return signals.given


def shown(asked: Pair) -> Tensor:
    """The condition's first channels are the guess that is improved."""
    return asked.condition[: len(asked.target)]


def nothing(asked: Pair) -> Tensor:
    """The answer is made from nothing."""
    return torch.zeros_like(asked.target)


def clipped(restored: Tensor, signals: Signals, options: object) -> Tensor:
    """Into the range of signals."""
    return restored.clamp(0, 1)


def unmasked(signal: Tensor, mask: Tensor | None, options: object) -> Tensor:
    """Raises `BadValue` for a mask."""
    if mask is not None:
        raise BadValue("this task takes no mask; leave it out")
    return signal


def as_it_is(signals: Signals, options: object, generator: torch.Generator) -> Signals:
    """Nothing is made of it."""
    return signals


def as_paired(signals: Signals, options: object, generator: torch.Generator) -> Signals:
    """Nothing is degraded: the data holds the given signal."""
    given(signals)
    return signals


@dataclass(frozen=True)
class Task(Generic[O]):
    """A new one is a file with a function or two, and a line in TASKS."""

    options: type[O]
    degrade: Callable[[Signals, O, torch.Generator], Signals]
    """Signals with `want` → those with what a user would hold instead."""
    ask: Callable[[Signals, O], Pair]
    """Signals that a user holds → the question, its target blank or where the walk starts."""
    guess: Callable[[Pair], Tensor] = shown
    """What the network's answer is added to."""
    finish: Callable[[Tensor, Signals, O], Tensor] = clipped
    """Guess plus answer (C, *axes), the user's signals → the finished signal."""
    draw: Callable[[O, torch.Generator], O] = lambda options, generator: options
    """Options → those of one training pair."""
    vary: Callable[[Signals, O, torch.Generator], Signals] = as_it_is
    """Degraded training signals → others that the task should know, too."""
    start: Callable[[O], float] = lambda options: 1.0
    """The noise level at which a walk begins."""
    hold: Callable[[Tensor, Tensor | None, O], Tensor] = unmasked
    """A user's signal (C, *axes) and mask, bool (*axes), or None → what `ask` takes as given."""
    styled: bool = False
    """Whether it takes a reference."""
    free: bool = False
    """Whether it needs nothing but the shape of the answer."""
    parts: Callable[[O], Mapping[str, O]] = lambda options: {}
    """Of a task that is several: name → options that ask for it."""
    certain: Callable[[O], bool] = lambda options: True
    """Whether an answer, degraded anew, should become what is given."""
    learned: Mapping[str, str] = field(default_factory=dict)
    """Dotted key of an option that training fixes → a name in REACHES. All others are free."""
    coloured: bool = False
    """Whether grey signals, whose channels are equal, teach it nothing."""
    kinds: int = 1
    """Kinds of pairs, each with a scale of its own."""

    @property
    def improves(self) -> bool:
        """Whether the answer is near what is given, and so near each place; else it is made from nothing."""
        return self.guess is not nothing

    @property
    def paired(self) -> bool:
        """Whether the data, and not the task, holds what is given."""
        return self.degrade is as_paired

    def pair(self, signals: Signals, options: O, generator: torch.Generator) -> Pair:
        """A training pair. Raises `BadValue` for signals that the task cannot use."""
        options = self.draw(options, generator)
        held = self.vary(self.degrade(signals, options, generator), options, generator)
        asked = self.ask(held, options)
        return replace(asked, target=wanted(held) - self.guess(asked))

    def answer(self, found: Tensor, asked: Pair, signals: Signals, options: O) -> Tensor:
        """What a restorer found for the question → the finished signal."""
        return self.finish(self.guess(asked) + found, signals, options)
