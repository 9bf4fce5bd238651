"""The source article's quantization loss as it is written (§3.2.1, §3.3.1), beside the correct one.

As written: 1/N Σᵢ Σⱼ ‖zᵢ − qⱼ‖², over all M codes. Its minimum puts every qⱼ at the mean of z.
Correct: the nearest code only, ‖sg[z] − e‖² + β‖z − sg[e]‖² (van den Oord et al. 2017, eq. 3).

Both train the same linear encoder and decoder from the same k-means codebook on 400 × 10 normal samples.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from modaloom.core.rng import generator
from modaloom.quantizers import Quantizer, build

WEIGHT, COMMITMENT = 0.1, 0.25
"""λ and β."""
CODES, STEPS, RATE, SEED = 10, 500, 0.01, 0

Loss = Callable[[Tensor, Quantizer, Tensor], Tensor]
"""(z (n, 10), quantizer, the quantizer's loss) → the loss to train with."""


@dataclass(frozen=True)
class Outcome:
    """Measured after training."""

    error: float
    """Squared reconstruction error over the variance of x: 1 is no better than the mean of x."""
    distortion: float
    """‖z − q‖² over the variance of z: 0 is lossless, 1 is no better than a single code at the mean of z."""
    spread: float
    """Mean squared distance of the codes from the mean of z, over the variance of z."""


def literal(z: Tensor, quantizer: Quantizer, own: Tensor) -> Tensor:
    """Sum over all codes of the mean over z; the codebook is the quantizer's only parameter."""
    (codebook,) = quantizer.parameters()
    return (z[:, None] - codebook).square().sum(-1).mean(0).sum()


def nearest(z: Tensor, quantizer: Quantizer, own: Tensor) -> Tensor:
    return own


LOSSES: dict[str, Loss] = {"all codes, as written": literal, "the nearest code": nearest}


def train(loss: Loss, seed: int = SEED) -> Outcome:
    x = torch.randn(400, 10, generator=generator(seed, "data"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder, decoder = nn.Linear(10, 10), nn.Linear(10, 10)
    quantizer = build("vq", 10, CODES, codebook="gradient", commitment=COMMITMENT, max_restart_fraction=0.0)
    model, randomness = nn.ModuleList([encoder, quantizer, decoder]), generator(seed, "training")
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, STEPS)
    for _ in range(STEPS):
        z = encoder(x)
        quantized = quantizer(z, generator=randomness)
        rebuilt = decoder(quantized.z_q)
        total = (x - rebuilt).square().mean() + WEIGHT * loss(z, quantizer, quantized.loss)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        decay.step()
    return measure(x, encoder, quantizer.eval(), decoder)


@torch.no_grad()
def measure(x: Tensor, encoder: nn.Module, quantizer: Quantizer, decoder: nn.Module) -> Outcome:
    z = encoder(x)
    quantized = quantizer(z)
    mean, codes = z.mean(0), quantizer.vectors[0]
    spread = (codes - mean).square().mean() / (z - mean).square().mean()
    error = (x - decoder(quantized.z_q)).square().mean() / (x - x.mean(0)).square().mean()
    return Outcome(float(error), float(quantized.stats["distortion"]), float(spread))


def main() -> None:
    print(f"{'quantization loss':24}{'error':>7}{'distortion':>12}{'spread of the codes':>21}")
    for name, loss in LOSSES.items():
        out = train(loss)
        print(f"{name:24}{out.error:7.3f}{out.distortion:12.3f}{out.spread:21.4f}")


if __name__ == "__main__":
    main()
