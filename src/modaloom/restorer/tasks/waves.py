"""Sounds as a network of one axis sees them: cells of some samples each, which are its channels.

A waveform is a signal (1, n) whose silence is `CENTRE`.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.restorer.example import ConditionalExample, unlabeled_example
from modaloom.restorer.tasks.base import Signals, require_input

CELL = 16
"""Samples of a cell."""
CROP_UNIT = 128
"""Samples that one of `crop_sizes` stands for: 8 ms at 16 kHz."""
CENTRE = 32_768 / 65_535
"""Of 16 bits."""


def to_cells(wave: Tensor, options: object = None) -> Tensor:
    """(1, n) → (CELL, ⌈n / CELL⌉); the last sample is repeated."""
    whole = F.pad(wave, (0, -wave.shape[1] % CELL), mode="replicate")
    return whole.reshape(-1, CELL).T


def from_cells(cells: Tensor, n: int) -> Tensor:
    """The inverse of `to_cells`: (CELL, T) → (1, n)."""
    return cells.T.reshape(1, -1)[:, :n]


def cells_example(masked: Tensor, *, level: float = 0.0) -> ConditionalExample:
    """A waveform and what is shown beside it, such as a mask (2, n) → unlabeled example.

    The waveform is its initial estimate; `level` as of `restoration_example`.
    """
    condition = torch.cat([to_cells(masked[:1]), to_cells(masked[1:])])
    return unlabeled_example(condition, CELL, context=masked.new_full((1, 1), level))


def clamp_cells(restored: Tensor, signals: Signals, options: Any) -> Tensor:
    """Cells → a waveform of the input's length, within the limits of its values."""
    return signals.scale.clamp(from_cells(restored, require_input(signals).shape[1]))
