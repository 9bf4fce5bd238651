"""Exact and near duplicates of held-out values in the training data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from modaloom.evaluation.features import Space
from modaloom.evaluation.nearest import nearest, nearest_others
from modaloom.modalities.base import DataSpec, Modality, Value

MAX_DISTANCE_RATIO = 0.1
"""Distance to the nearest training value, divided by the typical one, below which a value is a duplicate."""


@dataclass(frozen=True)
class Duplicate:
    """A value of a stream that is both held out and in the training data."""

    stream: str
    key: str
    """Key of the held-out sample."""
    of: str
    """Key of the training sample."""
    distance: float
    """Distance divided by the typical one: 0 for equal values."""


Digests = Mapping[str, str]
"""Key → digest of a stream's value."""


def exact_duplicates(stream: str, train: Digests, held_out: Digests) -> Iterator[Duplicate]:
    """Yields held-out values that are equal to a training value, byte by byte."""
    first: dict[str, str] = {}
    for key, content in train.items():
        first.setdefault(content, key)
    for key, content in held_out.items():
        if content in first:
            yield Duplicate(stream, key, first[content], 0.0)


def near_duplicates(
    stream: str,
    modality: Modality,
    spec: DataSpec,
    train: Mapping[str, Value],
    held_out: Mapping[str, Value],
) -> Iterator[Duplicate]:
    """Yields held-out values that are much nearer to a training value than the typical distance.

    The typical distance is the larger of two medians: that of held-out values to training values, and that of
    training values to each other, since most held-out values may be copies.

    Args:
        stream: name of the stream.
        modality: its modality.
        spec: spec that the values are packed by.
        train: key → training value.
        held_out: key → held-out value.
    """
    if not train or not held_out:
        return
    space = Space.fit(modality, [*train.values()], spec)
    found = nearest(space.embed([*held_out.values()]), space.points)
    usual = max(float(each.distance.median()) for each in (found, nearest_others(space.points)))
    keys = list(train)
    for key, index, distance in zip(held_out, found.index.tolist(), found.distance.tolist()):
        if distance < MAX_DISTANCE_RATIO * usual or distance == 0:
            yield Duplicate(stream, key, keys[index], distance / usual if usual else 0.0)
