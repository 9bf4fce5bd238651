"""Interface of a restoration task: degradation, condition on the target's grid, postprocessing.

Signals are float32 (C, *axes), in [0, 1] within the range of the training values; images have rows before
columns.
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Generic, TypeVar

import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.modalities.scale import EIGHT_BITS, Scale
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.patch_ridge import FilterSpec, NormalEquations, PatchRidge

O = TypeVar("O")  # noqa: E741
"""A task's options, a frozen dataclass."""

OPTION_LIMITS: Mapping[str, Callable[[float, float], bool]] = {"only": operator.eq, "up to": operator.ge}
"""Name → (trained value, requested value) → whether the training covers the requested value."""


@dataclass(frozen=True)
class Signals:
    """Signals of one sample; a task determines which ones it needs."""

    target: Tensor | None = None
    """The ground truth."""
    input: Tensor | None = None
    """The degraded signal, or that of another stream."""
    reference: Tensor | None = None
    """A reference signal of any size."""
    scale: Scale = field(default=EIGHT_BITS, kw_only=True)
    """Which values the target can have, and the input, if it is degraded from it."""


def require_target(signals: Signals) -> Tensor:
    """Returns the target. Raises `BadValue` if it is missing."""
    if signals.target is None:
        raise BadValue("this task learns from the signal that is wanted; there is none")
    return signals.target


def require_input(signals: Signals) -> Tensor:
    """Returns the input. Raises `BadValue` if it is missing."""
    if signals.input is None:
        raise BadValue("this task needs a given signal beside the wanted one; there is none")
    return signals.input


def estimate_from_condition(example: ConditionalExample) -> Tensor:
    """Residual tasks: the initial estimate is the condition's first C channels."""
    return example.condition[: len(example.target)]


def zero_estimate(example: ConditionalExample) -> Tensor:
    """Non-residual tasks: the initial estimate is zero."""
    return torch.zeros_like(example.target)


def degradation_level(example: ConditionalExample) -> float:
    """The last feature of the context, which is one vector; 0 without features."""
    return float(example.context[:1, -1:].sum())


def as_it_is(target: Tensor, options: object) -> Tensor:
    """Returns the target: the network predicts the signal itself."""
    return target


def clamp_output(restored: Tensor, signals: Signals, options: object) -> Tensor:
    """Clamps to the limits of the values."""
    return signals.scale.clamp(restored)


def reject_mask(signal: Tensor, mask: Tensor | None, options: object) -> Tensor:
    """Returns the signal. Raises `BadValue` if there is a mask."""
    if mask is not None:
        raise BadValue("this task takes no mask; leave it out")
    return signal


def unchanged(signals: Signals, options: object, generator: torch.Generator) -> Signals:
    """Returns the signals unchanged."""
    return signals


def paired_input(signals: Signals, options: object, generator: torch.Generator) -> Signals:
    """Degradation of paired tasks: the input is in the data. Raises `BadValue` if it is missing."""
    require_input(signals)
    return signals


