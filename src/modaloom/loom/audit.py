"""Data audit of a folder with a trained run: mismatched pairs, duplicates across splits, leaks."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from modaloom.core.defaults import AUDIT_SAMPLES, DEVICE, SEED
from modaloom.core.errors import BadFolder, check_count
from modaloom.core.types import Sample
from modaloom.data.advice import about_leaks
from modaloom.data.copies import digest
from modaloom.data.folder import Folder
from modaloom.data.notices import Notify, silent
from modaloom.data.reader import Reader
from modaloom.evaluation.baselines import pick
from modaloom.evaluation.held_out import split_of
from modaloom.evaluation.leaks import all_leaks
from modaloom.evaluation.near_duplicates import Digests, Duplicate, exact_duplicates, near_duplicates
from modaloom.loom.evaluation.suspects import Suspect, suspects
from modaloom.loom.reading import prepared_reader
from modaloom.loom.run import TrainedRun, load
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value
from modaloom.modalities.files import File

MAX_TRAIN_SAMPLES = 4000
"""Maximum number of training samples that near duplicates are searched in."""
TRAIN = "train"


@dataclass(frozen=True)
class Audit:
    """Result of an audit."""

    path: str
    audited: int
    """Number of samples whose pairs were scored."""
    suspects: Sequence[Suspect]
    """All audited samples, most suspicious first."""
    duplicates: Sequence[Duplicate]
    leaks: Sequence[str]
    files: dict[str, dict[str, str]]
    """Key → stream → file, for every sample named above; literals of a table are left out."""
    skipped: Sequence[str] = ()
    """Unreadable files, each with its reason."""

    def to_dict(self) -> dict[str, object]:
        """Convert to JSON-serializable dicts and lists."""
        return asdict(self)


def audit(
    run: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    n: int = AUDIT_SAMPLES,
    seed: int = SEED,
    device: str = DEVICE,
    notify: Notify = silent,
) -> Audit:
    """Search a folder for mismatched pairs, duplicates across splits, and leaks.

    Args:
        run: run folder, or the name of a bundled run.
        folder: data folder with at least one of the run's streams.
        n: maximum number of samples whose pairs are scored, over all splits, chosen by `seed` and key; ≥ 1.
            Exact duplicates and leaks are searched in all samples, near duplicates in n held-out samples.
        seed: seed of the sample selection and of the diffusion noise.
        device: auto | cpu | cuda | mps.
        notify: receives warnings about values that a limit of the run shortens.

    Raises:
        BadFolder: the folder has none of the run's streams, or no readable file.
    """
    check_count("n", n, 1)
    trained = load(run, device=device)
    index = trained.run.data.open(Path(folder))
    streams = [name for name in trained.model.streams if name in index.modality_of]
    if not streams:
        raise BadFolder(f"{folder} has none of the run's streams {', '.join(trained.model.streams)}")
    lost = trained.shortenings()
    reader = prepared_reader(trained.model, index, streams, lost, max_skipped_fraction=1)
    chosen = [reader.read(sample) for sample in pick(index.samples, (), n, seed)]
    found = suspects(trained.model, chosen, seed=seed)
    search = _Search(trained, index, reader, n, seed)
    duplicates, leaks = search.duplicates(), search.leaks(chosen)
    lost.notify(notify)
    named = {suspect.key for suspect in found} | {
        key for duplicate in duplicates for key in (duplicate.key, duplicate.of)
    }
    return Audit(
        str(folder), len(chosen), found, duplicates, leaks, _files(index, streams, named), reader.failures()
    )


class _Search:
    """Compares the training and held-out samples of a folder."""

    def __init__(self, trained: TrainedRun, index: Folder, reader: Reader, n: int, seed: int) -> None:
        self.index, self.reader, self.n, self.seed = index, reader, n, seed
        self.specs = trained.model.specs
        self.split_of = split_of(trained.run.data, index)
        sides: tuple[list[Sample], list[Sample]] = ([], [])
        for sample in index.samples:
            sides[self.split_of[sample.key] != TRAIN].append(sample)
        self.train, self.held_out = sides
        self.digests = [{name: _digests(name, side) for name in reader.streams} for side in sides]

    def duplicates(self) -> list[Duplicate]:
        """Duplicates in streams of continuous values: exact (equal bytes) first, then near duplicates."""
        train, held_out = self.digests
        found: dict[tuple[str, str], Duplicate] = {}
        for stream in self.reader.streams:
            if self._continuous(stream):
                for duplicate in [
                    *exact_duplicates(stream, train[stream], held_out[stream]),
                    *self._near_duplicates(stream),
                ]:
                    found.setdefault((stream, duplicate.key), duplicate)
        return list(found.values())

    def _continuous(self, stream: str) -> bool:
        return MODALITIES[self.index.modality_of[stream]].codec.continuous

    def _near_duplicates(self, stream: str) -> list[Duplicate]:
        modality = MODALITIES[self.index.modality_of[stream]]
        train, held_out = (
            self._values(stream, self.train, MAX_TRAIN_SAMPLES),
            self._values(stream, self.held_out, self.n),
        )
        return list(near_duplicates(stream, modality, self.specs[stream], train, held_out))

    def _values(self, stream: str, side: Sequence[Sample], most: int) -> dict[str, Value]:
        """Key → value."""
        found = {s.key: self.reader.value(s, stream) for s in pick(side, [stream], most, self.seed)}
        return {key: value for key, value in found.items() if value is not None}

    def leaks(self, chosen: Sequence[Sample]) -> list[str]:
        """Descriptions of leaks; leaks through sample keys come first."""
        texts = {
            name: {s.key: s.streams[name] for s in chosen if isinstance(s.streams.get(name), str)}
            for name in self.reader.streams
        }
        others = [name for name in self.reader.streams if not self._continuous(name)]
        train, held_out = ({name: side[name] for name in others} for side in self.digests)
        return [*about_leaks(self.index, self.split_of), *all_leaks(train, held_out, texts)]


def _digests(stream: str, samples: Sequence[Sample]) -> Digests:
    found = {s.key: digest(s.streams[stream]) for s in samples if stream in s.streams}
    return {key: content for key, content in found.items() if content is not None}


def _files(index: Folder, streams: Sequence[str], keys: set[str]) -> dict[str, dict[str, str]]:
    return {
        sample.key: {
            name: str(sample.streams[name]) for name in streams if isinstance(sample.streams.get(name), File)
        }
        for sample in index.samples
        if sample.key in keys
    }
