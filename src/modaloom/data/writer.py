"""Writing of samples as files of the data contract, atomically for the whole folder."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadValue
from modaloom.core.json_text import to_json
from modaloom.core.types import Sample
from modaloom.data.atomic_io import all_or_none, new_folder
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value

PROVENANCE = "_provenance.jsonl"
"""One line per sample; ignored by readers because of its underscore."""


class Writer:
    """Writes samples into a folder; see `writing`."""

    def __init__(self, root: Path, modality_of: Mapping[str, str]) -> None:
        self.root, self.modality_of = root, modality_of

    def write(
        self,
        sample: Sample,
        provenance: Mapping[str, Any] | None = None,
        *,
        write: Mapping[str, Callable[[Value, Path], None]] | None = None,
    ) -> None:
        """Write `KEY.STREAM.SUFFIX` for each stream, and a line of provenance: all of them, or none.

        `write`: stream → what writes its files, instead of its modality, which tells the suffix.

        Raises `BadValue` for a key that points outside the folder.
        """
        if sample.key.startswith("/") or ".." in sample.key.split("/"):
            raise BadValue(f"sample key is {sample.key!r}; it must be a path inside the folder, without ..")
        write, targets = write or {}, {}
        for stream, value in sample.streams.items():
            modality = MODALITIES[self.modality_of[stream]]
            suffix = modality.suffixes[0] if stream in write else modality.suffix(value)
            path = self.root / f"{sample.key}.{stream}.{suffix}"
            targets[path] = partial(write.get(stream, modality.write), value)
        with all_or_none(*targets):
            for path, put in targets.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                put(path)
            if provenance is not None:
                with (self.root / PROVENANCE).open("a", encoding="utf-8") as file:
                    file.write(to_json({"key": sample.key, **provenance}) + "\n")


@contextmanager
def writing(folder: str | os.PathLike[str], modality_of: Mapping[str, str]) -> Iterator[Writer]:
    """A writer into a `new_folder`."""
    with new_folder(folder) as root:
        yield Writer(root, modality_of)
