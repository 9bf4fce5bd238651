"""Scores of rebuilt pictures: PSNR, SSIM, KID on features learned from the data, sharpness."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from statistics import mean

import torch
import torch.nn.functional as F
from budget import Budget, Descent
from torch import Tensor, nn

from modaloom.core.rng import generator
from modaloom.metrics.hf_energy_ratio import hf_energy
from modaloom.metrics.kid import kid
from modaloom.metrics.psnr import mse, psnr
from modaloom.metrics.ssim import ssim
from modaloom.modalities import IMAGE
from modaloom.networks.conv import CONV
from reconstructed.data import Data, Pictures

PATCH = 64
"""Side of the patches whose features are compared."""
CLASSIFIER_STEPS = 600
NUM_KNOWN = 1000
"""Training patches that rebuilt ones are compared with."""
PSNR, SSIM, KID, SHARPNESS = "PSNR, dB", "SSIM", "KID, 10⁻³", "sharpness"


class Classifier(nn.Module):
    """Patches → features → the data's labels."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 128)
        self.layers = nn.ModuleList(
            CONV[2](before, after, 3, stride=2, padding=1) for before, after in pairwise(widths)
        )
        self.head = nn.Linear(widths[-1], labels)

    def features(self, patches: Tensor) -> Tensor:
        """uint8 (n, 3, PATCH, PATCH) → float (n, 128)."""
        x = IMAGE.signal.normalize(patches)
        for layer in self.layers:
            x = F.silu(layer(x))
        return x.mean((2, 3))

    @classmethod
    def of(cls, data: Data, seed: int) -> "Classifier":
        """Trained on patches of the training pictures."""
        torch.manual_seed(seed)
        net = cls(data.labels)

        def loss(random: torch.Generator) -> Tensor:
            pictures, labels = data.batch(64, random)
            return F.cross_entropy(net.head(net.features(crop(pictures, random))), labels)

        Descent().run(net, loss, Budget(0, CLASSIFIER_STEPS), seed=seed)
        return net


def crop(pictures: Tensor, random: torch.Generator) -> Tensor:
    """A patch of each picture, at one random place."""
    top, left = (int(torch.randint(n - PATCH + 1, (), generator=random)) for n in pictures.shape[2:])
    return pictures[..., top : top + PATCH, left : left + PATCH]


def patches(pictures: Pictures) -> Tensor:
    """All patches that lie side by side."""
    return torch.stack(
        [
            picture[:, y : y + PATCH, x : x + PATCH]
            for picture in pictures
            for y, x in product(*(range(0, n - PATCH + 1, PATCH) for n in picture.shape[1:]))
        ]
    )


@dataclass(frozen=True)
class Exam:
    """Scores rebuilt pictures beside the held-out ones."""

    test: Pictures
    net: Classifier
    known: Tensor
    """Features of training patches."""

    @classmethod
    def of(cls, data: Data, seed: int) -> "Exam":
        net, random = Classifier.of(data, seed), generator(seed, "known")
        seen = [crop(data.batch(1, random)[0], random) for _ in range(NUM_KNOWN)]
        with torch.no_grad():
            return cls(data.test, net, net.features(torch.cat(seen)))

    def figures(self, rebuilt: Pictures) -> Iterator[tuple[str, float]]:
        pairs = [[p.permute(1, 2, 0).numpy() / 255 for p in pair] for pair in zip(rebuilt, self.test)]
        if all(mse(a, b) > 0 for a, b in pairs):
            yield PSNR, mean(psnr(mse(a, b)) for a, b in pairs)
        yield SSIM, mean(ssim(a, b) for a, b in pairs)
        with torch.no_grad():
            found, scale = self.net.features(patches(rebuilt)), self.known.std(0)
        ours, true = (((points - self.known.mean(0)) / scale).numpy() for points in (found, self.known))
        yield KID, 1e3 * kid(ours, true)
        power = [sum(hf_energy(p.double()) for p in pictures) for pictures in (rebuilt, self.test)]
        yield SHARPNESS, power[0] / power[1]
