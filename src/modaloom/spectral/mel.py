"""Log-mel spectrograms: magnitudes in bands of equal width for the ear, in decibels, scaled to [-1, 1]."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from modaloom.core.errors import BadValue, check_choice
from modaloom.spectral.griffin_lim import ITERATIONS, griffin_lim
from modaloom.spectral.stft import STFT

FLOOR_DB = -100.0
"""Level at and below which all is silence, -1; 0 dB, 1, is a sine from -1 to 1 or what is louder."""
HOPS_PER_SECOND, HOPS_PER_WINDOW = 100, 3
NNLS_ITERATIONS = 50
TINY = 1e-12


class Scale(NamedTuple):
    """A scale of pitch."""

    mel: Callable[[Tensor], Tensor]
    """Hz → mel."""
    hz: Callable[[Tensor], Tensor]
    """mel → Hz."""


KNEE, LINEAR, LOG = 1000.0, 200 / 3, math.log(6.4) / 27
"""Slaney's scale is linear below KNEE Hz, LINEAR Hz a mel, and logarithmic above, LOG a mel."""


def _slaney_mel(hz: Tensor) -> Tensor:
    return torch.where(hz < KNEE, hz / LINEAR, KNEE / LINEAR + (hz.clamp_min(KNEE) / KNEE).log() / LOG)


def _slaney_hz(mel: Tensor) -> Tensor:
    above = mel - KNEE / LINEAR
    return torch.where(above < 0, mel * LINEAR, KNEE * (above.clamp_min(0) * LOG).exp())


SCALES: Mapping[str, Scale] = {
    "slaney": Scale(_slaney_mel, _slaney_hz),
    "htk": Scale(lambda hz: 2595 * (1 + hz / 700).log10(), lambda mel: 700 * (10 ** (mel / 2595) - 1)),
}
"""Slaney 1998 (Auditory Toolbox); Young et al. (HTK book), §5.4."""


@cache
def triangles(bands: int, num_frequencies: int, rate: int, scale: str = "slaney") -> Tensor:
    """Triangles (bands, F), float64: 1 at a band's centre, 0 at its neighbours'.

    The centres are equally far on the scale, between 0 Hz and half of the rate.
    """
    pitch = SCALES[check_choice("scale", scale, SCALES)]
    ends = pitch.mel(torch.tensor([0.0, rate / 2], dtype=torch.float64))
    edges = pitch.hz(torch.linspace(ends[0].item(), ends[1].item(), bands + 2, dtype=torch.float64))
    hz = torch.linspace(0, rate / 2, num_frequencies, dtype=torch.float64)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return torch.minimum((hz - low) / (centre - low), (high - hz) / (high - centre)).clamp_min(0)


@cache
def filter_bank(bands: int, num_frequencies: int, rate: int, scale: str = "slaney") -> Tensor:
    """Filters (bands, F), float32: triangles whose weights sum to 1, so that a band is a mean of magnitudes.

    Raises `BadValue` for bands so narrow that no frequency lies in one.
    """
    weights = triangles(bands, num_frequencies, rate, scale)
    total = weights.sum(1, keepdim=True)
    if not bool((total > 0).all()):
        raise BadValue(f"{bands} bands are too many for {num_frequencies} frequencies up to {rate // 2:,} Hz")
    return (weights / total).float()


def nonnegative_inverse(filters: Tensor, mel: Tensor, iterations: int = NNLS_ITERATIONS) -> Tensor:
    """Magnitudes S ≥ 0 (…, F, T) with `filters` @ S near `mel` (…, bands, T), by squared error.

    Starts with the bands interpolated over frequencies; each multiplicative update lowers the error
    (Lee & Seung 2001, eq. 4). Frequencies in no band are 0.
    """
    wanted = filters.mT @ mel
    found = wanted / filters.sum(0).clamp_min(TINY)[:, None]
    for _ in range(iterations):
        found = found * wanted / (filters.mT @ (filters @ found)).clamp_min(TINY)
    return found


@dataclass(frozen=True)
class LogMel:
    """Log-mel spectrogram of sound of one rate, in frames of 10 ms."""

    rate: int
    """Hz."""
    bands: int = 80
    scale: str = "slaney"
    """One of `SCALES`."""

    @property
    def stft(self) -> STFT:
        """The transform: a frame every 10 ms (to the sample), windows of three frames."""
        hop = round(self.rate / HOPS_PER_SECOND)
        return STFT(HOPS_PER_WINDOW * hop, hop)

    @property
    def filters(self) -> Tensor:
        """(bands, F)."""
        return filter_bank(self.bands, self.stft.num_frequencies, self.rate, self.scale)

    @property
    def _sine(self) -> float:
        """Magnitude of a sine from -1 to 1: half of the sum of the Hann window."""
        return self.stft.window / 4

    def encode(self, samples: Tensor) -> Tensor:
        """Samples (…, n) in [-1, 1] → log-mel (…, bands, T) in [-1, 1]."""
        amplitude = self.stft.analyse(samples).abs() / self._sine
        decibels = 20 * (self.filters.to(amplitude) @ amplitude).clamp_min(10 ** (FLOOR_DB / 20)).log10()
        return (1 - 2 * decibels / FLOOR_DB).clamp(-1, 1)

    def magnitude(self, log_mel: Tensor) -> Tensor:
        """Log-mel (…, bands, T) → magnitudes (…, F, T) of the STFT that have it, about."""
        level = (log_mel.clamp(-1, 1) + 1) / 2
        mel = 10 ** (FLOOR_DB * (1 - level) / 20) * (level > 0)
        return nonnegative_inverse(self.filters.to(mel), mel) * self._sine

    def decode(
        self, log_mel: Tensor, n: int, *, generator: torch.Generator, iterations: int = ITERATIONS
    ) -> Tensor:
        """Log-mel (…, bands, T) → n samples (…, n), by `griffin_lim`; not clipped."""
        magnitude = self.magnitude(log_mel)
        return griffin_lim(magnitude, self.stft, n, generator=generator, iterations=iterations)
