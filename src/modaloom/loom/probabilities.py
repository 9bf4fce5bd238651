"""P(value | what is given), for every value that a column or a stream can have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.core.errors import BadValue, check_count
from modaloom.loom.conditionals import log_likelihoods, marginals
from modaloom.loom.model import Model, Stream
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value
from modaloom.runs.caches import Caches

ORDERS, MAX_ORDERS = 6, 1000
"""Orders of the codes of a text that are averaged over: by default all, of up to three codes; and most."""
MAX_VALUES = 256
"""Texts that are compared with each other."""


@dataclass(frozen=True)
class Distribution:
    """The probability of each value, by the model's own conditionals."""

    values: tuple[Value, ...]
    """Categories and truth values; of numbers the medians of their bins; texts."""
    probabilities: tuple[float, ...]
    """Of each value, given that it is one of these: their sum is 1."""
    other: float
    """The probability of all else: no value, or another text."""

    @classmethod
    def of(cls, values: Sequence[Value], log_p: Tensor) -> "Distribution":
        """Values and log p of each, (N,)."""
        mass = float(log_p.exp().sum())
        return cls(tuple(values), tuple(log_p.softmax(0).tolist()), max(0.0, 1 - mass))

    @property
    def likeliest(self) -> Value:
        """The value of the highest probability; the first of several."""
        return self.values[int(np.argmax(self.probabilities))]

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return vars(self).copy()


def distributions(
    model: Model,
    rows: Sequence[Mapping[str, Value]],
    want: Sequence[str],
    *,
    among: Mapping[str, Sequence[Value]],
    orders: int,
    seed: int,
) -> list[dict[str, Distribution]]:
    """The distribution of each wanted stream by itself, given the others that a row has.

    Args:
        model: tokenizers and Loom.
        rows: stream → value, of the same streams in all rows. Of a record that is wanted as well, columns
            that have a value are given.
        want: streams.
        among: wanted stream whose codes have no columns → its values.
        orders: of the codes of such a stream that are averaged over.
        seed: of the orders, and of noise.

    Returns:
        For each row, name → distribution: that of the stream, or STREAM.COLUMN of a record of several.

    Raises:
        BadValue: for a stream without values that can be listed, or that is given as a whole; orders
            out of range.
    """
    check_count("orders", orders, 1, MAX_ORDERS)
    codes = model.codes({name: [row[name] for row in rows] for name in (rows[0] if rows else ())})
    found: list[dict[str, Distribution]] = [{} for _ in rows]
    for name in want:
        if model.streams[name].tokenizer.columns:
            columns = _of_columns(model, codes, name, len(rows), seed)
        else:
            columns = _of_values(model, codes, name, among[name], len(rows), orders, seed)
        for row, own in zip(found, columns):
            row |= own
    return found


def _of_columns(
    model: Model, codes: Mapping[str, Tensor], want: str, n: int, seed: int
) -> list[dict[str, Distribution]]:
    """Each column that is not given, by itself; code 0 is no value."""
    columns = model.streams[want].tokenizer.columns
    known = codes[want][..., 0] > 0 if want in codes else None
    log_p = marginals(model.loom, codes, want, n, seed=seed, known=known).log()
    names = {name: f"{want}.{name}" if len(columns) > 1 else want for name in columns}
    return [
        {
            names[name]: Distribution.of(values, log_p[i, j, 0, 1 : 1 + len(values)])
            for j, (name, values) in enumerate(columns.items())
            if known is None or not known[i, j]
        }
        for i in range(n)
    ]


def _of_values(
    model: Model,
    codes: Mapping[str, Tensor],
    want: str,
    values: Sequence[Value],
    n: int,
    orders: int,
    seed: int,
) -> list[dict[str, Distribution]]:
    """The values of a stream as wholes; those with equal codes are one."""
    _check_listed(model, want)
    if want in codes:
        raise BadValue(f"{want} is both given and wanted; choose one")
    if not values:
        raise BadValue(f"{want} has no values to compare; name some")
    if model.loom.process.time_conditioned:
        raise BadValue(f"{want} is text: its probabilities need a run of loom.process=masked")
    encoded = model.encode(want, values)
    first = {tuple(row.flatten().tolist()): i for i, row in reversed([*enumerate(encoded)])}
    places = sorted(first.values())

    def distribution(row: int) -> Distribution:
        given = {name: column[row : row + 1] for name, column in codes.items()}
        log_p = log_likelihoods(model.loom, given, want, encoded[places], orders=orders, seed=seed)
        return Distribution.of([values[i] for i in places], log_p)

    return [{want: distribution(row)} for row in range(n)]


def has_values(stream: Stream) -> bool:
    """Whether values of a stream can be listed, as records, texts and sequences can."""
    return not MODALITIES[stream.modality].codec.continuous


def _check_listed(model: Model, name: str) -> None:
    """Raise `BadValue` for pictures, sounds and the like, and for texts of several codes at a position."""
    stream = model.streams[name]
    if not has_values(stream):
        raise BadValue(f"{name} has no values that can be listed: probabilities are of records and texts")
    if (depth := stream.tokenizer.shape.depth) > 1:
        raise BadValue(f"{name} has {depth} codes at a position: probabilities need a tokenizer of one")


def training_values(model: Model, run: Path, stream: str) -> list[Value]:
    """The different training values of a stream of few codes, the most frequent first.

    Raises `BadValue` for pictures and the like, for more than `MAX_VALUES`, and where a run has no caches.
    """
    _check_listed(model, stream)
    codes = _training_codes(run, stream)
    if codes is None:
        raise BadValue(f"{run} keeps no training values of {stream}; name those to compare with among")
    different, counts = np.unique(codes.reshape(len(codes), -1), axis=0, return_counts=True)
    if len(different) > MAX_VALUES:
        raise BadValue(
            f"{stream} has {len(different):,} different training values; name at most {MAX_VALUES} of them "
            "with among"
        )
    order = np.argsort(-counts, kind="stable")
    rows = torch.from_numpy(different[order].astype(np.int64))
    return model.decode(stream, rows[..., None])


def _training_codes(run: Path, stream: str) -> NDArray[Any] | None:
    caches = Caches.of(run)
    if caches is None:
        return None
    try:
        codes, present = caches.arrays("codes")[stream], caches.present("codes", stream)
        found: NDArray[Any] = codes[[row for row in caches.rows if present[row]]]
    except (OSError, ValueError, LookupError):
        return None
    return found
