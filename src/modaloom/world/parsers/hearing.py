"""What the parsers of sound hear: samples, spectra, cepstra. Shares no code with the renderers."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.modalities.audio_channels import mixed
from modaloom.modalities.audio_rate import resampled
from modaloom.modalities.audio_value import Audio
from modaloom.world.espeak import HERTZ

Array = NDArray[Any]

RATE = 16_000
"""Of all that is heard, Hz."""
FULL, NARROW = 8000.0, 4000.0
"""Bands that are heard, Hz."""
WINDOW, HOP = 400, 320
"""25 and 20 ms: of the cepstra."""
BAND_MELS, CEPSTRA = 150.0, 10
"""Bands are too wide to tell the pitch."""
RANGE_DB = 35.0
"""Between the loudest band of a sound and silence."""
LEVEL = 6.0
"""Cepstrum 0 of a frame with 1 dB in each band."""


def heard(sound: Audio) -> Array:
    """Samples (n,) at RATE, of all channels together."""
    samples: Array = resampled(mixed(sound.samples, 1), sound.rate, RATE)[0].astype(np.float64)
    return samples


def recorded(said: NDArray[np.float32]) -> Array:
    """What espeak-ng said → samples (n,) at RATE."""
    samples: Array = resampled(said[None], HERTZ, RATE)[0].astype(np.float64)
    return samples


def spectra(samples: Array, window: int, hop: int) -> Array:
    """Samples (n,) → power (T, window / 2 + 1) of Hann windows, the first around sample 0."""
    padded = np.pad(samples, (window // 2, window // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    power: Array = np.abs(np.fft.rfft(frames * np.hanning(window + 1)[:-1])) ** 2
    return power


def cepstra(samples: Array, top: float) -> Array:
    """Samples (n,) → mel-frequency cepstra (T, CEPSTRA) up to `top` Hz (Davis & Mermelstein 1980).

    Levels are relative to the loudest band, and at least -RANGE_DB.
    """
    bands = spectra(samples, WINDOW, HOP) @ _triangles(top).T
    decibels = 10 * np.log10(np.maximum(bands / max(bands.max(), 1e-12), 10 ** (-RANGE_DB / 10)))
    made: Array = decibels @ _cosines(bands.shape[1]).T
    return made


@cache
def _triangles(top: float) -> Array:
    edges = np.arange(0, float(_mel(np.array(top))), BAND_MELS)
    bins = _mel(np.fft.rfftfreq(WINDOW, 1 / RATE))
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    weights: Array = np.clip(np.minimum(rising, falling), 0, None)
    return weights


@cache
def _cosines(bands: int) -> Array:
    angles = np.pi * np.arange(CEPSTRA)[:, None] * (np.arange(bands) + 0.5) / bands
    return np.cos(angles) * LEVEL / bands


def _mel(hz: Array) -> Array:
    return 1127 * np.log1p(hz / 700)
