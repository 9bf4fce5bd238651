"""Reading of values, one by one; those of unreadable files are skipped and recorded, up to a fraction."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from modaloom.core.errors import BadFile, BadFolder
from modaloom.core.types import Sample
from modaloom.data.arrays import ArrayRow
from modaloom.data.collected import Source
from modaloom.data.folder import Folder
from modaloom.data.walk import Problem, format_problems, make_problem
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value
from modaloom.modalities.files import File

MAX_SKIPPED_FRACTION = 0.2
"""Fraction of unreadable values above which reading fails."""


def as_it_is(stream: str, value: Value) -> Value:
    """All of a value."""
    return value


class Reader:
    """Reads the values of a folder's streams.

    Args:
        folder: the index.
        streams: names of the streams to read; None: all.
        max_skipped_fraction: fraction of the values in files, 0–1; if more are unreadable, `BadFolder` is
            raised.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        streams: Sequence[str] | None = None,
        max_skipped_fraction: float = MAX_SKIPPED_FRACTION,
        prepare: Callable[[str, Value], Value] = as_it_is,
        read: Mapping[str, Callable[[File], Value]] | None = None,
    ) -> None:
        """Create it.

        `prepare`: (stream, value) → what is kept of it, so that no more than that stays in memory. `read`:
        stream → what reads its files instead of its modality, and prepares them.
        """
        self.folder = folder
        self.streams = tuple(folder.modality_of if streams is None else streams)
        self.prepare, self.read_file = prepare, read or {}
        self.skips: dict[tuple[str, str], Problem] = {}
        """(Key, stream) of each value that could not be read: a damaged clip with its sound is two."""
        files = sum(isinstance(s.streams.get(name), File) for s in folder.samples for name in self.streams)
        self._files, self._max_skipped = files, max_skipped_fraction * files

    def value(self, sample: Sample, stream: str) -> Value | None:
        """A value; None if it is missing or skipped. Raises `BadFolder` if too many files are skipped."""
        source = sample.streams.get(stream)
        if source is None:
            return None
        try:
            if stream in self.read_file and isinstance(source, File):
                return self.read_file[stream](source)
            return self.prepare(stream, load(self.folder.modality_of[stream], source))
        except BadFile as error:
            self.skips[sample.key, stream] = make_problem(
                self.folder.path, Path(str(error.path)), error.reason
            )
            if len(self.skips) > self._max_skipped:
                raise self._error("too many files cannot be read") from error
            return None

    def read(self, sample: Sample) -> Sample:
        """The sample with decoded values, without missing and skipped ones."""
        found = {name: self.value(sample, name) for name in self.streams}
        return Sample(sample.key, {name: value for name, value in found.items() if value is not None})

    def column(self, stream: str, samples: Sequence[Sample] | None = None) -> Iterator[Value]:
        """The values of one stream, in order of the samples, without missing and skipped ones."""
        for sample in self.folder.samples if samples is None else samples:
            value = self.value(sample, stream)
            if value is not None:
                yield value

    @property
    def problems(self) -> list[Problem]:
        """Every file that could not be read, with all that its streams found wrong."""
        reasons: dict[str, dict[str, None]] = defaultdict(dict)
        for one in self.skips.values():
            reasons[one.path][one.reason] = None
        return [Problem(path, "; ".join(found)) for path, found in reasons.items()]

    def failures(self) -> list[str]:
        """Every file that was skipped, and why. Raises `BadFolder` where there is no other."""
        if self.skips and len(self.skips) == self._files:
            raise self._error("no file can be read")
        return [f"{problem.path}: {problem.reason}" for problem in self.problems]

    def _error(self, what: str) -> BadFolder:
        return BadFolder(f"{self.folder.path}: {what}\n{format_problems(self.problems)}")


def load(modality: str, source: Source) -> Value:
    """Decode a file or a row, or return the literal. Raises `BadFile`."""
    if isinstance(source, ArrayRow):
        return source.read()
    return MODALITIES[modality].read(source) if isinstance(source, File) else source
