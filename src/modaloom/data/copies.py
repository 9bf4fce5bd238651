"""Equal values of a stream, byte by byte."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from modaloom.data.arrays import ArrayRow
from modaloom.data.collected import Source
from modaloom.data.folder import Folder
from modaloom.modalities.files import File


def digest(source: Source) -> str | None:
    """Returns the SHA-256 of a file's bytes or of a literal; None for an unreadable file."""
    try:
        if isinstance(source, ArrayRow):
            return hashlib.sha256(np.asarray(source.read()).tobytes()).hexdigest()
        content = source.read_bytes() if isinstance(source, File) else str(source).encode("utf-8", "replace")
    except OSError:
        return None
    return hashlib.sha256(content).hexdigest()


def equal_files(folder: Folder, stream: str) -> Iterator[list[str]]:
    """Yields the keys of the samples whose files of a stream have equal bytes, two and more at a time.

    Only files of equal sizes are read.
    """
    paths = {s.key: s.streams[stream] for s in folder.samples if isinstance(s.streams.get(stream), File)}
    sizes: dict[int, list[str]] = defaultdict(list)
    for key, path in paths.items():
        with suppress(OSError):
            sizes[path.stat().st_size].append(key)
    for alike in sizes.values():
        found: dict[str | None, list[str]] = defaultdict(list)
        for key in alike if len(alike) > 1 else ():
            found[digest(paths[key])].append(key)
        yield from (keys for content, keys in found.items() if content and len(keys) > 1)
