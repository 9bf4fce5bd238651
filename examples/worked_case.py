"""The source article's worked case (§3.3.1): a linear VQ-VAE of pictures, with λ = 0.1.

N = 64 pixels (scikit-learn's digits), z = w x of K = 10 values, M = 32 codes, x′ = v q. The quantization loss
uses the nearest code only: with the article's sum over all M codes the codebook collapses (literal_loss.py).
"""

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch import Tensor, nn

from modaloom.core.rng import generator
from modaloom.quantizers import build

K, M = 10, 32
WEIGHT = 0.1
"""λ."""
COMMITMENT = 0.25
"""β: weight of the term that moves z to its code, relative to the term that moves the code to z."""
STEPS, RATE, SEED = 600, 0.01, 0


def pictures() -> Tensor:
    """float32 (1797, 64), centred, in units of the pixels' standard deviation."""
    x = load_digits().data
    return torch.from_numpy((x - x.mean(0)) / x.std()).float()


def train(x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Full-batch training on x (n, 64). Returns its reconstruction and the quantizer's statistics."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        w, v = nn.Linear(x.shape[1], K, bias=False), nn.Linear(K, x.shape[1], bias=False)
    quantizer = build("vq", K, M, codebook="gradient", commitment=COMMITMENT)
    model, randomness = nn.ModuleList([w, quantizer, v]), generator(SEED, "worked case")
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    for _ in range(STEPS):
        quantized = quantizer(w(x), generator=randomness)
        loss = (x - v(quantized.z_q)).square().mean() + WEIGHT * quantized.loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        quantized = quantizer(w(x))
        return v(quantized.z_q), dict(quantized.stats)


def figures() -> dict[str, float]:
    """Squared error per pixel beside lower and upper bounds, and the perplexity of the codes."""
    x = pictures()
    rebuilt, use = train(x)
    principal, means = PCA(K).fit(x), KMeans(M, n_init=3, random_state=SEED).fit(x)
    return {
        "the mean picture": float(x.square().mean()),
        f"linear VQ-VAE, {K} values, {M} codes": float((x - rebuilt).square().mean()),
        f"k-means of the pixels, {M} means": means.inertia_ / x.numel(),
        f"principal components, {K}, no codes": error(principal.inverse_transform(principal.transform(x)), x),
        f"perplexity of the {M} codes": float(use["perplexity"]),
    }


def error(rows: np.ndarray, x: Tensor) -> float:
    return float(np.square(rows - x.numpy()).mean())


def main() -> None:
    for name, value in figures().items():
        print(f"{name:40}{value:7.3f}")


if __name__ == "__main__":
    main()
