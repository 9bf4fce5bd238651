"""Another rate of a sound, by soxr, in pieces."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from modaloom.modalities.audio_value import Samples

PIECE = 2**18
"""Samples of each channel that are resampled at once."""


def resampled_length(n: int, rate: int, to: int) -> int:
    """Samples that n are at another rate: to the nearest, at least 1."""
    return max(1, round(n * to / rate))


def resample_stream(pieces: Iterable[Samples], rate: int, to: int) -> Iterator[Samples]:
    """Pieces (C, n) of one sound → pieces at another rate, whose sum is that of the whole.

    Phase is linear, nothing is delayed. The lengths add up to `resampled_length`; values may exceed [-1, 1]
    where the sound is near it.
    """
    stream: soxr.ResampleStream | None = None
    taken = given = channels = 0
    for piece in pieces:
        if stream is None:
            channels = len(piece)
            stream = soxr.ResampleStream(rate, to, channels, dtype="float32")
        taken += piece.shape[1]
        made = stream.resample_chunk(np.ascontiguousarray(piece.T))
        given += len(made)
        yield made.T
    if stream is not None:
        rest = stream.resample_chunk(np.zeros((0, channels), np.float32), last=True).T
        missing = max(0, resampled_length(taken, rate, to) - given)
        yield np.pad(rest[:, :missing], [(0, 0), (0, max(0, missing - rest.shape[1]))])


def resampled_pieces(pieces: Iterator[Samples], rate: int, to: int) -> Iterator[Samples]:
    """`resampled` of a sound in pieces (C, n)."""
    if rate == to:
        return pieces
    return (made.clip(-1, 1) for made in resample_stream(pieces, rate, to))


def resampled(samples: Samples, rate: int, to: int) -> Samples:
    """Samples (C, n) → (C, `resampled_length`), clipped to [-1, 1]."""
    if rate == to:
        return samples
    pieces = (samples[:, i : i + PIECE] for i in range(0, samples.shape[1], PIECE))
    return np.concatenate([*resampled_pieces(pieces, rate, to)], 1)
