"""Samples of a log-mel spectrogram of any length, by Griffin–Lim block by block, without seams."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.core.windows import windows
from modaloom.spectral.griffin_lim import ITERATIONS, griffin_lim
from modaloom.spectral.mel import LogMel

BLOCK = 1000
"""Frames that are found together."""
AHEAD = 16
"""Frames after a block that are found with it, and then once more with the next one."""
HELD = 4
"""Frames before a block that stay as the last block left them; more than windows overlap."""


def decode_pieces(
    mel: LogMel,
    pieces: Iterable[NDArray[np.float32]],
    *,
    generator: torch.Generator,
    iterations: int = ITERATIONS,
    audible: float = -1.0,
) -> Iterator[Tensor]:
    """Log-mel frames → samples, those of T frames T · hop, in pieces. What these are does not depend on how
    the frames come, since blocks begin at fixed frames.

    Where only frames reach that the next block holds, both blocks have the same samples, and there one goes
    over into the other: at a seam, the spectrum is as consistent as elsewhere, and no sample jumps.

    Args:
        mel: the transform.
        pieces: float32 (…, bands, T_i) in [-1, 1].
        generator: draws the phases, on the CPU.
        iterations: as in `griffin_lim`.
        audible: level above which a frame is heard; what follows the last one that is, is silence.
    """
    stft, hop = mel.stft, mel.stft.hop
    reach = -(-stft.margin // hop)
    known: Tensor | None = None
    for window in windows(pieces, BLOCK, AHEAD):
        held = min(HELD, window.before)
        log_mel = torch.from_numpy(window.array[..., window.before - held :])
        samples = _block(mel, log_mel, known, generator, iterations, audible)
        start, seam = max(0, held - reach), held + window.own - reach
        if log_mel.shape[-1] == held + window.own:
            yield samples[..., start * hop :]
            return
        yield samples[..., start * hop : seam * hop]
        around = samples[..., (seam - HELD) * hop : (seam + 2 * reach) * hop]
        known = stft.analyse(around)[..., reach:-reach]


def _block(
    mel: LogMel,
    log_mel: Tensor,
    known: Tensor | None,
    generator: torch.Generator,
    iterations: int,
    audible: float,
) -> Tensor:
    """Log-mel (…, bands, T) → samples (…, T · hop), silence after the last frame that is heard."""
    samples = torch.zeros(*log_mel.shape[:-2], log_mel.shape[-1] * mel.stft.hop)
    heard = (log_mel > audible).flatten(0, -2).any(0).nonzero()
    if len(heard):
        frames = max(int(heard[-1]) + 1, 0 if known is None else known.shape[-1])
        n, magnitude = frames * mel.stft.hop, mel.magnitude(log_mel[..., :frames])
        samples[..., :n] = griffin_lim(
            magnitude, mel.stft, n, generator=generator, iterations=iterations, known=known
        )
    return samples
