"""Pointwise mutual information between streams, from a model's likelihood bounds, in bits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.core.rng import generator
from modaloom.core.types import Sample
from modaloom.loom.evaluation.encoded import Encoded
from modaloom.loom.model import BATCH_SIZE, Model
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value

NUM_NOISE_LEVELS = 16
"""Noise levels per bound, stratified: one in each of as many equal intervals of t."""


@dataclass(frozen=True)
class Pointwise:
    """Upper bounds on −log₂ p of n values of a stream, unconditional and given another stream."""

    rows: tuple[int, ...]
    """Indices of the samples, which have both streams."""
    alone: Tensor
    """float64 (n,), unconditional, in bits."""
    given: Tensor
    """float64 (n,), given the other stream, in bits."""

    @property
    def pmi(self) -> Tensor:
        """float64 (n,): log₂ p(value | other) − log₂ p(value), the PMI estimated from the two bounds."""
        return self.alone - self.given


class Bounds:
    """Likelihood bounds of samples, memoized.

    Both terms of a difference use the same noise levels and masks, so that most of the noise cancels. The
    bounds are on the codes: information that the tokenizers discard is not counted.

    Args:
        model: tokenizers and Loom.
        samples: samples of values.
        seed: seed of the noise.
        points: noise levels per bound.
        encoded: codes of the samples; None: by their keys.
    """

    def __init__(
        self,
        model: Model,
        samples: Sequence[Sample],
        *,
        seed: int = 0,
        points: int = NUM_NOISE_LEVELS,
        encoded: Encoded | None = None,
    ) -> None:
        self.model, self.samples, self.seed, self.points = model, samples, seed, points
        self._encoded = Encoded(model) if encoded is None else encoded
        self._bits: dict[tuple[str, str | None, tuple[int, ...]], Tensor] = {}

    def pointwise(self, given: str, want: str, *, most: int | None = None) -> Pointwise:
        """Bounds of `want`, unconditional and given `given`, of the first `most` samples that have both."""
        whole = (i for i, s in enumerate(self.samples) if given in s.streams and want in s.streams)
        rows = tuple(islice(whole, most))
        return Pointwise(rows, self._of(want, None, rows), self._of(want, given, rows))

    def alone(self, want: str) -> Tensor:
        """Unconditional bounds of `want`, float64 (n,), of the samples that have it."""
        return self._of(want, None, tuple(i for i, s in enumerate(self.samples) if want in s.streams))

    def _of(self, want: str, given: str | None, rows: tuple[int, ...]) -> Tensor:
        key = (want, given, rows)
        if key not in self._bits:
            parts = [
                self._batch(want, given, rows[i : i + BATCH_SIZE]) for i in range(0, len(rows), BATCH_SIZE)
            ]
            self._bits[key] = torch.cat(parts) if parts else torch.zeros(0, dtype=torch.float64)
        return self._bits[key]

    def _batch(self, want: str, given: str | None, rows: Sequence[int]) -> Tensor:
        shown = () if given is None else (given,)
        here = [self.samples[row] for row in rows]
        codes = {name: self._encoded.codes(name, here) for name in (want, *shown)}
        noise = generator(self.seed, "information", want, rows[0])
        nats = self.model.loom.nelbo(codes, [want], shown, generator=noise, points=self.points)[want]
        return nats.double().cpu() / math.log(2)


def bits_per_unit(model: Model, name: str, values: Sequence[Value], *, seed: int = 0) -> float:
    """Upper bound on the bits of values of a stream, given nothing, for each unit of their length: for each
    character of texts, each second of sounds.

    It is of their codes, and of what a limit of the run leaves of them.

    Raises:
        BadValue: values without a length, or none that has any.
    """
    measure = MODALITIES[model.streams[name].modality].length
    values = [model.as_learned(name, value) for value in values]
    total = sum(map(measure, values)) if measure else 0
    if not total:
        raise BadValue(f"values of {name} have no length; give texts, sounds or clips")
    bounds = Bounds(model, [Sample(str(i), {name: value}) for i, value in enumerate(values)], seed=seed)
    return float(bounds.alone(name).sum()) / total
