"""The source article's two samples (§4.2–4.4) as they stand there, with only the imports changed.

The training data, 100 × 10 independent normal samples, has no structure to learn. So each figure is printed
beside its attainable value: the mean squared error per value, for three seeds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from modaloom.estimators import VQVAE, DiffusionModel

Rows = NDArray[np.float64]

SEEDS = (0, 1, 2)
FRESH = 10_000
"""Rows not in the training data."""
KNOWN = {
    "the mean, fresh rows": "1.00",
    "any ten codes, fresh rows": "≥ 0.631",
    "k-means, training rows": "0.53–0.58",
    "k-means, fresh rows": "0.78–0.79",
    "VQVAE, training rows": "",
    "VQVAE, fresh rows": "≤ 1.1 × k-means",
    "DiffusionModel.predict, training rows": "",
    "DiffusionModel.predict, fresh rows": "0.586, ideally",
}
"""Figure → expected value."""


@dataclass(frozen=True)
class Trained:
    """The article's variables after its listing has run."""

    x: Rows
    vqvae: VQVAE
    diffusion_model: DiffusionModel
    x_prime_vqvae: Rows
    x_prime_diffusion: Rows


def article(seed: int) -> Trained:
    """The article's listing; numpy's seed also seeds the estimators."""
    np.random.seed(seed)
    vqvae = VQVAE(latent_dim=10, codebook_size=10)
    diffusion_model = DiffusionModel(latent_dim=10)

    x = np.random.normal(size=(100, 10))

    vqvae.compile(optimizer="adam", loss="mse")
    vqvae.fit(x, x, epochs=10)

    diffusion_model.compile(optimizer="adam", loss="mse")
    diffusion_model.fit(x, x, epochs=10)

    x_prime_vqvae = vqvae.predict(x)
    x_prime_diffusion = diffusion_model.predict(x)
    return Trained(x, vqvae, diffusion_model, x_prime_vqvae, x_prime_diffusion)


def figures(seed: int) -> dict[str, float]:
    """Mean squared error per value, by name of KNOWN."""
    trained = article(seed)
    x, fresh = trained.x, np.random.normal(size=(FRESH, 10))
    means = KMeans(10, n_init=10).fit(x)
    values = (
        error(np.broadcast_to(x.mean(0), fresh.shape), fresh),
        10 ** (-2 / 10),
        error(means.cluster_centers_[means.predict(x)], x),
        error(means.cluster_centers_[means.predict(fresh)], fresh),
        error(trained.x_prime_vqvae, x),
        error(trained.vqvae.predict(fresh), fresh),
        error(trained.x_prime_diffusion, x),
        error(trained.diffusion_model.predict(fresh), fresh),
    )
    return dict(zip(KNOWN, values, strict=True))


def error(rows: Rows, others: Rows) -> float:
    return float(np.square(rows - others).mean())


def main() -> None:
    trained = article(SEEDS[0])
    print("VQ-VAE重建结果：", trained.x_prime_vqvae[:1].round(2))
    print("扩散模型重建结果：", trained.x_prime_diffusion[:1].round(2))
    print(f"\n{'squared error per value':38}{'expected':17}", *(f"seed {seed}" for seed in SEEDS))
    columns = [figures(seed) for seed in SEEDS]
    for name, known in KNOWN.items():
        print(f"{name:38}{known:17}", *(f"{column[name]:6.3f}" for column in columns))


if __name__ == "__main__":
    main()
