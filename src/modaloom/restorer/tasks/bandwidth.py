"""Super-resolution of sounds: the frequencies above those of a lower rate.

Waveforms of what is lost cannot be predicted, and the mean over all that are possible is near silence. What
can be is how loud each frequency is at each moment: the network predicts decibels (the mean of least
log-spectral distance), and phases are those of the input's images, the spectrum that zeros between its
samples have. What is below half of the input's rate is the input's.

Shapes: n samples, F frequencies, T frames, H frequencies above half of the input's rate.
"""

from dataclasses import replace

import torch
from torch import Tensor

from modaloom.degradations.sinc import interpolate
from modaloom.restorer.example import ConditionalExample, unlabeled_example
from modaloom.restorer.patch_ridge import FilterSpec
from modaloom.restorer.tasks.base import Signals, require_input
from modaloom.restorer.tasks.superres import SUPERRES, SuperRes, consistent
from modaloom.restorer.tasks.waves import CENTRE, CROP_UNIT
from modaloom.spectral import STFT

FRAMES = STFT(window=4 * CROP_UNIT, hop=CROP_UNIT)
FULL_SCALE = FRAMES.window / 8
"""Magnitude of a sine of amplitude ½, which is a signal from 0 to 1."""
FLOOR_DB = -120.0
"""Decibels of full scale that are 0 for the network, and nothing; full scale is 1."""
TINY = 1e-20
SIDE = 5
"""Frames that the linear filter sees."""


def _build_condition(signals: Signals, options: SuperRes) -> ConditionalExample:
    """The initial estimate is as loud as the input's images."""
    seen = levels(_images(require_input(signals), options.factor))
    return unlabeled_example(seen, len(seen))


def _represent(want: Tensor, options: SuperRes) -> Tensor:
    return levels(_high(FRAMES.analyse(want - CENTRE), options.factor))


def levels(spectrum: Tensor) -> Tensor:
    """Complex (1, H, T) → decibels (H, T), from `FLOOR_DB`, 0, to full scale, 1; louder is more."""
    decibels = 20 * (spectrum[0].abs() / FULL_SCALE).clamp_min(10 ** (FLOOR_DB / 20)).log10()
    return 1 - decibels / FLOOR_DB


def _images(small: Tensor, factor: int) -> Tensor:
    """Waveform (1, n / factor) → complex (1, H, T): its images, each as loud as the input's own spectrum."""
    spread = small.new_zeros(1, small.shape[1], factor)
    spread[..., 0] = factor * (small - CENTRE)
    return _high(FRAMES.analyse(spread.flatten(1)), factor)


def _high(spectrum: Tensor, factor: int) -> Tensor:
    return spectrum[:, FRAMES.n_fft // (2 * factor) + 1 :]


def _postprocess(restored: Tensor, signals: Signals, options: SuperRes) -> Tensor:
    small, factor = require_input(signals), options.factor
    answer = interpolate(small, factor=factor) + high_band(restored, small, factor)
    if not options.consistent:
        return signals.scale.clamp(answer)
    return consistent(answer, small, factor, signals.scale)


def high_band(loudness: Tensor, small: Tensor, factor: int) -> Tensor:
    """Levels (H, T) of the high band, the input (1, n / factor) → about that band of the answer, (1, n)."""
    images = _images(small, factor)
    magnitude = FULL_SCALE * 10 ** (FLOOR_DB * (1 - loudness) / 20) * (loudness > 0)
    low = images.new_zeros(1, FRAMES.num_frequencies - len(loudness), loudness.shape[1])
    spectrum = torch.cat([low, magnitude * images / images.abs().clamp_min(TINY)], 1)
    return FRAMES.synthesise(spectrum, small.shape[1] * factor)


BANDWIDTH = replace(
    SUPERRES,
    build_condition=_build_condition,
    linear_filter=lambda options: FilterSpec(side=SIDE),
    represent=_represent,
    crop_unit=CROP_UNIT,
    postprocess=_postprocess,
    smaller=lambda signals, options: None,
)
