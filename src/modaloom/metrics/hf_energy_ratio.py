"""High-frequency energy of a signal, a measure of detail."""

import torch
from torch import Tensor


def hf_energy(signal: Tensor) -> float:
    """Spectral power of the channel mean of (C, *axes) above half the Nyquist frequency on any axis."""
    flat = signal.double().mean(0)
    power = torch.fft.fftn(flat - flat.mean()).abs().square()
    high_frequencies = torch.zeros(flat.shape, dtype=torch.bool)
    for axis, side in enumerate(flat.shape):
        high = torch.fft.fftfreq(side).abs() > 0.25
        high_frequencies |= high.reshape(-1, *[1] * (flat.ndim - axis - 1))
    return float(power[high_frequencies].sum())
