"""Onsets of a sound: peaks of the spectral flux.

Bello et al. 2005 (doi 10.1109/TSA.2005.851998), §III; on mel bands with logarithmic compression, as Böck &
Widmer 2013 (DAFx). A frame stands for its middle, so that a step of the level between two frames is an onset
between them.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from modaloom.spectral.mel import triangles
from modaloom.spectral.stft import STFT

HOPS_PER_SECOND, HOPS_PER_WINDOW = 200, 4
"""5 ms, and windows of 20 ms: times are good to half a hop."""
BANDS = 40
COMPRESSION = 100.0
"""log(1 + c · magnitude / the largest)."""
EARLY = 1
"""Hops before its onset at which a note raises the level most: a window need not be half full."""
GAP = 0.06
"""Least seconds between onsets."""
AROUND, RISE = 0.25, 0.1
"""An onset is above the mean of so many seconds on either side, by this part of the largest flux."""
BLOCK = 4_096
"""Frames that are transformed at once."""


class Onsets(NamedTuple):
    """Where notes begin."""

    times: Tensor
    """float64 (N,): seconds, ascending."""
    strengths: Tensor
    """float64 (N,): in (0, 1], relative to the strongest."""


def find_onsets(samples: Tensor, rate: int) -> Onsets:
    """Samples (n,) in [-1, 1] of one channel at `rate` Hz → onsets; silence has none."""
    flux, step = spectral_flux(samples, rate)
    if not bool((flux > 0).any()):
        return Onsets(torch.zeros(0, dtype=torch.float64), torch.zeros(0, dtype=torch.float64))
    strengths = flux / flux.max()
    near, far = round(GAP / step), round(AROUND / step)
    peak = strengths == functional.max_pool1d(strengths[None], 2 * near + 1, 1, near)[0]
    mean = functional.avg_pool1d(strengths[None], 2 * far + 1, 1, far, count_include_pad=False)[0]
    places = torch.nonzero(peak & (strengths > mean + RISE)).flatten()
    return Onsets((places + EARLY).double() * step, strengths[places])


def spectral_flux(samples: Tensor, rate: int) -> tuple[Tensor, float]:
    """Samples (n,) → float64 (T,), the rise of the level at each border of two frames, and seconds between
    them. The first border is the beginning of the sound, before which is silence."""
    hop = rate // HOPS_PER_SECOND
    stft = STFT(hop * HOPS_PER_WINDOW, hop)
    bands = torch.cat([*_bands(samples.double(), rate, stft)])
    levels = torch.log1p(COMPRESSION * bands / bands.max().clamp_min(1e-9))
    rises = torch.diff(levels, dim=0, prepend=torch.zeros_like(levels[:1]))
    rises[-HOPS_PER_WINDOW:] = 0  # where the sound itself ends
    return rises.clamp_min(0).sum(1), hop / rate


def _bands(samples: Tensor, rate: int, stft: STFT) -> Iterator[Tensor]:
    """Mel magnitudes (T, BANDS) in blocks, those of the whole."""
    weights = triangles(BANDS, stft.num_frequencies, rate)
    num_frames, halo = stft.num_frames(len(samples)), stft.window // stft.hop
    for first in range(0, num_frames, BLOCK):
        begin, end = max(0, first - halo), min(num_frames, first + BLOCK + halo)
        frames = stft.analyse(samples[begin * stft.hop : end * stft.hop])[:, first - begin :]
        yield (weights @ frames[:, : min(BLOCK, num_frames - first)].abs()).T
