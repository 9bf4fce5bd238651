"""Whether sounds are of the texts beside them, told from lengths: speech that reads a text grows with it."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Lengths = Mapping[str, Mapping[str, float]]
"""Stream → key → length of the value, in its modality's unit."""
FEW = 100
"""Pairs of lengths below which nothing is said."""
NONE, FULL = 0.3, 0.8
"""Rank correlation below which lengths have nothing to do with each other, as of music and titles; and from
which one follows the other, as speech that reads a text."""


def about_lengths(lengths: Lengths, sounds: Collection[str]) -> Iterator[str]:
    """Yields a sentence for each of the sounds that follows no other stream, but one of them in part."""
    for sound in sounds:
        texts = lengths.keys() - sounds
        found = {name: rank_correlation(*_common(lengths[name], lengths[sound])) for name in sorted(texts)}
        text, best = max(found.items(), key=lambda item: item[1], default=("", 0.0))
        if NONE <= best < FULL:
            yield (
                f"{sound} follows {text} in part only: the rank correlation of their lengths is {best:.2f}, "
                f"where speech that reads a text has {FULL} and more; listen to some, or leave it out."
            )


def _common(
    first: Mapping[str, float], second: Mapping[str, float]
) -> tuple[Sequence[float], Sequence[float]]:
    keys = first.keys() & second.keys()
    return [first[key] for key in keys], [second[key] for key in keys]


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's rank correlation, in [-1, 1]; 0 of constants and of fewer than `FEW`."""
    a, b = _centred_ranks(first), _centred_ranks(second)
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if len(a) >= FEW and scale else 0.0


def _centred_ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """Mean ranks of equal values, minus their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    centred: NDArray[np.float64] = ranks - ranks.mean() if len(ranks) else ranks
    return centred
