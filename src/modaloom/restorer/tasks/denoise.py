"""Removal of additive white noise, for signals with any number of axes."""

from dataclasses import dataclass, replace

import torch

from modaloom.core.errors import check_range
from modaloom.degradations.noise import add_noise
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.patch_ridge import FilterSpec
from modaloom.restorer.tasks.base import Signals, Task, require_input, require_target
from modaloom.restorer.tasks.masking import append_full_mask, restoration_example
from modaloom.restorer.tasks.waves import CENTRE, CROP_UNIT, cells_example, clamp_cells, to_cells
from modaloom.spectral.wiener import wiener

NUM_LEVELS = 3
"""Levels of noise between which the linear filter's weights are interpolated."""


@dataclass(frozen=True)
class Denoise:
    """Options of denoising."""

    sigma: float = 25 / 255
    """Standard deviation of the noise as a part of the values' range, in (0, 1]; training samples from 0 to
    this."""

    def __post_init__(self) -> None:
        check_range("sigma", self.sigma, 0, 1, open_low=True)


@dataclass(frozen=True)
class DenoiseSound(Denoise):
    """Options of the denoising of sounds."""

    sigma: float = 0.02
    """As of `Denoise`: 0.02 is noise of -28 dB of full scale."""


def _sample_options(options: Denoise, generator: torch.Generator) -> Denoise:
    return replace(options, sigma=options.sigma * (1 - float(torch.rand((), generator=generator)) ** 2))


def _degrade(signals: Signals, options: Denoise, generator: torch.Generator) -> Signals:
    want = require_target(signals)
    return replace(signals, input=add_noise(want, sigma=options.sigma, generator=generator))


def _build_condition(signals: Signals, options: Denoise) -> ConditionalExample:
    return restoration_example(append_full_mask(require_input(signals)), level=options.sigma)


def _build_cells(signals: Signals, options: Denoise) -> ConditionalExample:
    """The initial estimate is Wiener's; beside it the input."""
    held = require_input(signals)
    cleaned = CENTRE + wiener(held[0] - CENTRE, options.sigma)[None]
    return cells_example(torch.cat([cleaned, held]), level=options.sigma)


DENOISE = Task(
    Denoise,
    _degrade,
    _build_condition,
    linear_filter=lambda options: FilterSpec(levels=NUM_LEVELS, max_level=options.sigma),
    sample_options=_sample_options,
    is_consistent=lambda options: False,
    fixed_options={"sigma": "up to"},
)

DENOISE_SOUND = replace(
    DENOISE,
    options=DenoiseSound,
    build_condition=_build_cells,
    represent=to_cells,
    crop_unit=CROP_UNIT,
    postprocess=clamp_cells,
)
