"""What makes scores too good or streams useless, in plain sentences; from digests of values by key."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from modaloom.evaluation.near_duplicates import Digests

MIN_EXCESS = 0.1
"""By how much more held-out values may repeat training values than those repeat each other."""
MIN_SAMPLES = 20
"""Samples below which nothing is said of repetition."""
MIN_FRACTION = 0.99
"""Share of the samples in which one text holds the other."""

Columns = Mapping[str, Digests]
"""Stream → its values' digests by key."""


def repeated(train: Columns, held_out: Columns) -> Iterator[str]:
    """Streams whose held-out values stand in the training data more often than by chance.

    What chance is, the training values say: how often one of them occurs a second time.
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
    """Streams with one value."""
    for stream, digests in columns.items():
        if len(digests) >= MIN_SAMPLES and len(set(digests.values())) == 1:
            yield f"{stream} is the same in all {len(digests)} samples: it tells nothing; leave it out."


def determined(columns: Columns) -> Iterator[str]:
    """Streams whose values repeat and always come with the same value of another one."""
    for one, other in permutations(columns, 2):
        shared = columns[one].keys() & columns[other].keys()
        values: dict[str, set[str]] = defaultdict(set)
        for key in shared:
            values[columns[one][key]].add(columns[other][key])
        varies = len(set().union(*values.values())) > 1 if values else False
        if len(shared) >= MIN_SAMPLES and varies and _settles(values, len(shared)):
            yield f"{one} alone settles {other}: scores of that direction say little."


def _settles(values: Mapping[str, set[str]], n: int) -> bool:
    """Each of few values has one partner: most of the n samples repeat a value."""
    return 2 * len(values) <= n and all(len(partners) == 1 for partners in values.values())


def spelled_out(texts: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Texts (stream → key → text) that hold another stream's text word for word."""
    for one, other in permutations(texts, 2):
        pairs = [(text, texts[other][key]) for key, text in texts[one].items() if texts[other].get(key)]
        holds = sum(part in text for text, part in pairs)
        if len(pairs) >= MIN_SAMPLES and holds >= MIN_FRACTION * len(pairs):
            yield f"{one} spells out {other}: what is asked for stands in what is given."


def all_leaks(train: Columns, held_out: Columns, texts: Mapping[str, Mapping[str, str]]) -> Sequence[str]:
    """Every sentence, the gravest first."""
    return [*repeated(train, held_out), *determined(train), *spelled_out(texts), *constant(train)]
