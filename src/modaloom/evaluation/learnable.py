"""What a few samples can teach: how well streams predict each other, sample by sample, before any training.

Every stream is predicted linearly from every other, each sample from all others (leave one out), and compared
with what the same samples give in a random order. What is not linear in the features is not found.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from modaloom.core.errors import ModaloomError, bounded
from modaloom.core.rng import generator
from modaloom.core.types import Sample
from modaloom.data.advice import FEW_SAMPLES
from modaloom.data.reader import Reader
from modaloom.evaluation.baselines import RIDGE_PENALTY
from modaloom.evaluation.rows import Direction
from modaloom.modalities import MODALITIES

MIN_SAMPLES = 8
"""Number of samples below which nothing can be said."""
NUM_ORDERS, MAX_P = 199, 0.01
"""Random orders that a prediction is compared with, and the p-value below which it is a finding."""


@dataclass(frozen=True)
class Link:
    """How well one stream predicts another on samples that were left out."""

    direction: Direction
    explained: float
    """Fraction of the variance of the target's features; at most 1, negative if it misleads."""
    p: float
    """Fraction of the random orders that explain as much, this one included."""

    @property
    def found(self) -> bool:
        """Whether it is more than chance."""
        return self.explained > 0 and self.p <= MAX_P


def link(x: Tensor, y: Tensor, random: torch.Generator) -> tuple[float, float]:
    """Explained variance of y predicted from x by ridge regression, each row from all others; its p-value.

    The residual of a left-out row is α_i / (G⁻¹)_ii with G = K + λI and α = G⁻¹y: Cawley and Talbot (2004).
    A constant of large weight in K takes the place of an intercept.

    Args:
        x: float (n, D) inputs.
        y: float (n, E) targets.
        random: source of the orders.
    """
    x, y, n = x.double(), y.double(), len(x)
    gram = x @ x.T
    scale = gram.diagonal().mean().clamp_min(1e-12)
    inverse = torch.linalg.inv(gram + 1e3 * scale + RIDGE_PENALTY * scale * torch.eye(n, dtype=torch.float64))
    alone = torch.linalg.inv(1e3 * scale + RIDGE_PENALTY * scale * torch.eye(n, dtype=torch.float64))

    def error(inverse: Tensor, order: Tensor) -> Tensor:
        return (inverse @ y[order] / inverse.diagonal()[:, None]).square().sum()

    orders = [torch.arange(n), *(torch.randperm(n, generator=random) for _ in range(NUM_ORDERS))]
    errors = torch.stack([error(inverse, order) for order in orders])
    explained = 1 - errors[0] / error(alone, orders[0]).clamp_min(1e-12)
    return float(explained), float((errors <= errors[0]).double().mean())


def links(reader: Reader, training: Sequence[Sample]) -> Iterator[Link]:
    """The links of all pairs of streams that enough training samples share."""
    points = {stream: _points(reader, stream, training) for stream in reader.streams}
    for one, other in permutations(points, 2):
        both = [key for key in points[one] if key in points[other]]
        if len(both) >= MIN_SAMPLES:
            x, y = (torch.stack([points[stream][key] for key in both]) for stream in (one, other))
            direction = Direction((one,), (other,))
            yield Link(direction, *link(x, y, generator(0, "links", direction.name)))


def _points(reader: Reader, stream: str, samples: Sequence[Sample]) -> dict[str, Tensor]:
    """Key → centred features of the samples that have the stream; of none if it has no specification."""
    modality, found = MODALITIES[reader.folder.modality_of[stream]], dict[str, Tensor]()
    with suppress(ModaloomError):  # such as records without columns
        spec = modality.infer_spec(reader.column(stream, samples), modality.limits)
        for sample in samples:  # read again, so that no more than one value is in memory
            if (value := reader.value(sample, stream)) is not None:
                found[sample.key] = modality.codec.features([value], spec)[0]
    mean = torch.stack([*found.values()]).mean(0) if found else torch.zeros(())
    return {key: point - mean for key, point in found.items()}


def few_samples(reader: Reader, training: Sequence[Sample]) -> list[str]:
    """What fewer than `FEW_SAMPLES` training samples can teach, in sentences; none for more of them."""
    if not MIN_SAMPLES <= len(training) < FEW_SAMPLES or len(reader.streams) < 2:
        return []
    known = [*links(reader, training)]
    found = sorted((one for one in known if one.found), key=lambda one: -one.explained)
    lost = [one.direction.name for one in known if not one.found]
    start = f"{len(training)} training samples, each predicted linearly from all others, show"
    said = bounded(f"{one.direction.name} (explains {one.explained:.0%})" for one in found)
    return [
        *([f"{start} what can be learned: {said}"] if found else []),
        *([f"{start} no more than chance for {bounded(lost)}: expect memorised answers"] if lost else []),
    ]
