"""Griffin–Lim block by block: the same for any pieces, as good as of the whole, without seams."""

import math

import numpy as np
import pytest
import torch
from test_griffin_lim import generator, voice

from modaloom.spectral import LogMel, blockwise, decode_pieces

MEL, HOP = LogMel(16_000), 160
SECONDS = 3


@pytest.fixture(scope="module")
def log_mel() -> torch.Tensor:
    return MEL.encode(voice(SECONDS * 16_000).float())


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seams every 0.4 s."""
    monkeypatch.setattr(blockwise, "BLOCK", 40)


def made(log_mel: torch.Tensor, *sizes: int, **options: float) -> torch.Tensor:
    parts = log_mel.split(sizes or log_mel.shape[-1], -1)
    found = decode_pieces(MEL, (part.numpy() for part in parts), generator=generator(), **options)
    return torch.cat([*found], -1)


def test_samples_do_not_depend_on_the_pieces(log_mel: torch.Tensor) -> None:
    whole = made(log_mel)
    assert whole.shape == (SECONDS * 16_000,)
    assert torch.equal(whole, made(log_mel, *[1] * 300))
    assert torch.equal(whole, made(log_mel, 7, 150, 143))


def test_one_block_is_griffin_lim(log_mel: torch.Tensor) -> None:
    part = log_mel[:, :40]
    assert torch.equal(made(part), MEL.decode(part, 40 * HOP, generator=generator()))


def error(samples: torch.Tensor, log_mel: torch.Tensor) -> torch.Tensor:
    """(T,): mean distance of the bands of each frame in dB, where there is sound."""
    loud = log_mel > -0.2
    apart = (MEL.encode(samples) - log_mel).abs() * loud
    return 50 * apart.sum(0) / loud.sum(0).clamp_min(1)


SEAMS = range(40, 100 * SECONDS, 40)


def test_at_seams_the_spectrogram_is_as_near_as_of_the_whole(log_mel: torch.Tensor) -> None:
    """Oracle: Griffin–Lim of all frames at once. Of blocks each for itself, frames at seams are 2.5 times as
    far."""
    found = error(made(log_mel), log_mel)
    whole = error(MEL.decode(log_mel, 16_000 * SECONDS, generator=generator()), log_mel)
    seams = [frame for seam in SEAMS for frame in range(seam - 2, seam + 2)]
    assert found[seams].mean() < 1.3 * whole[seams].mean()
    assert found.mean() < 1.1 * whole.mean()


def test_no_sample_jumps_at_a_seam(log_mel: torch.Tensor) -> None:
    """Second differences where blocks meet, one hop before a block's first frame, are as elsewhere; of blocks
    each for itself they are over ten times as large."""
    bend = made(log_mel).diff().diff().abs()
    seams = [(seam - 1) * HOP + k - 1 for seam in SEAMS for k in (-1, 0)]
    assert float(bend[seams].mean()) < 4 * float(bend.mean())


def test_silence_between_sounds_is_silent(log_mel: torch.Tensor) -> None:
    """Blocks without a frame that is heard; the sound before and after is there."""
    silent = torch.full((80, 100), -1.0)
    samples = made(torch.cat([log_mel[:, :50], silent, log_mel[:, :50], silent], -1), audible=-0.8)
    assert len(samples) == 300 * HOP
    assert not samples[90 * HOP : 140 * HOP].any()
    assert not samples[201 * HOP :].any()
    for start in (0, 150):
        near = error(samples[start * HOP : (start + 50) * HOP], log_mel[:, :50])
        assert near[:49].mean() < 2


def test_channels_are_decoded_together() -> None:
    waves = torch.stack([voice(16_000), voice(16_000).flip(0)]).float()
    found = made(MEL.encode(waves))
    assert found.shape == (2, 16_000)
    assert np.isfinite(found.numpy()).all()
    assert math.isclose(float(found[0].norm()), float(waves[0].norm()), rel_tol=0.2)
