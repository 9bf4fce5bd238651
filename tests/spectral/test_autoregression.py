"""Missing samples. Oracles: the conditional mean of a Gaussian process whose covariance is that of the
filter's impulse response, and tones, which a linear prediction continues exactly."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.spectral.autoregression import (
    BLOCK,
    ORDER,
    Precision,
    autocorrelation,
    fill_gaps,
    prediction_error,
    solve,
)


def tones(n: int = 3000) -> Tensor:
    t = torch.arange(n, dtype=torch.float64)
    return 0.3 * (0.05 * t).sin() + 0.2 * (0.31 * t + 1).sin() + 0.1 * (0.9 * t + 2).sin()


def known_but(n: int, *gaps: slice) -> Tensor:
    known = torch.ones(n, dtype=torch.bool)
    for gap in gaps:
        known[gap] = False
    return known


def test_gaps_of_tones_are_filled_and_all_else_stays_to_the_bit() -> None:
    wave = tones()
    known = known_but(len(wave), slice(300, 340), slice(1000, 1060), slice(2400, 2401))
    held = torch.where(known, wave, 0)
    found = fill_gaps(held, known)
    assert torch.equal(found[known], wave[known])
    error = (found - wave)[~known].square().mean() / wave[~known].square().mean()
    assert float(error) < 1e-3
    assert torch.equal(fill_gaps(wave, torch.ones_like(known)), wave)


def test_what_is_filled_in_does_not_matter() -> None:
    wave, known = tones().float(), known_but(3000, slice(700, 720))
    filled = [fill_gaps(torch.where(known, wave, torch.tensor(value)), known) for value in (0.0, 9.0)]
    assert torch.equal(*filled)


@pytest.mark.parametrize("gap", [slice(0, 10), slice(2990, 3000)])
def test_gaps_at_an_end_are_continued_from_one_side(gap: slice) -> None:
    """Nothing is known beyond an end: silence there would draw the answer to it."""
    wave, known = tones(), known_but(3000, gap)
    error = (fill_gaps(torch.where(known, wave, 0), known) - wave)[gap].square().mean()
    assert float(error / wave[gap].square().mean()) < 1e-3


@pytest.mark.parametrize("gap", [slice(150, 170), slice(0, 20), slice(390, 400), slice(3, 5)])
def test_the_answer_is_the_likeliest_one_of_its_last_filter(gap: slice) -> None:
    n = 400
    wave = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).cumsum(0) / 20
    known = known_but(n, gap)
    held: NDArray[np.float64] = torch.where(known, wave, 0).numpy()
    first = _conditional_mean(held, known.numpy(), held)
    found = fill_gaps(torch.from_numpy(held), known)
    np.testing.assert_allclose(found.numpy(), _conditional_mean(held, known.numpy(), first), atol=1e-6)


def _conditional_mean(
    held: NDArray[np.float64], known: NDArray[np.bool_], before: NDArray[np.float64]
) -> NDArray[np.float64]:
    covariance = _covariance(prediction_error(torch.from_numpy(before)).numpy(), len(held))
    found = held.copy()
    found[~known] = covariance[~known][:, known] @ np.linalg.solve(covariance[known][:, known], held[known])
    return found


def _covariance(error: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """(n, n), of the process that white noise is by the filter's inverse."""
    response = np.fft.irfft(1 / np.fft.rfft(error, 2**18))
    lags = np.fft.irfft(np.abs(np.fft.rfft(response)) ** 2)[:n]
    place = np.arange(n)
    return lags[np.abs(place[:, None] - place)]


@pytest.mark.parametrize("n", [1, 5, ORDER, BLOCK + 1])
def test_short_silent_and_wholly_unknown_signals_give_finite_answers(n: int) -> None:
    silence, nothing = torch.zeros(n), torch.zeros(n, dtype=torch.bool)
    assert torch.equal(fill_gaps(silence, nothing), silence)
    some = nothing.clone()
    some[0] = True
    found = fill_gaps(torch.ones(n), some)
    assert bool(found.isfinite().all())
    assert float(found.abs().max()) <= 1


def test_autocorrelation_is_numpys() -> None:
    wave = tones(50)
    wanted = np.correlate(wave.numpy(), wave.numpy(), "full")[49:]
    np.testing.assert_allclose(autocorrelation(wave, 8).numpy(), wanted[:9], atol=1e-12)


@pytest.mark.parametrize("places", [[0], [0, 1, 2], [4, 5, 9, 10], [17, 18, 19], [*range(0, 20, 2), 19]])
def test_block_elimination_is_the_dense_answer_of_the_inverse_covariance(places: list[int]) -> None:
    error = np.array([1, -0.9, 0.3, 0.1, -0.2])
    precision = Precision.of(torch.from_numpy(error), 20)
    inverse = torch.from_numpy(np.linalg.inv(_covariance(error, 20)))
    right, rows = torch.arange(1.0, 1 + len(places)).double(), torch.tensor(places)
    wanted = torch.linalg.solve(inverse[rows][:, rows], right)
    torch.testing.assert_close(solve(precision, rows, right), wanted)
    wave = torch.sin(torch.arange(20).double())
    torch.testing.assert_close(precision.times(wave), inverse @ wave)
