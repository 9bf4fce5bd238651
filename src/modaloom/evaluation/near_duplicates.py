"""Held-out values that stand in the training data, the same or nearly so."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from modaloom.data.folder import Source
from modaloom.evaluation.features import Space
from modaloom.evaluation.nearest import nearest, nearest_others
from modaloom.modalities.base import DataSpec, Modality, Value

MAX_DISTANCE_RATIO = 0.1
"""Share of the usual distance from a value to its nearest training value; less makes a copy."""


@dataclass(frozen=True)
class Duplicate:
    """A stream's value on both sides of a split."""

    stream: str
    key: str
    """Of the held-out sample."""
    of: str
    """Of the training sample."""
    distance: float
    """Over the usual one: 0 for the same value."""


def digest(source: Source) -> str | None:
    """Of a file's bytes, or of a literal; None for a file that cannot be read."""
    try:
        content = source.read_bytes() if isinstance(source, Path) else source.encode("utf-8", "replace")
    except OSError:
        return None
    return hashlib.sha256(content).hexdigest()


Digests = Mapping[str, str]
"""Key → digest of a stream's value."""


def exact_duplicates(stream: str, train: Digests, held_out: Digests) -> Iterator[Duplicate]:
    """Held-out values that are a training value, byte by byte."""
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
    """Held-out values (by key) much nearer to a training value than is usual.

    Usual is the median of their distances, or that of training values to each other if it is larger: most
    held-out values may be copies.
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
