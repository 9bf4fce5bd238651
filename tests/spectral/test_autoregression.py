"""Missing samples. Oracles: NumPy's least squares, and tones, which a linear prediction continues exactly."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.spectral.autoregression import (
    BLOCK,
    ORDER,
    autocorrelation,
    fill_gaps,
    prediction_error,
    solve_by_lags,
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


def test_the_answer_is_the_least_squares_one_of_its_last_filter() -> None:
    """NumPy: minimise the energy of the prediction error over the missing samples alone."""
    n, gap = 400, slice(150, 170)
    wave = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).cumsum(0) / 20
    known = known_but(n, gap)
    once = fill_gaps(torch.where(known, wave, 0), known)
    held: NDArray[np.float64] = torch.where(known, wave, 0).numpy()
    first = _least_squares(held, known.numpy())
    np.testing.assert_allclose(once.numpy(), _least_squares(held, known.numpy(), first), atol=1e-8)


def _least_squares(
    held: NDArray[np.float64], known: NDArray[np.bool_], before: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    error = prediction_error(torch.from_numpy(held if before is None else before)).numpy()
    errors = np.array([np.convolve(row, error) for row in np.eye(len(held))]).T
    missing, _, _, _ = np.linalg.lstsq(errors[:, ~known], -errors[:, known] @ held[known], rcond=None)
    found = held.copy()
    found[~known] = missing
    return found


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


@pytest.mark.parametrize("n", [1, 3, 4, 5, 40])
def test_block_elimination_is_the_dense_answer(n: int) -> None:
    """Oracle: `torch.linalg.solve` on the whole matrix, of gaps and of single samples."""
    chance = torch.Generator().manual_seed(n)
    taps = torch.cat([torch.ones(1).double(), 0.3 * torch.randn(4, generator=chance).double()])
    weights = autocorrelation(taps, 4)
    places = torch.randint(1, 4, (n,), generator=chance).cumsum(0)
    lags = (places[:, None] - places).abs()
    matrix = torch.where(lags <= 4, weights[lags.clamp(max=4)], 0)
    right = torch.randn(n, generator=chance).double()
    torch.testing.assert_close(solve_by_lags(weights, places, right), torch.linalg.solve(matrix, right))
