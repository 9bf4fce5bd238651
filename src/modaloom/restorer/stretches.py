"""Answers to values of any length, a stretch of their first axis at a time: the frames of a clip."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.core.frame import Frames, finished, last
from modaloom.core.windows import Window, windows
from modaloom.modalities.base import Modality, Value
from modaloom.modalities.signal_codec import Stretches
from modaloom.modalities.unit import array_to_mask, array_to_unit, from_unit, unit_to_array
from modaloom.restorer.config import SignalSamplingConfig
from modaloom.restorer.files import Restoration
from modaloom.restorer.inference import calibrated, evaluations, stream_task
from modaloom.restorer.tasks import Signals

MAX_VALUES = 2**25
"""Values of an answer that are computed at once, frames of context aside: 128 MiB, and about ten times as
much while they are."""


@dataclass(frozen=True)
class StretchedAnswer:
    """What a Restorer answers to a value, up to rounding the same for any number of frames at a time.

    The context of a stretch is as many frames as its answer depends on. Only how far the network is trusted
    (`calibrated`) is measured once, on the first stretch.
    """

    found: Restoration
    how: Stretches
    source: Value
    mask: Value | None
    """As long as the source, or one frame for all."""
    options: Any
    """Of the task."""
    mode: str
    sampling: SignalSamplingConfig
    seed: int
    max_values: int = MAX_VALUES

    def stream(self) -> Frames[Value]:
        """Answers the first stretch, step by step; the value that the last step returns answers the others
        when its frames are asked for. Previews are of the first stretch.

        Raises `BadValue` and `BadFile`, at once.
        """
        first, task, restorer = next(self._windows()), self.found.task, self.found.restorer
        weight = calibrated(restorer, task, self._inputs(first), self.options, self.mode)
        return self._shown(self._answer(first, 0, weight), weight)

    def _shown(self, frames: Frames[Tensor], weight: float) -> Frames[Value]:
        for frame in frames:
            if frame.result is None:
                yield frame.map(lambda signal: from_unit(self._modality, self._facts, signal))
            else:
                yield last(self._whole(self._packed(frame.result), weight), total=frame.total)

    def _whole(self, first: NDArray[Any], weight: float) -> Value:
        def pieces() -> Iterator[NDArray[Any]]:
            yield first
            start = first.shape[1]
            for window in islice(self._windows(), 1, None):
                yield self._packed(finished(self._answer(window, start, weight)))
                start += window.own

        return self.how.made(pieces, self.source, self.found.task.factor(self.options))

    def _answer(self, window: Window, start: int, weight: float) -> Frames[Tensor]:
        """The frames of a stretch, without its context; `start`: its first position."""
        frames = stream_task(
            self.found.restorer,
            self.found.task,
            self._inputs(window),
            self.options,
            mode=self.mode,
            sampling=self.sampling,
            seed=self.seed,
            start=start - window.before,
            weight=weight,
        )
        return (frame.map(lambda signal: signal.narrow(1, window.before, window.own)) for frame in frames)

    def _inputs(self, window: Window) -> Signals:
        signal, mask = self._split(window.array)
        task, scale = self.found.task, self.found.plan.scale
        return Signals(input=task.prepare(signal, mask, self.options), scale=scale)

    def _split(self, array: NDArray[Any]) -> tuple[Tensor, Tensor | None]:
        """The signal and the mask of a part of `_pieces`."""
        signal, *masks = np.split(array, 1 if self.mask is None else 2)
        mask = array_to_mask(self._modality, masks[0]) if masks else None
        return array_to_unit(self._modality, self._facts, signal), mask

    def _windows(self) -> Iterator[Window]:
        pieces = self._pieces()
        first = next(pieces)
        channels, _, *sides = first.shape
        factor = self.found.task.factor(self.options)
        size = max(1, self.max_values // (channels * math.prod(side * factor for side in sides)))
        return windows(chain([first], pieces), size, self._halo, axis=1)

    def _pieces(self) -> Iterator[NDArray[Any]]:
        """The packed source, with the packed mask as further channels."""
        if self.mask is None:
            yield from self.how.cut(self.source)
            return
        masks = self.how.cut(self.mask)
        first, second = next(masks), next(masks, None)
        rest = repeat(first) if second is None else chain([first, second], masks)
        for piece in self.how.cut(self.source):
            mask = next(rest, None)
            if mask is None:
                raise BadValue("the mask ends before the clip; give one frame, or as many as the clip has")
            if mask.shape != piece.shape:
                sizes = ["×".join(map(str, one.shape[:1:-1])) for one in (mask, piece)]
                raise BadValue(f"the mask is {sizes[0]}, the clip {sizes[1]}; they must be of one size")
            yield np.concatenate([piece, mask])

    def _packed(self, signal: Tensor) -> NDArray[Any]:
        return unit_to_array(self._modality, self._facts, signal)

    @property
    def _halo(self) -> int:
        """Frames before and after one on which its answer depends."""
        return self.found.reach(evaluations(self.found.restorer, self.mode, self.sampling))

    @property
    def _modality(self) -> Modality:
        return self.found.plan.modality_type

    @property
    def _facts(self) -> dict[str, Any]:
        return dict(self.found.plan.facts(self.found.plan.streams[-1]))
