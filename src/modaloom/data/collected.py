"""What is collected of a folder: values by key and stream, and what is left out."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from modaloom.core.errors import BadFolder, short
from modaloom.core.types import Sample
from modaloom.data.arrays import ArrayRow
from modaloom.data.cells import Cell
from modaloom.data.walk import Problem, make_problem
from modaloom.modalities import MODALITIES
from modaloom.modalities.files import File

Source = File | str | Mapping[str, Cell] | ArrayRow
"""The source of a value: a file, a literal text or record, or a row of an array."""
Streams = dict[str, Source]


class Collected:
    """Samples of a folder.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.streams: dict[str, Streams] = defaultdict(dict)
        self.seen: dict[str, tuple[str, str]] = {}
        """Stream → its modality and the file that determined it."""
        self.problems: dict[Problem, None] = {}
        """An ordered set."""
        self.split_of: dict[str, str] = {}
        """Key → split, as tables say."""
        self.group_of: dict[str, str] = {}
        """Key → its group, of samples that must be in one split."""
        self.grouped = False
        """Whether a table names groups of samples; folders then are no classes."""
        self.joined: list[str] = []
        """How each table was joined."""
        self.variants: dict[str, list[Streams]] = defaultdict(list)
        """Key → further texts of that sample."""

    def samples(self) -> list[Sample]:
        """All samples, sorted by key; further texts make samples of their own, in the group of the first."""
        for key, variants in self.variants.items():
            self.group_of.setdefault(key, key)
            for number, streams in enumerate(variants, 2):
                self.streams[f"{key}#{number}"] = {**self.streams[key], **streams}
                self.group_of[f"{key}#{number}"] = self.group_of[key]
                if key in self.split_of:
                    self.split_of[f"{key}#{number}"] = self.split_of[key]
        return [Sample(key, dict(sorted(self.streams[key].items()))) for key in sorted(self.streams)]

    def add(self, key: str, stream: str, modality: str, source: Source, where: str) -> None:
        """Add a value. Raises `BadFolder` if it contradicts another."""
        self.check(stream, modality, where)
        other = self.streams[key].setdefault(stream, source)
        if other != source:
            raise BadFolder(
                f"two values for stream {stream!r} of sample {key!r}: {_shown(other)} "
                f"and {_shown(source)} (from {where}); remove or rename one"
            )

    def add_tracks(self) -> None:
        """Add what files hold beside their own values, the sound of videos, where no file has that name."""
        counts: Counter[tuple[str, str]] = Counter()
        for key, streams in self.streams.items():
            for stream, path in [*streams.items()]:
                tracks = MODALITIES[self.seen[stream][0]].tracks
                if tracks is None or not isinstance(path, File):
                    continue
                for part in tracks.found(path):
                    if (name := f"{stream}.{part}") not in streams:
                        self.add(key, name, tracks.modality_of[part], path, str(path))
                        counts[stream, part] += 1
        for (stream, part), n in counts.items():
            self.joined.append(f"{stream}.{part} is the {part} in {n:,} files of {stream}")

    def check(self, stream: str, modality: str, where: str) -> None:
        """Raises `BadFolder` if a stream has another modality elsewhere."""
        known, first = self.seen.setdefault(stream, (modality, where))
        if known != modality:
            raise BadFolder(
                f"stream {stream!r} is {known} in {first} and {modality} in {where}; "
                "give one of them another name between key and suffix"
            )

    def leave(self, path: Path, reason: str) -> None:
        """Record a file that is left out, or something in it."""
        self.problems[make_problem(self.root, path, reason)] = None

    def forget(self, stream: str) -> None:
        """Remove a column that turned out to name groups."""
        self.seen.pop(stream, None)
        for streams in chain(self.streams.values(), *self.variants.values()):
            streams.pop(stream, None)


def _shown(source: Source) -> str:
    return str(source) if isinstance(source, File) else short(source)