@dataclass(frozen=True)
class Task(Generic[O]):
    """A restoration task. A new one needs a degradation, a condition and an entry in TASKS."""

    options: type[O]
    degrade: Callable[[Signals, O, torch.Generator], Signals]
    """Signals with `target` → signals with `input` (and `reference`, if the task takes one)."""
    build_condition: Callable[[Signals, O], ConditionalExample]
    """Signals with `input` → unlabeled example, its target zeros or the initial state of sampling."""
    initial_estimate: Callable[[ConditionalExample], Tensor] = estimate_from_condition
    """Example → a first estimate of the target, (C, *axes); for residual tasks, see `linear_filter`."""
    linear_filter: Callable[[O], FilterSpec] = lambda options: FilterSpec()
    """Options → what the weights of the linear filter depend on that improves the initial estimate of a
    residual task. The level is the last feature of the example's context."""
    beside: Callable[[ConditionalExample], Tensor] | None = None
    """What the linear filter sees beside the initial estimate, (·, *axes); None: nothing."""
    filters: Sequence[PatchRidge] = ()
    """The fitted filter of each subtask, by `task_index`; empty: the initial estimate is left as it is."""
    postprocess: Callable[[Tensor, Signals, O], Tensor] = clamp_output
    """Estimate plus prediction (C, *axes), input signals → the finished signal."""
    represent: Callable[[Tensor, O], Tensor] = as_it_is
    """The target → what estimate and prediction are of, on the condition's grid; `postprocess` inverts it."""
    crop_unit: int = 1
    """Positions of a training signal that one of `crop_sizes` stands for."""
    factor: Callable[[O], int] = lambda options: 1
    """Positions of the answer for each of the input, along each axis but the time of clips."""
    reach: int = 0
    """Frames of a clip before and after one on which its initial estimate depends."""
    sample_options: Callable[[O, torch.Generator], O] = lambda options, generator: options
    """Options → randomly sampled options of one training example."""
    augment: Callable[[Signals, O, torch.Generator], Signals] = unchanged
    """Degraded training signals → augmented ones."""
    start_time: Callable[[O], float] = lambda options: 1.0
    """Time at which sampling starts, in [0, 1]; 1 is pure noise."""
    smaller: Callable[[Signals, O], Signals | None] = lambda signals, options: None
    """Input signals → the same task with a known answer: a smaller copy of the input as `input`, the input as
    `target`; None if there is none. The posterior mean is calibrated on it, see `self_calibration.py`."""
    prepare: Callable[[Tensor, Tensor | None, O], Tensor] = reject_mask
    """Signal (C, *axes) and mask, bool (*axes), or None → the input of `build_condition`."""
    check_gaps: Callable[[Sequence[float], O], None] = lambda marked, options: None
    """Part of each frame of a clip that its mask marks, in [0, 1]. Raises `BadValue` for a mask that the task
    cannot use."""
    takes_reference: bool = False
    """Whether it takes a reference."""
    unconditional: bool = False
    """Whether it needs nothing but the shape of the target."""
    subtasks: Callable[[O], Mapping[str, O]] = lambda options: {}
    """Name of a subtask → options that select it, in the order of `task_index`; empty for a single task."""
    is_consistent: Callable[[O], bool] = lambda options: True
    """Whether the degraded result should equal the input."""
    fixed_options: Mapping[str, str] = field(default_factory=dict)
    """Dotted key of an option that training fixes → a name in OPTION_LIMITS. Other options are free."""
    recolors: Callable[[O], bool] = lambda options: False
    """Whether the colours of the result differ from those of the input."""
    needs_8_bits: bool = False
    """Whether it is defined for 8-bit grey or colours alone (`SignalCodec.is_8_bit`)."""
    needs_color: bool = False
    """Whether it cannot be trained on grey signals, whose channels are equal."""
    num_tasks: int = 1
    """Number of subtasks with a normalization of their own."""

    @property
    def is_residual(self) -> bool:
        """Whether the network predicts a correction of the input, so that the task is local and applies to
        signals of any size; else it predicts the whole target."""
        return self.initial_estimate is not zero_estimate

    @property
    def paired(self) -> bool:
        """Whether the inputs are a stream of the data, instead of being degraded from the targets."""
        return self.degrade is paired_input

    def make_example(self, signals: Signals, options: O, generator: torch.Generator) -> ConditionalExample:
        """Returns a training example. Raises `BadValue` for signals that the task cannot use."""
        options = self.sample_options(options, generator)
        inputs = self.augment(self.degrade(signals, options, generator), options, generator)
        example = self.build_condition(inputs, options)
        target = self.represent(require_target(inputs), options)
        return replace(example, target=target - self.estimate(example))

    def estimate(self, example: ConditionalExample) -> Tensor:
        """Returns the signal that the network's prediction is added to, (C, *axes): the initial estimate,
        improved by the fitted linear filter."""
        if not self.filters:
            return self.initial_estimate(example)
        return self.filters[int(example.task_index)](self.seen(example), degradation_level(example))

    def seen(self, example: ConditionalExample) -> Tensor:
        """Returns what the linear filter sees: the initial estimate, then what is beside it."""
        initial = self.initial_estimate(example)
        return initial if self.beside is None else torch.cat([initial, self.beside(example)])

    def plain(self, guess: Tensor, signals: Signals, options: O) -> Tensor:
        """Returns the signal that an initial estimate stands for, with nothing enforced where it is one."""
        finish = clamp_output if self.represent is as_it_is else self.postprocess
        return finish(guess, signals, options)

    def fit_filters(
        self, options: O, examples: Iterable[ConditionalExample], *, channels: int, axes: int
    ) -> tuple[PatchRidge, ...]:
        """Returns a linear filter from initial estimate to target for each subtask; none unless residual.

        Args:
            options: options of the task.
            examples: training examples, at least one, made without filters; unbatched.
            channels: channels of the target.
            axes: number of axes of a signal.
        """
        assert not self.filters
        if not self.is_residual:
            return ()
        rest = iter(examples)
        first = next(rest)
        shape = {"channels": len(self.seen(first)), "outputs": channels, "axes": axes}
        specs = [self.linear_filter(one) for one in self.subtasks(options).values() or [options]]
        sums = [NormalEquations(spec, **shape) for spec in specs]
        for example in chain([first], rest):
            sums[int(example.task_index)].add(self.seen(example), example.target, degradation_level(example))
        return tuple(equations.solve() for equations in sums)

    def finalize(
        self, prediction: Tensor, example: ConditionalExample, signals: Signals, options: O
    ) -> Tensor:
        """Returns the finished signal (C, *axes), within the limits of its values.

        Args:
            prediction: output of the Restorer (C, *axes).
            example: the example that it was predicted for.
            signals: the input signals.
            options: options of the task.
        """
        return self.postprocess(self.estimate(example) + prediction, signals, options)
