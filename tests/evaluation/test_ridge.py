"""Patch regression against scikit-learn and against a known filter."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from modaloom.degradations.upsample import upsample
from modaloom.evaluation.ridge import PatchRidge


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_the_weights_are_those_of_scikit_learn():
    """Patches written out by a loop; every weight is penalised, the constant's too."""
    given, wanted = noise(2, 9, 7), noise(2, 9, 7, seed=1)
    ridge = PatchRidge.fit([(given, wanted)], side=3, penalty=0.1)
    wide = np.pad(given.numpy(), [(0, 0), (1, 1), (1, 1)], mode="edge")
    rows = [
        [*wide[c, i : i + 3, j : j + 3].ravel(), 1.0] for c in range(2) for i in range(9) for j in range(7)
    ]
    peer = Ridge(alpha=0.1 * len(rows), fit_intercept=False).fit(rows, wanted.numpy().ravel())
    np.testing.assert_allclose(ridge.weight_PF[0].numpy(), peer.coef_, atol=1e-9)
    np.testing.assert_allclose(ridge(given).numpy().ravel(), peer.predict(rows), atol=1e-9)


@pytest.mark.parametrize("step", [1, 2])
def test_a_linear_filter_is_found_exactly(step):
    """A filter a phase, over two pictures; on a third one it answers without error."""
    weights = noise(step * step, 9, seed=2)

    def filtered(image: torch.Tensor) -> torch.Tensor:
        wide = torch.nn.functional.pad(image, [1] * 4, mode="replicate")
        squares = wide.unfold(1, 3, 1).unfold(2, 3, 1).flatten(3)
        out = torch.empty_like(image)
        for i in range(image.shape[1]):
            for j in range(image.shape[2]):
                out[:, i, j] = squares[:, i, j] @ weights[(i % step) * step + j % step] + 0.5
        return out

    pictures = [noise(1, 12, 14, seed=s) for s in (3, 4)]
    ridge = PatchRidge.fit([(x, filtered(x)) for x in pictures], side=3, step=step, penalty=0.0)
    torch.testing.assert_close(ridge.weight_PF[:, :9], weights, rtol=0, atol=1e-8)
    other = noise(2, 10, 10, seed=5)
    torch.testing.assert_close(ridge(other), filtered(other), rtol=0, atol=1e-8)


def test_it_knows_what_enlarging_does_to_each_phase():
    """Of an enlarged picture nothing is left to learn but to leave it alone."""
    small = torch.rand(1, 20, 20, generator=torch.Generator().manual_seed(0))
    big = upsample(small, factor=2)
    ridge = PatchRidge.fit([(big, big)], step=2, penalty=1e-9)
    torch.testing.assert_close(ridge(big), big, rtol=0, atol=1e-3)
