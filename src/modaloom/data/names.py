"""Parsing of file names into key, stream and suffix.

The key is the path up to the first dot, the stream is between it and the suffix: `a/0001.image.gray.png` →
key `a/0001`, stream `image.gray`. A middle part that is not a name (e.g. starts with a digit) belongs to the
key, with all parts before it: `IMG_2023.05.01.caption.txt` → key `IMG_2023.05.01`, stream `caption`.
"""

import re
from dataclasses import dataclass

from modaloom.modalities import MODALITIES

PART = re.compile(r"[^\W\d][\w-]*")
METADATA = ("metadata.csv", "metadata.jsonl")


@dataclass(frozen=True)
class Name:
    """A parsed file name."""

    key: str
    stream: str
    """The modality's name if the file name has no stream."""
    modality: str


def parse_name(name: str) -> Name | None:
    """Parse a file name (without folders); None if no modality has its suffix."""
    *parts, suffix = name.split(".")
    modality = next((m.name for m in MODALITIES.values() if suffix.lower() in m.suffixes), None)
    if not parts or modality is None:
        return None
    first = len(parts)
    while first > 1 and PART.fullmatch(parts[first - 1]):
        first -= 1
    return Name(".".join(parts[:first]), ".".join(parts[first:]) or modality, modality)


def is_stream_name(name: str) -> bool:
    """Whether this is a valid stream name."""
    return all(PART.fullmatch(part) for part in name.split("."))


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is ignored."""
    return name.startswith(("_", ".", "README", "LICENSE"))
