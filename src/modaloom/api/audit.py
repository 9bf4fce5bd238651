"""What is wrong with a folder, in the eyes of a run: mismatched pairs, copies, leaks."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modaloom.api.judge import split_of
from modaloom.api.notices import Say, silent, tell_skips
from modaloom.api.trained import TrainedRun, load
from modaloom.core.errors import BadFolder, check_range
from modaloom.core.types import Sample
from modaloom.data.advice import about_leaks
from modaloom.data.folder import Folder, open_folder
from modaloom.data.reader import Reader
from modaloom.evaluation.copies import Copy, Digests, digest, near, same
from modaloom.evaluation.leaks import all_leaks
from modaloom.evaluation.library import pick
from modaloom.evaluation.suspects import Suspect, suspects
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value

SEARCHED = 4000
"""Most training samples that near copies are searched among."""
TRAIN = "train"


@dataclass(frozen=True)
class Audit:
    """The findings."""

    path: str
    audited: int
    """Samples whose pairs were looked at."""
    suspects: Sequence[Suspect]
    """All audited samples, the most suspicious first."""
    copies: Sequence[Copy]
    leaks: Sequence[str]
    files: dict[str, dict[str, str]]
    """Key → stream → file, of everything named above; a literal is its table's."""

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-able dicts and lists."""
        return asdict(self)


def audit(
    run: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    n: int = 500,
    seed: int = 0,
    device: str = "auto",
    say: Say = silent,
) -> Audit:
    """Look for pairs that do not belong together, for copies across splits and for leaks.

    Args:
        n: most samples whose pairs are looked at, of all splits, chosen by `seed` and key. Exact copies and
            leaks are looked for in all samples, near copies in n held-out ones.

    Raises:
        BadFolder: none of the run's streams.
    """
    check_range("n", n, 1)
    trained, index = load(run, device=device), open_folder(Path(folder))
    streams = [name for name in trained.model.streams if name in index.modality_of]
    if not streams:
        raise BadFolder(f"{folder} has none of the run's streams {', '.join(trained.model.streams)}")
    reader = Reader(index, streams=streams)
    chosen = [reader.read(sample) for sample in pick(index.samples, (), n, seed)]
    found = suspects(trained.model, chosen, seed=seed)
    search = _Search(trained, index, reader, n, seed)
    copies, leaks = search.copies(), search.leaks(chosen)
    tell_skips(reader, say)
    named = {suspect.key for suspect in found} | {key for copy in copies for key in (copy.key, copy.of)}
    return Audit(str(folder), len(chosen), found, copies, leaks, _files(index, streams, named))


class _Search:
    """Both sides of a folder's splits, for what stands on both."""

    def __init__(self, trained: TrainedRun, index: Folder, reader: Reader, n: int, seed: int) -> None:
        self.index, self.reader, self.n, self.seed = index, reader, n, seed
        self.split_of = split_of(trained, index)
        sides: tuple[list[Sample], list[Sample]] = ([], [])
        for sample in index.samples:
            sides[self.split_of[sample.key] != TRAIN].append(sample)
        self.train, self.held_out = sides
        self.digests = [{name: _digests(name, side) for name in reader.streams} for side in sides]

    def copies(self) -> list[Copy]:
        """Of streams whose values never repeat by chance: the same bytes first, then nearly the same."""
        train, held_out = self.digests
        found: dict[tuple[str, str], Copy] = {}
        for stream in self.reader.streams:
            if MODALITIES[self.index.modality_of[stream]].signal is not None:
                for copy in [*same(stream, train[stream], held_out[stream]), *self._near(stream)]:
                    found.setdefault((stream, copy.key), copy)
        return list(found.values())

    def _near(self, stream: str) -> list[Copy]:
        train, held_out = (
            self._values(stream, self.train, SEARCHED),
            self._values(stream, self.held_out, self.n),
        )
        return list(near(stream, MODALITIES[self.index.modality_of[stream]], train, held_out))

    def _values(self, stream: str, side: Sequence[Sample], most: int) -> dict[str, Value]:
        """Key → value."""
        found = {s.key: self.reader.value(s, stream) for s in pick(side, [stream], most, self.seed)}
        return {key: value for key, value in found.items() if value is not None}

    def leaks(self, chosen: Sequence[Sample]) -> list[str]:
        """Sentences, those on the keys' names first."""
        texts = {
            name: {s.key: s.streams[name] for s in chosen if isinstance(s.streams.get(name), str)}
            for name in self.reader.streams
        }
        others = [n for n in self.reader.streams if MODALITIES[self.index.modality_of[n]].signal is None]
        train, held_out = ({name: side[name] for name in others} for side in self.digests)
        return [*about_leaks(self.index, self.split_of), *all_leaks(train, held_out, texts)]


def _digests(stream: str, samples: Sequence[Sample]) -> Digests:
    found = {s.key: digest(s.streams[stream]) for s in samples if stream in s.streams}
    return {key: content for key, content in found.items() if content is not None}


def _files(index: Folder, streams: Sequence[str], keys: set[str]) -> dict[str, dict[str, str]]:
    return {
        sample.key: {
            name: str(sample.streams[name]) for name in streams if isinstance(sample.streams.get(name), Path)
        }
        for sample in index.samples
        if sample.key in keys
    }
