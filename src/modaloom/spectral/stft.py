"""Short-time Fourier transform and its least-squares inverse.

Frame i is centred on the samples i·hop … (i + 1)·hop − 1, for which it stands: n samples have ⌈n / hop⌉
frames. Outside of the signal are zeros, before and after it alike. A frame depends on the samples under its
window alone, so that the frames of a piece that begins at a multiple of hop are those of the whole, but for
the first and last ones, whose windows reach `margin` samples beyond the piece.

Shape letters: n samples, W samples of a window, F frequencies, T frames.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from modaloom.core.errors import BadValue

MAX_KEPT_FRAMES = 4_096
"""Longest sums of squared windows that are kept: those of the blocks of Griffin–Lim."""


@dataclass(frozen=True)
class STFT:
    """Transform with a periodic Hann window. Raises `BadValue` unless window ≥ 2 · hop ≥ 2."""

    window: int
    """W, samples of a window."""
    hop: int
    """Samples between frames. Where W is three or more of them, the squared windows add up to a constant."""

    def __post_init__(self) -> None:
        if not self.window >= 2 * self.hop >= 2:
            raise BadValue(f"window {self.window} and hop {self.hop}: give a window of at least two hops")

    @property
    def n_fft(self) -> int:
        """Length of the transform: W, zero-padded to a power of two."""
        return 1 << (self.window - 1).bit_length()

    @property
    def num_frequencies(self) -> int:
        """F, the frequencies 0, 1/n_fft, …, 1/2 of the rate."""
        return self.n_fft // 2 + 1

    @property
    def margin(self) -> int:
        """Samples of frame 0 before the signal."""
        return (self.window - self.hop) // 2

    def num_frames(self, n: int) -> int:
        """T of n samples."""
        return -(-n // self.hop)

    def analyse(self, samples: Tensor) -> Tensor:
        """Samples (…, n) → complex spectrum (…, F, T)."""
        n = samples.shape[-1]
        length = self._length(self.num_frames(n))
        padded = functional.pad(samples, (self.margin, length - self.margin - n))
        frames = padded.unfold(-1, self.window, self.hop) * self._hann(samples)
        spectrum: Tensor = torch.fft.rfft(frames, self.n_fft).mT
        return spectrum

    def synthesise(self, spectrum: Tensor, n: int) -> Tensor:
        """Spectrum (…, F, T) → n samples (…, n), whose spectrum is the nearest by squared error.

        Griffin & Lim 1984, eq. 6: the windowed frames, added, over the sum of the squared windows.
        """
        frames = torch.fft.irfft(spectrum.mT, self.n_fft)[..., : self.window] * self._hann(spectrum.real)
        inside = slice(self.margin, self.margin + n)
        added = _overlap_add(frames.reshape(-1, *frames.shape[-2:]), self.hop)[:, inside]
        found = added / _squares(self.window, self.hop, frames.shape[-2], frames.dtype, frames.device)[inside]
        samples: Tensor = found.reshape(*spectrum.shape[:-2], n)
        return samples

    def _hann(self, like: Tensor) -> Tensor:
        return torch.hann_window(self.window, dtype=like.dtype, device=like.device)

    def _length(self, num_frames: int) -> int:
        return (num_frames - 1) * self.hop + self.window


def _overlap_add(frames: Tensor, hop: int) -> Tensor:
    """(B, T, W) → (B, length), with zeros up to a multiple of hop."""
    B, T, W = frames.shape
    hops = -(-W // hop)
    parts = functional.pad(frames, (0, hops * hop - W)).view(B, T, hops, hop)
    added = frames.new_zeros(B, T + hops - 1, hop)
    for i in range(hops):
        added[:, i : i + T] += parts[:, :, i]
    return added.flatten(1)


def _squares(window: int, hop: int, num_frames: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(length,): the squared windows, added; kept for the next call, unless they are long."""
    made = _short_squares if num_frames <= MAX_KEPT_FRAMES else _short_squares.__wrapped__
    return made(window, hop, num_frames, dtype, device)


@lru_cache(maxsize=8)
def _short_squares(
    window: int, hop: int, num_frames: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """(length,): the squared windows, added."""
    squares = torch.hann_window(window, dtype=dtype, device=device).square()
    return _overlap_add(squares.expand(1, num_frames, window), hop)[0]
