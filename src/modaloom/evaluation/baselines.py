"""Baselines from the training samples: most common value, nearest neighbour and linear probe."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from modaloom.core.rng import derive
from modaloom.core.types import Sample
from modaloom.evaluation.features import Space
from modaloom.evaluation.judge import Answer
from modaloom.evaluation.nearest import nearest
from modaloom.evaluation.rows import Direction
from modaloom.modalities import MODALITIES, DataSpec, Value

MAX_SAMPLES = 10_000
"""Maximum number of training samples for nearest-neighbour search."""
MAX_PROBE_SAMPLES = 1_000
"""Maximum number of training samples that the linear probe is fitted to."""
RIDGE_PENALTY = 0.3
"""Ridge penalty, in units of the mean squared norm of a training point."""


class Library:
    """Baseline predictions from training samples.

    Args:
        train: training samples with prepared values; of more than `MAX_SAMPLES`, a subset is used.
        modality_of: stream → modality.
        specs: stream → spec of its values.
        seed: determines the subset, together with the samples' keys.
    """

    def __init__(
        self,
        train: Sequence[Sample],
        modality_of: Mapping[str, str],
        specs: Mapping[str, DataSpec],
        *,
        seed: int,
    ) -> None:
        self.samples = pick(train, (), MAX_SAMPLES, seed)
        self.modality_of, self.specs = modality_of, specs
        self._spaces: dict[str, Space] = {}
        self._known: dict[str, frozenset[bytes]] = {}
        self._embedded: dict[tuple[str, ...], Tensor] = {}
        self._factors: dict[tuple[str, ...], Tensor] = {}

    def typical(self, direction: Direction) -> Answer:
        """Returns the most common value of each target stream."""
        return {
            name: self.samples[self._rows([name])[self.space(name).typical]].streams[name]
            for name in direction.want
        }

    def retrieve(self, direction: Direction, samples: Sequence[Sample]) -> list[Answer]:
        """Returns the targets of the training sample with the nearest inputs, by squared distance summed over
        streams."""
        rows = self._rows(direction.streams)
        found = nearest(self._embed(direction.given, samples), self._points(direction.given, rows))
        return self._answers(direction, rows, found.index)

    def linear_probe(self, direction: Direction, samples: Sequence[Sample]) -> list[Answer]:
        """Linear probe: ridge regression (dual form) from input to target features; returns the training
        value nearest to each prediction."""
        rows = self._rows(direction.streams)
        x, y = self._points(direction.given, rows), self._points(direction.want, rows)
        few_x, few_y = x[:MAX_PROBE_SAMPLES], y[:MAX_PROBE_SAMPLES]
        factor = self._factor(direction, few_x)
        weights = torch.cholesky_solve(few_x @ self._embed(direction.given, samples).T, factor)
        return self._answers(direction, rows, nearest(weights.T @ few_y, y).index)

    def space(self, stream: str) -> Space:
        """Returns the stream's feature space, computed on first use."""
        if stream not in self._spaces:
            self._spaces[stream] = Space.fit(
                MODALITIES[self.modality_of[stream]], self._values(stream), self.specs[stream]
            )
        return self._spaces[stream]

    def known(self, stream: str) -> frozenset[bytes]:
        """Returns the identity keys of the stream's training values, computed on first use."""
        if stream not in self._known:
            self._known[stream] = frozenset(self.space(stream).names(self._values(stream)))
        return self._known[stream]

    def embed(self, stream: str, samples: Sequence[Sample]) -> Tensor:
        """Returns the features of samples with distinct keys, float32 (n, D)."""
        name = (stream, *(sample.key for sample in samples))
        if name not in self._embedded:
            self._embedded[name] = self.space(stream).embed([s.streams[stream] for s in samples])
        return self._embedded[name]

    def covers(self, direction: Direction) -> bool:
        """Whether any training sample has all streams of the direction."""
        return bool(self._rows(direction.streams))

    def _values(self, stream: str) -> list[Value]:
        return [self.samples[row].streams[stream] for row in self._rows([stream])]

    def _rows(self, streams: Sequence[str]) -> list[int]:
        return [i for i, sample in enumerate(self.samples) if all(name in sample.streams for name in streams)]

    def _points(self, streams: Sequence[str], rows: Sequence[int]) -> Tensor:
        return torch.cat([self._column(name, rows) for name in streams], 1)

    def _column(self, stream: str, rows: Sequence[int]) -> Tensor:
        points, place = self.space(stream).points, {row: i for i, row in enumerate(self._rows([stream]))}
        return points if len(rows) == len(points) else points[[place[row] for row in rows]]

    def _embed(self, streams: Sequence[str], samples: Sequence[Sample]) -> Tensor:
        return torch.cat([self.embed(name, samples) for name in streams], 1)

    def _factor(self, direction: Direction, points: Tensor) -> Tensor:
        """Cholesky factor of the regularized Gram matrix, cached for all splits."""
        if direction.streams not in self._factors:
            gram = points @ points.T
            gram.diagonal().add_(RIDGE_PENALTY * gram.diagonal().mean() + 1e-6)
            self._factors[direction.streams] = torch.linalg.cholesky(gram)
        return self._factors[direction.streams]

    def _answers(self, direction: Direction, rows: Sequence[int], index: Tensor) -> list[Answer]:
        found = [self.samples[rows[i]].streams for i in index.tolist()]
        return [{name: streams[name] for name in direction.want} for streams in found]


def pick(samples: Sequence[Sample], streams: Sequence[str], n: int, seed: int) -> list[Sample]:
    """Returns at most n samples that have all streams, chosen independently of the samples' order.

    Args:
        samples: the samples.
        streams: streams that are required.
        n: maximum number of samples.
        seed: determines the choice, together with the samples' keys.
    """
    whole = [sample for sample in samples if all(name in sample.streams for name in streams)]
    return sorted(whole, key=lambda sample: derive(seed, "evaluate", sample.key))[:n]
