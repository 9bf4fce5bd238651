"""The STFT against scipy's, Parseval's theorem and its own inverse."""

import numpy as np
import pytest
import torch
from scipy.signal import get_window, stft

from modaloom.core.errors import BadValue
from modaloom.spectral import STFT

TRANSFORM = STFT(window=800, hop=160)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_it_is_scipys() -> None:
    """Oracle: scipy.signal.stft of the same padding, window and transform."""
    samples = noise(1600)
    padded = np.pad(samples.numpy(), TRANSFORM.margin)
    window = get_window("hann", 800, fftbins=True)
    *_, wanted = stft(
        padded, window=window, nperseg=800, noverlap=640, nfft=1024, boundary=None, padded=False
    )
    found = TRANSFORM.analyse(samples).numpy()
    assert found.shape == (513, 10)
    np.testing.assert_allclose(found, wanted * window.sum(), atol=1e-9)


@pytest.mark.parametrize("n", [1, 159, 160, 161, 1000, 3333])
@pytest.mark.parametrize("transform", [TRANSFORM, STFT(512, 256), STFT(1102, 220)], ids=str)
def test_the_inverse_is_exact_at_any_length(transform: STFT, n: int) -> None:
    samples = noise(2, n)
    spectrum = transform.analyse(samples)
    assert spectrum.shape == (2, transform.num_frequencies, -(-n // transform.hop))
    found = transform.synthesise(spectrum, n)
    assert found.shape == samples.shape
    torch.testing.assert_close(found, samples, rtol=0, atol=1e-10)


def test_energy_is_conserved() -> None:
    """Parseval: Σ|X|² over all frequencies is n_fft Σ w² over hop times the energy, away from the ends."""
    samples = torch.nn.functional.pad(noise(4000), (1000, 1000))
    spectrum = TRANSFORM.analyse(samples)
    twice = torch.full((513,), 2.0, dtype=torch.float64)
    twice[[0, -1]] = 1
    found = (twice[:, None] * spectrum.abs().square()).sum()
    squares = torch.hann_window(800, dtype=torch.float64).square().sum() / 160
    assert found / 1024 / squares == pytest.approx(float(samples.square().sum()), rel=1e-12)


def test_frames_of_a_piece_are_those_of_the_whole() -> None:
    samples, hop = noise(8000), TRANSFORM.hop
    whole = TRANSFORM.analyse(samples)
    piece = TRANSFORM.analyse(samples[10 * hop : 30 * hop])
    edge = -(-TRANSFORM.margin // hop)
    torch.testing.assert_close(piece[:, edge:-edge], whole[:, 10 + edge : 30 - edge], rtol=0, atol=1e-12)
    assert not torch.allclose(piece[:, 0], whole[:, 10])


def test_a_frame_stands_for_its_hop() -> None:
    """An impulse in the middle of hop 5 is loudest in frame 5, and as loud on both sides of it."""
    samples = torch.zeros(1600, dtype=torch.float64)
    samples[5 * 160 + 80] = 1
    level = TRANSFORM.analyse(samples).abs()[7]
    assert int(level.argmax()) == 5
    assert level[4] == pytest.approx(float(level[6]), rel=1e-9)


def test_the_inverse_is_the_least_squares_one() -> None:
    """Oracle: the pseudo-inverse of the transform as a matrix."""
    small = STFT(window=8, hop=2)
    columns = [small.analyse(row) for row in torch.eye(12, dtype=torch.float64)]
    matrix = torch.stack([torch.view_as_real(torch.cat([c, c[1:-1].conj()])).flatten() for c in columns], 1)
    spectrum = torch.complex(noise(5, 6), noise(5, 6, seed=1))
    spectrum[[0, -1]] = spectrum[[0, -1]].real.to(spectrum.dtype)
    both = torch.view_as_real(torch.cat([spectrum, spectrum[1:-1].conj()])).flatten()
    wanted = torch.linalg.pinv(matrix) @ both
    torch.testing.assert_close(small.synthesise(spectrum, 12), wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("window", "hop"), [(100, 51), (100, 0), (0, 0)])
def test_windows_that_leave_gaps_are_refused(window: int, hop: int) -> None:
    with pytest.raises(BadValue, match="two hops"):
        STFT(window, hop)
