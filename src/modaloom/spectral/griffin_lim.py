"""Samples of which only the magnitudes of the spectrum are known."""

import math

import torch
from torch import Tensor

from modaloom.spectral.stft import STFT

MOMENTUM = 0.99
ITERATIONS = 64
TINY = 1e-12


def griffin_lim(
    magnitude: Tensor,
    stft: STFT,
    n: int,
    *,
    generator: torch.Generator,
    iterations: int = ITERATIONS,
    momentum: float = MOMENTUM,
    known: Tensor | None = None,
) -> Tensor:
    """Magnitudes (…, F, T) → n samples (…, n) with about these magnitudes, from random phases.

    The fast algorithm of Perraudin, Balazs & Søndergaard 2013 (doi 10.1109/WASPAA.2013.6701851), alg. 2:
    c_k = P₁(P₂(t_{k−1})), t_k = c_k + α (c_k − c_{k−1}), with P₂ to the magnitudes and P₁ to what is the
    spectrum of samples. With α = 0 it is Griffin & Lim's of 1984.

    Args:
        magnitude: ≥ 0.
        stft: the transform that they are of.
        n: number of samples.
        generator: draws the phases, on the CPU.
        iterations: ≥ 0.
        momentum: α, in [0, 1].
        known: complex (…, F, k), the spectrum of the first k frames, which stays as it is.
    """
    turns = torch.rand(magnitude.shape, generator=generator, dtype=magnitude.dtype).to(magnitude.device)
    spectrum = torch.polar(magnitude, 2 * math.pi * turns).mT.contiguous()  # a frame is a row
    held = spectrum[..., :0, :] if known is None else known.mT
    spectrum[..., : held.shape[-2], :] = held
    rows, previous = magnitude.mT.contiguous(), torch.zeros_like(spectrum)
    for _ in range(iterations):
        consistent = stft.analyse(stft.synthesise(spectrum.mT, n)).mT
        spectrum = torch.lerp(previous, consistent, 1 + momentum)
        torch.view_as_real(spectrum).mul_((rows / spectrum.abs().clamp_min_(TINY))[..., None])
        spectrum[..., : held.shape[-2], :] = held
        previous = consistent
    return stft.synthesise(spectrum.mT, n)
