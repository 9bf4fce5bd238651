"""The index of tar shards while it is built.

A member's path in its archive says key and stream as that of a file in a folder does; WebDataset's rule holds
for it: the key ends at the first dot. The members of a sample lie one after another. What a shard is called
says its split, if that is one: `train-000000.tar`, as `train/000000.tar`.
"""

import re
import unicodedata
from array import array
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from modaloom.core.errors import MAX_NAMED, BadFile, BadFolder
from modaloom.data.collected import Collected
from modaloom.data.layout import SPLIT, split_name
from modaloom.data.names import Name, is_ignored, parse_name
from modaloom.data.tar_members import members
from modaloom.data.tar_samples import Rows, TarSamples
from modaloom.data.walk import Problem
from modaloom.modalities import MODALITIES
from modaloom.modalities.member import Member

TAR = ".tar"
COMPRESSED = re.compile(r"\.(tgz|tbz2?|txz|tar\.\w+)$", re.IGNORECASE)
"""The end of the name of a tar that has no random access."""
COLUMNS = {"archive": "i", "stream": "i", "offset": "q", "size": "q"}
"""Fact of a member → its type."""


class TarIndex:
    """Reads the headers of shards.

    Args:
        collected: learns modalities, and what is left out.
    """

    def __init__(self, collected: Collected) -> None:
        self.collected = collected
        self._archives: list[Path] = []
        self._streams: dict[tuple[str, str], int] = {}
        """(Stream, modality) → its number."""
        self._columns = {name: array(kind) for name, kind in COLUMNS.items()}
        self._paths, self._ends = bytearray(), array("q", [0])
        self._keys: list[str] = []
        self._first = array("q")
        """Of each key, the first row."""
        self._open: dict[str, tuple[str, Member]] = {}
        """Stream of the last sample → its modality and value."""

    def add(self, archive: Path) -> None:
        """Add the members of an archive; what cannot be read of it is left out."""
        self._archives.append(archive)
        prefix, unknown, left, before = (
            self._prefix(archive),
            Counter[str](),
            list[Problem](),
            len(self._ends),
        )
        try:
            for found in members(archive):
                if isinstance(found, Problem):
                    left.append(found)
                elif not any(map(is_ignored, found.path.split("/"))):
                    self._add(found, prefix, unknown)
        except BadFile as error:
            read = len(self._ends) - before
            self.collected.leave(archive, f"{error.reason}; {read:,} values before that are read")
        self._close()
        for one in left[:MAX_NAMED]:
            self.collected.leave(archive / one.path.lstrip("/"), one.reason)
        if more := len(left[MAX_NAMED:]):
            self.collected.leave(archive, f"{more:,} more members are no plain files inside of it")
        for suffix, n in unknown.items():
            self.collected.leave(archive, f"{n:,} members have an unknown suffix ({suffix or 'none'})")

    def _prefix(self, archive: Path) -> str:
        """What comes before the paths of members in keys: the folder, or the split that the name says."""
        folders = archive.relative_to(self.collected.root).parts[:-1]
        said = "" if any(map(SPLIT.fullmatch, folders)) else split_name(archive)
        return "".join(f"{part}/" for part in (*folders, *filter(None, [said])))

    def _add(self, member: Member, prefix: str, unknown: Counter[str]) -> None:
        name = _parsed(member.name.partition(".")[2])
        if name is None:
            unknown[member.suffix] += 1
            return
        key = unicodedata.normalize("NFC", prefix + _key(member.path, name))
        if not self._keys or key != self._keys[-1] or not self._open:
            self._close()
            self._keys.append(key)
            self._first.append(len(self._columns["size"]))
        if name.stream in self._open:
            raise BadFolder(
                f"two values for stream {name.stream!r} of sample {key!r}: {self._open[name.stream][1]} and "
                f"{member}; remove or rename one"
            )
        self._open[name.stream] = name.modality, member
        self._append(name.stream, name.modality, member)

    def _append(self, stream: str, modality: str, member: Member) -> None:
        if (stream, modality) not in self._streams:
            self.collected.check(stream, modality, str(member))
            self._streams[stream, modality] = len(self._streams)
        facts = len(self._archives) - 1, self._streams[stream, modality], member.offset, member.size
        for column, fact in zip(self._columns.values(), facts):
            column.append(fact)
        self._paths += member.path.encode()
        self._ends.append(len(self._paths))

    def _close(self) -> None:
        """Add the tracks of the last sample's values."""
        for stream, (modality, member) in self._open.items():
            tracks = MODALITIES[modality].tracks
            for part in tracks.found(member) if tracks is not None else ():
                if (name := f"{stream}.{part}") not in self._open:
                    assert tracks is not None
                    self._append(name, tracks.modality_of[part], member)
        self._open = {}

    def samples(self) -> TarSamples:
        """All samples. Raises `BadFolder` where one is at two places."""
        columns = self._columns
        rows = Rows(
            self._archives,
            [stream for stream, _ in self._streams],
            archive=np.frombuffer(columns["archive"], np.int32),
            stream=np.frombuffer(columns["stream"], np.int32),
            offset=np.frombuffer(columns["offset"], np.int64),
            size=np.frombuffer(columns["size"], np.int64),
            paths=self._paths,
            ends=np.frombuffer(self._ends, np.int64),
        )
        order = np.array(sorted(range(len(self._keys)), key=self._keys.__getitem__), np.int64)
        keys = [self._keys[i] for i in order]
        limits = np.array([*self._first, len(rows.size)], np.int64)
        found = TarSamples(rows, keys, limits[order], limits[order + 1])
        for i, (key, after) in enumerate(pairwise(keys)):
            if key == after:
                a, b = (rows.member(found.first[place]) for place in (i, i + 1))
                raise BadFolder(
                    f"sample {key!r} is at two places, {a} and {b}; the members of a sample lie one after "
                    "another in one archive (tar --sort=name), and archives whose keys are not all different "
                    "lie in folders of their own"
                )
        return found


def place(path: str) -> tuple[str, str] | None:
    """Key and stream of a member; None: no modality has its suffix."""
    name = _parsed(path.rpartition("/")[2].partition(".")[2])
    return None if name is None else (_key(path, name), name.stream)


def _key(path: str, name: Name) -> str:
    folder, slash, file = path.rpartition("/")
    return f"{folder}{slash}{file.partition('.')[0]}{name.key[1:]}"


@lru_cache(maxsize=2**12)
def _parsed(extension: str) -> Name | None:
    """What a path says after the first dot of its name; the key is that of `x`."""
    return parse_name(f"x.{extension}")
