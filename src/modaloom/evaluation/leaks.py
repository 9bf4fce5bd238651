"""Detects data leaks and uninformative streams from digests of values; results are sentences."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from modaloom.evaluation.near_duplicates import Digests

MIN_EXCESS = 0.1
"""Excess of held-out values in the training data over the repetition rate of training values."""
MIN_SAMPLES = 20
"""Minimum number of samples for any warning."""
MIN_FRACTION = 0.99
"""Minimum fraction of samples in which one text contains the other."""

Columns = Mapping[str, Digests]
"""Stream → digests of its values by key."""


def repeated(train: Columns, held_out: Columns) -> Iterator[str]:
    """Yields a warning for each stream whose held-out values are in the training data more than by chance.

    The chance rate is the fraction of training values that occur more than once.
    """
    for stream in sorted(train.keys() & held_out.keys()):
        counts, asked = Counter(train[stream].values()), list(held_out[stream].values())
        if min(counts.total(), len(asked)) < MIN_SAMPLES:
            continue
        usual = sum(n for n in counts.values() if n > 1) / counts.total()
        hits = sum(value in counts for value in asked)
        if hits / len(asked) > usual + MIN_EXCESS:
            yield (
                f"{hits} of {len(asked)} held-out values of {stream} stand in the training data, where "
                f"{usual:.0%} occur twice: keep what belongs together on one side (--split-by)."
            )


def constant(columns: Columns) -> Iterator[str]:
    """Yields a warning for each stream with a single value."""
    for stream, digests in columns.items():
        if len(digests) >= MIN_SAMPLES and len(set(digests.values())) == 1:
            yield f"{stream} is the same in all {len(digests)} samples: it tells nothing; leave it out."


def determined(columns: Columns) -> Iterator[str]:
    """Yields a warning for each stream whose values repeat and determine the value of another stream."""
    for one, other in permutations(columns, 2):
        shared = columns[one].keys() & columns[other].keys()
        values: dict[str, set[str]] = defaultdict(set)
        for key in shared:
            values[columns[one][key]].add(columns[other][key])
        varies = len(set().union(*values.values())) > 1 if values else False
        if len(shared) >= MIN_SAMPLES and varies and _settles(values, len(shared)):
            yield f"{one} alone settles {other}: scores of that direction say little."


def _settles(values: Mapping[str, set[str]], n: int) -> bool:
    """Whether each value has a single partner, with at most n / 2 distinct values in n samples."""
    return 2 * len(values) <= n and all(len(partners) == 1 for partners in values.values())


def spelled_out(texts: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yields a warning for each stream (stream → key → text) that contains another one's text verbatim."""
    for one, other in permutations(texts, 2):
        pairs = [(text, texts[other][key]) for key, text in texts[one].items() if texts[other].get(key)]
        holds = sum(part in text for text, part in pairs)
        if len(pairs) >= MIN_SAMPLES and holds >= MIN_FRACTION * len(pairs):
            yield f"{one} spells out {other}: what is asked for stands in what is given."


def all_leaks(train: Columns, held_out: Columns, texts: Mapping[str, Mapping[str, str]]) -> Sequence[str]:
    """Returns all warnings, the most severe first."""
    return [*repeated(train, held_out), *determined(train), *spelled_out(texts), *constant(train)]
