"""What a file's name says: key, stream, suffix.

The key is the path up to the first dot; the stream's name stands between it and the suffix:
`a/0001.image.gray.png` → key `a/0001`, stream `image.gray`. A middle part that is no name (it starts with a
digit, say) belongs to the key together with all before it: `IMG_2023.05.01.caption.txt` → key
`IMG_2023.05.01`, stream `caption`.
"""

import re
from dataclasses import dataclass

from modaloom.modalities import MODALITIES

PART = re.compile(r"[^\W\d][\w-]*")
METADATA = ("metadata.csv", "metadata.jsonl")


@dataclass(frozen=True)
class Name:
    """A file name taken apart."""

    key: str
    stream: str
    """The modality's own name if the file names none."""
    modality: str


def parse_name(name: str) -> Name | None:
    """A file name (no folders) → what it says; None if no modality has its suffix."""
    *parts, suffix = name.split(".")
    modality = next((m.name for m in MODALITIES.values() if suffix.lower() in m.suffixes), None)
    if not parts or modality is None:
        return None
    first = len(parts)
    while first > 1 and PART.fullmatch(parts[first - 1]):
        first -= 1
    return Name(".".join(parts[:first]), ".".join(parts[first:]) or modality, modality)


def is_stream_name(name: str) -> bool:
    """Whether a file name or a column may call a stream so."""
    return all(PART.fullmatch(part) for part in name.split("."))


def is_ignored(name: str) -> bool:
    """Names that are never samples, of files and folders."""
    return name.startswith(("_", ".", "README", "LICENSE"))
