"""Writing of samples as files of the data contract, atomically for the whole folder."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadValue
from modaloom.core.json_text import to_json
from modaloom.core.types import Sample
from modaloom.data.atomic_io import all_or_none, new_folder
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Modality, Value
from modaloom.modalities.files import File

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
        """Write the file of each stream (`file_names`), and a line of provenance: all of them, or none.

        `write`: stream → what writes its files, instead of its modality, which tells the suffix.

        Raises `BadValue` for a key that points outside the folder.
        """
        if sample.key.startswith("/") or ".." in sample.key.split("/"):
            raise BadValue(f"sample key is {sample.key!r}; it must be a path inside the folder, without ..")
        targets = {self.root / name: put for name, put in self._targets(sample, write or {}).items()}
        with all_or_none(*targets):
            for path, put in targets.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                put(path)
            if provenance is not None:
                with (self.root / PROVENANCE).open("a", encoding="utf-8") as file:
                    file.write(to_json({"key": sample.key, **provenance}) + "\n")

    def _targets(
        self, sample: Sample, write: Mapping[str, Callable[[Value, Path], None]]
    ) -> dict[str, Callable[[Path], None]]:
        """Name of a file → what writes it; tracks are written with the value that they belong to."""
        own = {stream: value for stream, value in sample.streams.items() if stream not in write}
        found: dict[str, Callable[[Path], None]] = {}
        for stream, name in file_names(Sample(sample.key, own), self.modality_of).items():
            if owner_of(stream, own, self.modality_of) is None:
                found[name] = partial(self._write, own, stream)
        for stream in sample.streams.keys() - own.keys():
            suffix = MODALITIES[self.modality_of[stream]].suffixes[0]
            found[f"{sample.key}.{stream}.{suffix}"] = partial(write[stream], sample.streams[stream])
        return found

    def _write(self, streams: Mapping[str, Value], stream: str, path: Path) -> None:
        modality = MODALITIES[self.modality_of[stream]]
        parts = {
            name.removeprefix(f"{stream}."): value
            for name, value in streams.items()
            if owner_of(name, streams, self.modality_of) == stream
        }
        if modality.tracks is not None and parts:
            modality.tracks.write(streams[stream], parts, path)
        else:
            modality.write(streams[stream], path)


def write_with_tracks(
    modality: Modality, value: Value, source: object, path: Path, notify: Callable[[str], None]
) -> None:
    """Writes a value, with what its source holds beside its own, if that is a file: the sound of a clip.

    `notify` gets what of that cannot be read.
    """
    if modality.tracks is not None and isinstance(source, File):
        modality.tracks.copy(value, source, path, notify)
    else:
        modality.write(value, path)


def owner_of(stream: str, streams: Collection[str], modality_of: Mapping[str, str]) -> str | None:
    """The one of some streams whose file holds this one as a track; None: it has a file of its own."""
    owner, _, part = stream.rpartition(".")
    tracks = MODALITIES[modality_of[owner]].tracks if owner in streams else None
    is_track = tracks is not None and tracks.modality_of.get(part) == modality_of[stream]
    return owner if is_track else None


def file_names(sample: Sample, modality_of: Mapping[str, str]) -> dict[str, str]:
    """Stream → the name of its file, `KEY.STREAM.SUFFIX`; a track has that of the stream it belongs to."""
    found = {}
    for stream in sample.streams:
        own = owner_of(stream, sample.streams, modality_of) or stream
        suffix = MODALITIES[modality_of[own]].suffix(sample.streams[own])
        found[stream] = f"{sample.key}.{own}.{suffix}"
    return found


@contextmanager
def writing(folder: str | os.PathLike[str], modality_of: Mapping[str, str]) -> Iterator[Writer]:
    """A writer into a `new_folder`."""
    with new_folder(folder) as root:
        yield Writer(root, modality_of)
