"""Data sets of the families, and how generated rows are scored."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from budget import Budget, Descent
from torch import Tensor

from modaloom.core.rng import derive, generator
from rivals.base import batch, perceptron

SIDE, SPACING, SIGMA = 5, 2.0, 0.05
"""The grid: modes a side, between their centres, and their width."""
WITHIN = 4.0
"""Widths from its centre within which a row belongs to a mode."""
NEARBY = 2.0
"""Widths: the scale of a feature of the grid."""
ROWS, HELD = 10_000, 2_000
"""Rows of the grid for training and for testing."""
HIDDEN, FEATURES, STEPS = 128, 32, 1500
"""Of the digits' classifier."""
NEAR = 3
"""Neighbours that a real row's ball reaches to."""


@dataclass(frozen=True)
class Subject:
    """Real rows in two parts (n, columns), centred and of unit variance over all columns."""

    train: Tensor
    held: Tensor
    features: Callable[[Tensor], Tensor]
    """Rows → what kernel distances compare."""
    mode: Callable[[Tensor], Tensor]
    """Rows → int64 (n,): the mode of each, -1 for a row of no mode."""
    modes: int


def grid() -> Subject:
    """5 × 5 normal distributions in the plane; a feature says how near a centre is.

    Of the coordinates themselves KID sees three moments, which a smear over the grid has, too.
    """
    ticks = SPACING * (torch.arange(SIDE) - (SIDE - 1) / 2)
    centres = torch.cartesian_prod(ticks, ticks)
    rng = generator(0, "grid")

    def sample(n: int) -> Tensor:
        picked = centres[torch.randint(len(centres), (n,), generator=rng)]
        return picked + SIGMA * torch.randn(n, 2, generator=rng)

    train, held, scale = sample(ROWS), sample(HELD), centres.square().mean().sqrt()

    def mode(rows: Tensor) -> Tensor:
        distance, index = torch.cdist(rows * scale, centres).min(1)
        return torch.where(distance <= WITHIN * SIGMA, index, -1)

    def features(rows: Tensor) -> Tensor:
        return torch.exp(-torch.cdist(rows * scale, centres).square() / (2 * (NEARBY * SIGMA) ** 2))

    return Subject(train / scale, held / scale, features, mode, len(centres))


def digits() -> Subject:
    """scikit-learn's handwritten digits, 8 × 8; features are a classifier's, trained on one half."""
    from sklearn.datasets import load_digits

    data = load_digits()
    order = torch.randperm(len(data.target), generator=generator(0, "digits"))
    pixels = torch.from_numpy(data.data).float()[order]
    words = torch.from_numpy(data.target).long()[order]
    rows, half = (pixels - pixels.mean(0)) / pixels.std(), len(pixels) // 2
    classify, features = classifier(rows[:half], words[:half])
    real = features(rows[half:])

    def mode(rows: Tensor) -> Tensor:
        return torch.where(inside(features(rows), real), classify(rows), -1)

    return Subject(rows[:half], rows[half:], features, mode, 10)


def classifier(rows: Tensor, labels: Tensor) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """Rows → labels, and rows → its last hidden layer, each unit of unit variance over `rows`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(0, "classifier"))
        net = perceptron(rows.shape[1], HIDDEN, FEATURES, int(labels.max()) + 1)
    both = torch.cat([rows, labels[:, None]], 1)

    def loss(rng: torch.Generator) -> Tensor:
        some = batch(both, rng)
        return F.cross_entropy(net(some[:, :-1]), some[:, -1].long())

    Descent().run(net, loss, Budget(0, STEPS), seed=0)
    net.requires_grad_(False)
    scale = net[:-1](rows).std(0)
    return lambda some: net(some).argmax(1), lambda some: net[:-1](some) / scale


def inside(points: Tensor, real: Tensor) -> Tensor:
    """bool (n,): within some real point's ball, which reaches to its NEARth neighbour.

    The share of them is the precision of Kynkäänniemi et al. 2019 (arXiv 1904.06991), eq. 1.
    """
    reach = torch.cdist(real, real).kthvalue(NEAR + 1, 1).values
    return (torch.cdist(points, real) <= reach).any(1)


SUBJECTS: dict[str, Callable[[], Subject]] = {"grid": grid, "digits": digits}
