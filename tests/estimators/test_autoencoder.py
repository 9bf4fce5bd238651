"""Where the autoencoder starts, and what it minimises."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from modaloom.estimators.autoencoder import Autoencoder, principal_axes
from modaloom.quantizers import build


def rows(n: int, columns: int, rank: int) -> Tensor:
    """Centred rows in a subspace."""
    generator = torch.Generator().manual_seed(0)
    low = torch.randn(n, rank, dtype=torch.float64, generator=generator) * torch.arange(1, rank + 1)
    x = low @ torch.randn(rank, columns, dtype=torch.float64, generator=generator)
    return x - x.mean(0)


def test_axes_are_those_of_scikit_learn() -> None:
    x = rows(50, 5, 5)
    ours, theirs = principal_axes(x, 3).numpy(), PCA(3).fit(x.numpy()).components_
    np.testing.assert_allclose(np.abs((ours * theirs).sum(1)), 1, atol=1e-9)


def test_more_axes_than_columns_are_0() -> None:
    axes = principal_axes(rows(50, 3, 3), 5)
    torch.testing.assert_close(axes[:3] @ axes[:3].T, torch.eye(3, dtype=torch.float64))
    assert torch.equal(axes[3:], torch.zeros(2, 3, dtype=torch.float64))


@pytest.mark.parametrize("latents", [2, 6])
def test_it_starts_as_principal_components_and_their_centroids(latents: int) -> None:
    """Rows of rank 2 pass unharmed, and with a code for each of a few points nothing is lost."""
    points = rows(8, 4, 2)
    x = points.repeat(3, 1)
    model = Autoencoder(4, build("vq", latents, 8, codebook="gradient"))
    model.initialize(x, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model.decoder(model.encoder(x)), x)
    model.eval()
    assert (model.decode(model.encode(x)) - x).square().mean() < 0.5 * x.square().mean()


def test_the_loss_is_the_reconstruction_s_plus_weight_times_the_quantizer_s() -> None:
    """λ on both of its terms: (1 + β)‖z − e‖² per value, with the nearest e."""
    x = rows(40, 4, 4)
    model = Autoencoder(4, build("vq", 2, 3, codebook="gradient", commitment=0.25))
    generator = torch.Generator().manual_seed(0)
    model.initialize(x, generator=generator)
    model.eval()
    with torch.no_grad():
        z, codes = model.encoder(x), model.encode(x)
        distances = torch.cdist(z, model.quantizer.vectors[0].double()).square()
        assert torch.equal(distances.argmin(1), codes[:, 0])
        rebuilt = (x - model.decode(codes)).square().mean()
        for weight in (0.0, 0.1, 1.0):
            expected = rebuilt + weight * 1.25 * distances.amin(1).mean() / 2
            torch.testing.assert_close(
                model.loss(x, weight, generator=generator).detach(), expected, rtol=1e-5, atol=0
            )
