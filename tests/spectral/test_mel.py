"""Mel scales, filters and log-mel spectrograms, by closed forms."""

import math

import pytest
import torch
from scipy.optimize import nnls

from modaloom.core.errors import BadValue
from modaloom.spectral import LogMel
from modaloom.spectral.mel import SCALES, filter_bank, nonnegative_inverse, triangles

SPEECH = LogMel(16_000)


def sine(hz: float, seconds: float = 1.0, rate: int = 16_000, amplitude: float = 1.0) -> torch.Tensor:
    return amplitude * torch.sin(2 * math.pi * hz * torch.arange(round(seconds * rate)) / rate)


def value(scale: str, hz: float) -> float:
    return float(SCALES[scale].mel(torch.tensor([hz], dtype=torch.float64)))


def test_the_scales_have_their_known_values() -> None:
    """Slaney: 3 mel at 200 Hz, 15 at 1 kHz, 27 more for each factor of 6.4; HTK: 1000 mel at 1 kHz."""
    assert value("slaney", 200) == pytest.approx(3)
    assert value("slaney", 1000) == pytest.approx(15)
    assert value("slaney", 6400) == pytest.approx(42)
    assert value("htk", 1000) == pytest.approx(1000, abs=0.02)
    assert value("htk", 700) == pytest.approx(2595 * math.log10(2))


@pytest.mark.parametrize("scale", SCALES)
def test_the_scales_are_inverted(scale: str) -> None:
    hz = torch.linspace(0, 24_000, 97, dtype=torch.float64)
    torch.testing.assert_close(SCALES[scale].hz(SCALES[scale].mel(hz)), hz, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("scale", SCALES)
def test_neighbouring_triangles_sum_to_one(scale: str) -> None:
    """Between the first and the last centre, every frequency is divided between two bands."""
    found = triangles(80, 4097, 16_000, scale)
    first, last = int(found[0].argmax()), int(found[-1].argmax())
    torch.testing.assert_close(found.sum(0)[first + 1 : last], torch.ones(last - first - 1).double())
    assert found.max() <= 1
    assert ((found > 0).sum(0) <= 2).all()
    width = (found > 0).sum(1)
    assert (width.diff()[20:] >= -1).all()
    assert width[-1] > 4 * width[0]


def test_filters_are_means() -> None:
    """A flat spectrum has its own level in every band; 0 Hz and half of the rate are in none."""
    filters = filter_bank(80, 513, 16_000)
    torch.testing.assert_close(filters.sum(1), torch.ones(80))
    assert not filters[:, [0, -1]].any()
    with pytest.raises(BadValue, match="too many"):
        filter_bank(80, 33, 16_000)
    with pytest.raises(BadValue, match="scale"):
        filter_bank(80, 513, 16_000, "bark")


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_a_sine_is_in_the_band_of_its_frequency(rate: int) -> None:
    """Oracle: the band whose centre is nearest on the scale."""
    log_mel = LogMel(rate)
    edges = torch.linspace(0, value("slaney", rate / 2), 82, dtype=torch.float64)[1:-1]
    for hz in (300.0, 1000.0, 3000.0):
        level = log_mel.encode(sine(hz, rate=rate))
        assert level.shape == (80, -(-rate // log_mel.stft.hop))
        band = int(level[:, 50].argmax())
        assert abs(band - int((edges - value("slaney", hz)).abs().argmin())) <= 1


def test_levels_are_decibels_of_full_scale() -> None:
    """Ten times as loud is 20 dB, 0.4 of the scale from -1 to 1; silence is -1, full scale about 1."""
    loud, soft = (SPEECH.encode(sine(440, amplitude=a))[:, 20:80] for a in (0.5, 0.05))
    band = int(loud[:, 30].argmax())
    torch.testing.assert_close(loud[band] - soft[band], torch.full((60,), 0.4), rtol=0, atol=1e-3)
    assert (SPEECH.encode(torch.zeros(1600)) == -1).all()
    full = SPEECH.encode(sine(440))[:, 20:80].max()
    assert 0.85 < full <= 1
    assert (SPEECH.encode(2 * torch.sign(sine(440))) <= 1).all()


def test_chunks_have_the_frames_of_the_whole() -> None:
    samples = torch.randn(16_000, generator=torch.Generator().manual_seed(0)).clamp(-1, 1) / 2
    whole, piece = SPEECH.encode(samples), SPEECH.encode(samples[3200:9600])
    torch.testing.assert_close(piece[:, 1:-1], whole[:, 21:59], rtol=0, atol=1e-5)


def test_the_inverse_is_nonnegative_and_has_the_bands() -> None:
    """Oracle: scipy's non-negative least squares, which fits no better."""
    filters = filter_bank(20, 129, 8_000)
    spectrum = torch.rand(129, 3, generator=torch.Generator().manual_seed(0)) ** 4
    mel = filters @ spectrum
    found = nonnegative_inverse(filters, mel, 200)
    assert (found >= 0).all()
    for t in range(3):
        _, best = nnls(filters.double().numpy(), mel[:, t].double().numpy())
        error = float((filters @ found[:, t] - mel[:, t]).norm())
        assert error <= best + 0.01 * float(mel[:, t].norm())
    start = float((filters @ nonnegative_inverse(filters, mel, 0) - mel).norm())
    steps = [float((filters @ nonnegative_inverse(filters, mel, n) - mel).norm()) for n in (1, 2, 5, 20)]
    assert [start, *steps] == sorted([start, *steps], reverse=True)
    assert not nonnegative_inverse(filters, torch.zeros(20, 3)).any()


def test_magnitudes_have_the_spectrogram() -> None:
    """Encoding the magnitudes again gives the log-mel; silence gives 0."""
    samples = sine(440, amplitude=0.3) + sine(1234, amplitude=0.1)
    log_mel = SPEECH.encode(samples)
    magnitude = SPEECH.magnitude(log_mel)
    again = 20 * (SPEECH.filters @ magnitude * (4 / SPEECH.stft.window)).clamp_min(1e-5).log10() / 50 + 1
    loud = log_mel > -0.2
    assert float((again - log_mel).abs()[loud].mean()) < 0.02
    assert not SPEECH.magnitude(torch.full((80, 4), -1.0)).any()
