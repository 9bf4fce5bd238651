"""Patch regression against scikit-learn and against known filters."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.restorer import patch_ridge
from modaloom.restorer.patch_ridge import FilterSpec, NormalEquations, PatchRidge


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def written_out(signal: Tensor, *sides: int) -> np.ndarray:
    """A row of each position, by a loop: its patch in all channels, edge-padded, and 1."""
    wide = np.pad(signal.numpy(), [(0, 0), *((side // 2, side // 2) for side in sides)], mode="edge")
    places = product(*map(range, signal.shape[1:]))
    boxes = [(slice(None), *(slice(i, i + side) for i, side in zip(place, sides))) for place in places]
    return np.array([[*wide[box].ravel(), 1.0] for box in boxes])


def test_the_weights_are_those_of_scikit_learn():
    """Of what is missing; every weight is penalised, the constant's too."""
    given, wanted = noise(2, 9, 7), noise(2, 9, 7, seed=1)
    ridge = PatchRidge.fit([(given, wanted)], FilterSpec(side=3), penalty=0.1)
    rows, missing = written_out(given, 3, 3), (wanted - given).flatten(1).T.numpy()
    peer = Ridge(alpha=0.1 * len(rows), fit_intercept=False).fit(rows, missing)
    np.testing.assert_allclose(ridge.weight_LPFC[0, 0].numpy().T, peer.coef_, atol=1e-9)
    estimate = given.flatten(1).T.numpy() + peer.predict(rows)
    np.testing.assert_allclose(ridge(given).flatten(1).T.numpy(), estimate, atol=1e-9)


@pytest.mark.parametrize(("axes", "period"), [((40,), 3), ((12, 14), 1), ((12, 14), 2), ((7, 6, 8), 2)])
def test_a_linear_filter_is_found_exactly(axes, period, monkeypatch):
    """A filter for each phase, over both channels; on a third signal, in tiles, it answers without error."""
    monkeypatch.setattr(patch_ridge, "TILE", 5)
    monkeypatch.setattr(patch_ridge, "TILE_FRAMES", 2)
    sides, periods = [3] * len(axes), [period] * len(axes)
    if len(axes) == 3:  # a clip, of which each frame is filtered by itself
        sides[0], periods[0] = 1, 1
    weights = noise(math.prod(periods), 2 * math.prod(sides) + 1, 2, seed=2)

    def filtered(signal: Tensor) -> Tensor:
        rows = torch.from_numpy(written_out(signal, *sides))
        places = torch.tensor([*product(*map(range, signal.shape[1:]))])
        phase = torch.zeros(len(places), dtype=torch.int64)
        for place, n in zip(places.T, periods):
            phase = n * phase + place % n
        return signal + torch.einsum("nf,nfc->cn", rows, weights[phase]).reshape(signal.shape)

    signals = [noise(2, *axes, seed=seed) for seed in range(3, 3 + 2 * len(weights))]
    ridge = PatchRidge.fit([(x, filtered(x)) for x in signals], FilterSpec(3, period), penalty=0.0)
    torch.testing.assert_close(ridge.weight_LPFC[0], weights, rtol=0, atol=1e-7)
    other = noise(2, *(n + 3 for n in axes), seed=99)
    torch.testing.assert_close(ridge(other), filtered(other), rtol=0, atol=1e-6)


def test_weights_are_interpolated_between_levels():
    """A correction whose weights are linear in the level up to 0.4, and again from there, at every level."""
    slopes = noise(4, seed=1)

    def missing(signal: Tensor, level: float) -> Tensor:
        first, second = min(level, 0.4), max(level - 0.4, 0)
        return signal * (slopes[0] + slopes[1] * first + slopes[2] * second) + slopes[3]

    equations = NormalEquations(FilterSpec(1, levels=3, max_level=0.8), channels=1, axes=2)
    for i, level in enumerate((0.0, 0.1, 0.3, 0.4, 0.5, 0.8)):
        signal = noise(1, 9, 9, seed=i)
        equations.add(signal, missing(signal, level), level)
    ridge, other = equations.solve(penalty=0.0), noise(1, 5, 5, seed=50)
    for level in (0.0, 0.2, 0.4, 0.7, 0.8):
        torch.testing.assert_close(ridge(other, level), other + missing(other, level), rtol=0, atol=1e-9)


def test_where_nothing_is_missing_or_known_the_signal_is_left_as_it_is():
    signal, other = noise(2, 9, 9), noise(2, 5, 4, seed=1)
    same = PatchRidge.fit([(signal, signal)], FilterSpec(period=2))
    nothing = NormalEquations(FilterSpec(period=2), channels=2, axes=2).solve()
    for ridge in (same, nothing):
        assert torch.equal(ridge(other), other)


def test_a_signal_smaller_than_the_period_and_the_patch_is_filtered():
    signal = noise(1, 20, 20)
    ridge = PatchRidge.fit([(signal, 2 * signal)], FilterSpec(3, period=4), penalty=1e-9)
    small = noise(1, 1, 2, seed=1)
    torch.testing.assert_close(ridge(small), 2 * small, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"side": 4}, "must be odd"),
        ({"period": 0}, "period is 0"),
        ({"levels": 0}, "levels"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(spec, message):
    with pytest.raises(BadValue, match=message):
        FilterSpec(**spec)
