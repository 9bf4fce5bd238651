"""Sounds as log-mel spectrograms in 16 bits, and back by Griffin–Lim: whole, or in pieces of any length."""

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.core.windows import windows
from modaloom.modalities.audio_channels import mixed
from modaloom.modalities.audio_rate import resampled_pieces
from modaloom.modalities.audio_spec import fit, log_mel_of
from modaloom.modalities.audio_value import Audio, Samples
from modaloom.modalities.base import DataSpec
from modaloom.spectral import decode_pieces

LEVELS = 32_768
"""Packed steps of a signal from 0 to 1: 16 bits."""
AUDIBLE = -0.8
"""Of a log-mel: -90 dB."""
SEED = 0
"""Of the phases that a spectrogram does not have."""
FRAMES = 4096
"""Frames that are computed at once of a sound in pieces."""

Packed = NDArray[np.int16]
"""(tracks · bands, frames): -100 dB as -32,768, 0 dB as 32,767."""


def normalize(packed: Tensor) -> Tensor:
    """int16 (B, C, n) → float32 in [-1, 1]; 0 is 0."""
    return packed.float() / LEVELS


def denormalize(signal: Tensor) -> Tensor:
    """float (B, C, n) → int16, rounded and clipped."""
    return (signal.float() * LEVELS).round().clamp(-LEVELS, LEVELS - 1).to(torch.int16)


def pack(sound: Audio, spec: DataSpec) -> Packed:
    """Sound → log-mel."""
    return _packed(fit(sound, spec).samples, spec)


def pack_pieces(sounds: Iterable[Audio], spec: DataSpec) -> Iterator[tuple[Packed, int]]:
    """Pieces of a sound, at least one → pieces of its log-mel, each with the number of samples, at the
    spec's rate, that it is of. Together they are `pack` of the whole, without a limit of its length."""
    stft = log_mel_of(spec).stft
    halo = -(-(stft.window - stft.hop - stft.margin) // stft.hop)
    for window in windows(fitted(sounds, spec), FRAMES * stft.hop, halo * stft.hop):
        first = window.before // stft.hop
        frames = _packed(window.array, spec)[:, first : first + stft.num_frames(window.own)]
        yield frames, window.own


def fitted(sounds: Iterable[Audio], spec: DataSpec) -> Iterator[Samples]:
    """Pieces of a sound, at least one → samples at the spec's rate and channels: `fit` of the whole, but
    for its length."""
    rest = iter(sounds)
    first = next(rest)
    mixes = (mixed(sound.samples, spec["tracks"]) for sound in chain([first], rest))
    return resampled_pieces(mixes, first.rate, spec["rate"])


def _packed(samples: Samples, spec: DataSpec) -> Packed:
    packed: Packed = denormalize(log_mel_of(spec).encode(torch.from_numpy(samples)).flatten(0, 1)).numpy()
    return packed


def unpack(packed: Packed, spec: DataSpec) -> Audio:
    """Log-mel → a sound with about this spectrogram, by Griffin–Lim from phases that are always the same.

    What comes after the last audible frame is silence, and costs nothing.
    """
    samples = np.concatenate([part.samples for part in unpack_pieces([packed], spec)], 1)
    return Audio(samples, spec["rate"], spec["type"])


def unpack_pieces(packed: Iterable[Packed], spec: DataSpec) -> Iterator[Audio]:
    """Pieces of a log-mel → pieces of `unpack` of the whole, whatever the pieces are; of none, a silent
    sample."""
    shape = spec["tracks"], spec["bands"], -1
    log_mels = (normalize(torch.from_numpy(piece)).reshape(shape).numpy() for piece in packed)
    generator = torch.Generator().manual_seed(SEED)
    found = decode_pieces(log_mel_of(spec), log_mels, audible=AUDIBLE, generator=generator)
    first = next(found, torch.zeros(spec["tracks"], 1))
    for samples in chain([first], found):
        yield Audio(samples.clamp(-1, 1).numpy(), spec["rate"], spec["type"])
