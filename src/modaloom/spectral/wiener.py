"""Sounds without a white noise of known level: each frequency as far as it stands out of it.

Ephraim & Malah 1984 (doi 10.1109/TASSP.1984.1164453), eq. 51: the ratio of signal to noise before a frame is
known is mostly that of the last one, estimated. Its gain here is Wiener's.
"""

import torch
from torch import Tensor

from modaloom.spectral.stft import STFT

FRAMES = STFT(window=512, hop=128)
SMOOTHING = 0.98
LEAST = 10**-2.5
"""Ratio of the powers below which nothing is taken for a signal: its gain is -50 dB."""
TINY = 1e-20


def wiener(samples: Tensor, sigma: float) -> Tensor:
    """Samples (n,) with noise of standard deviation `sigma` → (n,)."""
    spectrum = FRAMES.analyse(samples)
    noise = sigma**2 * float(torch.hann_window(FRAMES.window).square().sum())
    gains, before = [], torch.zeros(len(spectrum))
    for ratio in (spectrum.abs().square() / max(noise, TINY)).T:
        prior = (SMOOTHING * before + (1 - SMOOTHING) * (ratio - 1).clamp_min(0)).clamp_min(LEAST)
        gain = prior / (1 + prior)
        gains.append(gain)
        before = gain.square() * ratio
    return FRAMES.synthesise(torch.stack(gains, 1) * spectrum, len(samples))
