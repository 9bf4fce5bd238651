"""How far apart two waveforms sound: their spectrograms, at several resolutions."""

import torch
from torch import Tensor

from modaloom.spectral.mel import filter_bank
from modaloom.spectral.stft import STFT

WINDOWS = (64, 128, 256, 512, 1024, 2048)
"""Samples: at 16 kHz, 4 to 128 ms. Hops are a quarter of them."""
SAMPLES_PER_BAND = 8
"""Of a window, for each mel band."""
RATE = 16_000
"""Whose mel scale is taken, whatever the rate of the samples."""
FLOOR = 1e-5
"""Magnitude, relative to a sine from -1 to 1, below which all is silence."""
LEAST_MEAN = 1e-3
"""Of magnitudes that errors are relative to, so that silence is not infinitely loud."""


def spectral_distance(reconstruction: Tensor, signal: Tensor) -> Tensor:
    """(B, …, n), (B, …, n) → (B,): the mean over WINDOWS of both

    - the mean absolute difference of log10 mel magnitudes, as of Kumar et al. 2023 (arXiv 2306.06546), §3.4;
    - the mean absolute difference of magnitudes over the mean of the signal's (Arık et al. 2018, arXiv
      1808.06719, eq. 2, with absolute values).

    Phases are free, but for what overlapping windows say of them.
    """
    return torch.stack([_distance(reconstruction, signal, window) for window in WINDOWS]).mean(0)


def _distance(reconstruction: Tensor, signal: Tensor, window: int) -> Tensor:
    stft = STFT(window, window // 4)
    filters = filter_bank(window // SAMPLES_PER_BAND, stft.num_frequencies, RATE).to(signal)
    made, true = (stft.analyse(wave).abs() / (window / 4) for wave in (reconstruction, signal))
    levels = [(filters @ magnitude).clamp_min(FLOOR).log10() for magnitude in (made, true)]
    error = (made - true).abs().flatten(1).mean(1)
    relative = error / true.flatten(1).mean(1).clamp_min(LEAST_MEAN)
    return (levels[0] - levels[1]).abs().flatten(1).mean(1) + relative
