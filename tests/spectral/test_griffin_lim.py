"""Fast Griffin–Lim: magnitudes are reached, faster than without momentum, at any length, always alike."""

import math

import pytest
import torch

from modaloom.spectral import STFT, LogMel, griffin_lim

TRANSFORM = STFT(window=800, hop=160)


def voice(n: int = 16_000) -> torch.Tensor:
    """Gliding harmonics with pauses, as speech has."""
    t = torch.arange(n, dtype=torch.float64) / 16_000
    phase = 2 * math.pi * (120 * t + 30 * torch.sin(2 * math.pi * t))
    tones = sum(torch.sin(k * phase) / k for k in range(1, 20))
    envelope = (torch.sin(2 * math.pi * 3 * t) > -0.3).double()
    return 0.2 * tones * envelope


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def inconsistency(samples: torch.Tensor, magnitude: torch.Tensor) -> float:
    """Spectral convergence in dB: how far the magnitudes are from the wanted ones."""
    error = (TRANSFORM.analyse(samples).abs() - magnitude).norm() / magnitude.norm()
    return 20 * math.log10(float(error))


def test_more_steps_and_momentum_come_nearer() -> None:
    magnitude = TRANSFORM.analyse(voice()).abs()

    def made(**options: float) -> float:
        return inconsistency(
            griffin_lim(magnitude, TRANSFORM, 16_000, generator=generator(), **options), magnitude
        )

    plain = [made(iterations=n, momentum=0.0) for n in (0, 8, 32)]
    fast = [made(iterations=n) for n in (0, 8, 32)]
    assert plain[0] == fast[0]
    assert plain == sorted(plain, reverse=True)
    assert fast[2] < plain[2] - 2
    assert fast[2] < -20


def test_a_step_is_perraudins() -> None:
    """Oracle: two steps of t = c + α (c − c'), c = analysis(synthesis(|X| · phase of t)), written out."""
    magnitude = TRANSFORM.analyse(voice(2000)).abs()
    turns = torch.rand(magnitude.shape, generator=generator(), dtype=torch.float64)
    t0 = magnitude * torch.exp(2j * math.pi * turns)
    c1 = TRANSFORM.analyse(TRANSFORM.synthesise(t0, 2000))
    c2 = TRANSFORM.analyse(TRANSFORM.synthesise(magnitude * torch.sgn(c1), 2000))
    wanted = TRANSFORM.synthesise(magnitude * torch.sgn(c2 + 0.99 * (c2 - c1)), 2000)
    found = griffin_lim(magnitude, TRANSFORM, 2000, generator=generator(), iterations=2)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-8)


@pytest.mark.parametrize("n", [1, 160, 1601, 4000])
def test_the_length_is_exact_and_the_same_seed_the_same_sound(n: int) -> None:
    log_mel = LogMel(16_000).encode(voice(n).float())
    first, second = (LogMel(16_000).decode(log_mel, n, generator=generator(), iterations=4) for _ in "ab")
    assert first.shape == (n,)
    assert torch.equal(first, second)
    if n > 160:
        assert not torch.equal(first, LogMel(16_000).decode(log_mel, n, generator=generator(1), iterations=4))


def test_frames_that_are_known_stay_as_they_are() -> None:
    """Samples under known frames alone are those of the known sound, and what follows fits them."""
    truth = voice(8000)
    spectrum = TRANSFORM.analyse(truth)
    known = spectrum[:, :20]
    found = griffin_lim(spectrum.abs(), TRANSFORM, 8000, generator=generator(), known=known)
    alone = 18 * 160
    torch.testing.assert_close(found[:alone], truth[:alone], rtol=0, atol=1e-9)
    free = griffin_lim(spectrum.abs(), TRANSFORM, 8000, generator=generator())
    assert not torch.allclose(free[:alone], truth[:alone], atol=1e-2)
    assert inconsistency(found, spectrum.abs()) < -15


def test_silence_stays_silent() -> None:
    assert not LogMel(16_000).decode(torch.full((80, 10), -1.0), 1600, generator=generator()).any()


def test_a_sound_has_its_spectrogram_again() -> None:
    """The log-mel of what is made is within 2 dB of the wanted one, where there is sound."""
    log_mel = LogMel(16_000)
    wanted = log_mel.encode(voice().float())
    found = log_mel.encode(log_mel.decode(wanted, 16_000, generator=generator()))
    loud = wanted > -0.2
    assert 50 * float((found - wanted)[loud].abs().mean()) < 2
