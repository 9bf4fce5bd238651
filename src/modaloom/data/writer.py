"""Writing of samples as files of the data contract, atomically for the whole folder."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadValue
from modaloom.core.json_text import to_json
from modaloom.core.types import Sample
from modaloom.data.atomic_io import all_or_none, new_folder
from modaloom.modalities import MODALITIES

PROVENANCE = "_provenance.jsonl"
"""One line per sample; ignored by readers because of its underscore."""


class Writer:
    """Writes samples into a folder; see `writing`."""

    def __init__(self, root: Path, modality_of: Mapping[str, str]) -> None:
        self.root, self.modality_of = root, modality_of

    def write(self, sample: Sample, provenance: Mapping[str, Any] | None = None) -> None:
        """Write `KEY.STREAM.SUFFIX` for each stream, and a line of provenance: all of them, or none.

        Raises `BadValue` for a key that points outside the folder.
        """
        if sample.key.startswith("/") or ".." in sample.key.split("/"):
            raise BadValue(f"sample key is {sample.key!r}; it must be a path inside the folder, without ..")
        modalities = {stream: MODALITIES[self.modality_of[stream]] for stream in sample.streams}
        paths = {
            stream: self.root / f"{sample.key}.{stream}.{modality.suffix(sample.streams[stream])}"
            for stream, modality in modalities.items()
        }
        with all_or_none(*paths.values()):
            for stream, path in paths.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                modalities[stream].write(sample.streams[stream], path)
            if provenance is not None:
                with (self.root / PROVENANCE).open("a", encoding="utf-8") as file:
                    file.write(to_json({"key": sample.key, **provenance}) + "\n")


@contextmanager
def writing(folder: str | os.PathLike[str], modality_of: Mapping[str, str]) -> Iterator[Writer]:
    """A writer into a `new_folder`."""
    with new_folder(folder) as root:
        yield Writer(root, modality_of)
