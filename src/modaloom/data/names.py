"""Parsing of file names into key, stream and suffix.

The key is the path up to the first dot, the stream is between it and the suffix: `a/0001.image.gray.png` →
key `a/0001`, stream `image.gray`. A middle part that is not a name (e.g. starts with a digit) belongs to the
key, with all parts before it: `IMG_2023.05.01.caption.txt` → key `IMG_2023.05.01`, stream `caption`. So does
one that names no stream of the folder (`stream_names`): `Ada.Lovelace.png` and `Ada.Lovelace.txt` are image
and text of `Ada.Lovelace`.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from modaloom.modalities import MODALITIES

PART = re.compile(r"[^\W\d][\w-]*")
METADATA = ("metadata.csv", "metadata.jsonl")
MIN_SINGLE = 3
"""Samples with a middle part of their own from which on such parts belong to the keys."""


@dataclass(frozen=True)
class Name:
    """A parsed file name."""

    key: str
    stream: str
    """The modality's name if the file name has no stream."""
    modality: str


def parse_name(name: str, streams: Collection[str] | None = None) -> Name | None:
    """Parse a file name (without folders); None if no modality has its suffix.

    Args:
        name: the file name.
        streams: names of streams, of which the longest that fits is taken; None: all names are.
    """
    readings = [*_readings(name)]
    if not readings:
        return None
    known = (n for n in readings if streams is None or n.stream in streams)
    return next(known, readings[-1])


def _readings(name: str) -> Iterator[Name]:
    """What a file name may mean, the longest stream first; at last, that it has none."""
    stem, suffix = split_suffix(name)
    modality = next((m.name for m in MODALITIES.values() if suffix in m.suffixes), None)
    if not stem or modality is None:
        return
    parts = stem.split(".")
    first = len(parts)
    while first > 1 and PART.fullmatch(parts[first - 1]):
        first -= 1
    for i in range(first, len(parts)):
        yield Name(".".join(parts[:i]), ".".join(parts[i:]), modality)
    yield Name(".".join(parts), modality, modality)


def split_suffix(name: str) -> tuple[str, str]:
    """A file name → what is before its suffix, and the suffix in lower case, without the dot.

    The suffix is the longest one of a modality (`nii.gz`), or what follows the last dot.
    """
    known = {suffix for m in MODALITIES.values() for suffix in m.suffixes}
    parts = name.split(".")
    for i in range(1, len(parts)):
        if (suffix := ".".join(parts[i:]).lower()) in known:
            return ".".join(parts[:i]), suffix
    return ".".join(parts[:-1]), parts[-1].lower() if len(parts) > 1 else ""


def stream_names(files: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The streams that the names of files, (folder, name), have between key and suffix.

    A middle part names a stream unless it looks like a part of the key: where most of its samples have
    values of two modalities, and, if there are `MIN_SINGLE` such samples, where it occurs in one sample only.
    """
    modalities: dict[str, dict[tuple[str, str], set[str]]] = defaultdict(lambda: defaultdict(set))
    stems: dict[str, set[tuple[str, str]]] = defaultdict(set)
    """Stream → its samples, by their name up to the first dot."""
    for folder, name in files:
        readings = [*_readings(name)][:-1]
        for reading in readings:
            modalities[reading.stream][folder, reading.key].add(reading.modality)
            stems[reading.stream].add((folder, readings[0].key))
    single = {stream: next(iter(found)) for stream, found in stems.items() if len(found) == 1}
    doubtful = single if len({*single.values()}) >= MIN_SINGLE else {}
    return frozenset(
        stream
        for stream, samples in modalities.items()
        if stream not in doubtful and 2 * sum(len(found) > 1 for found in samples.values()) < len(samples)
    )


def is_stream_name(name: str) -> bool:
    """Whether this is a valid stream name."""
    return all(PART.fullmatch(part) for part in name.split("."))


RESERVED = re.compile(
    r"\..*|_world\.jsonl|_provenance\.jsonl|_SUCCESS|__MACOSX|__pycache__|Thumbs\.db|desktop\.ini"
    r"|(README|LICENSE|CHANGELOG|CITATION)(\.(md|txt|rst|cff|html|pdf))?",
    re.IGNORECASE,
)
"""Names of files and folders that are never data: hidden ones, those of operating systems and of modaloom,
and what describes a dataset."""


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is ignored: by its whole name, never by how it begins."""
    return RESERVED.fullmatch(name) is not None
