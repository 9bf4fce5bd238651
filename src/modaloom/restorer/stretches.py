"""Answers to values of any length, a stretch of their first axis at a time: the frames of a clip."""

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
from modaloom.restorer.tasks.masking import check_marked

MAX_VALUES = 2**25
"""Values of an answer that are computed at once, frames of context aside: 128 MiB, and about ten times as
much while they are."""
MAX_CONTEXT = 2**29
"""Most values of a frame with its context."""
RUN, RUNS = 5, 8
"""Frames one after another, and how many times, on which it is measured how far a network is trusted."""


@dataclass(frozen=True)
class StretchedAnswer:
    """What a Restorer answers to a value, up to rounding the same for any number of frames at a time.

    The context of a stretch is as many frames as its answer depends on. Only how far the network is trusted
    (`calibrated`) is measured once, on frames that are spread over the whole.
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
        self._check_mask()
        first, task, restorer = next(self._windows()), self.found.task, self.found.restorer
        weight = calibrated(restorer, task, self._runs(), self.options, self.mode)
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
        """Raises `BadValue` where a frame depends on more than the memory holds."""
        pieces = self._pieces()
        first = next(pieces)
        values = first[:, 0].size * self.found.task.factor(self.options) ** (first.ndim - 2)
        around = min(self.how.length(self.source), 1 + 2 * self._halo)
        if values * around > MAX_CONTEXT:
            raise BadValue(
                f"each frame depends on {around}, which are {values * around:,} values; at most "
                f"{MAX_CONTEXT:,} are computed at once: take fewer --steps, --mode mean, or a smaller clip"
            )
        return windows(chain([first], pieces), max(1, self.max_values // values), self._halo, axis=1)

    def _runs(self) -> Iterator[Signals]:
        """Inputs of `RUNS` times `RUN` frames, in places that depend on the length alone."""
        count = -(-self.how.length(self.source) // RUN)
        places = {i * count // RUNS for i in range(RUNS)}
        runs = islice(windows(self._pieces(), RUN, axis=1), max(places) + 1)
        return (self._inputs(run) for place, run in enumerate(runs) if place in places)

    def _pieces(self) -> Iterator[NDArray[Any]]:
        """The packed source, with the packed mask as further channels."""
        if self.mask is None:
            return self.how.cut(self.source)
        masks = self.how.cut(self.mask)
        every = repeat(next(masks)) if self.how.length(self.mask) == 1 else masks
        return (np.concatenate(pair) for pair in zip(self.how.cut(self.source), every))

    def _check_mask(self) -> None:
        """Raises `BadValue` for a mask of another size or length, and one that the task cannot use."""
        if self.mask is None:
            return
        its, whole = (self.how.length(value) for value in (self.mask, self.source))
        sizes = ["×".join(map(str, next(self.how.cut(one)).shape[:1:-1])) for one in (self.mask, self.source)]
        if its not in (1, whole):
            raise BadValue(f"the mask has {its:,} frames, the clip {whole:,}; give one, or as many")
        if len({*sizes}) > 1:
            raise BadValue(f"the mask is {sizes[0]}, the clip {sizes[1]}; they must be of one size")
        marks = (array_to_mask(self._modality, piece) for piece in self.how.cut(self.mask))
        marked = [int(one.sum()) / one.numel() for one in marks]
        check_marked(any(marked))
        self.found.task.check_gaps(marked, self.options)

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
