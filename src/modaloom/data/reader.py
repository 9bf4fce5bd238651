"""Samples' values, one by one; what cannot be read is skipped, named and counted, up to a share."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from modaloom.core.errors import BadFile, BadFolder
from modaloom.core.types import Sample
from modaloom.data.folder import Folder, Source
from modaloom.data.walk import Problem, format_problems, make_problem
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value

MAX_SKIPPED_FRACTION = 0.2
"""Share of the files past which the folder, and not the files, is the trouble."""


class Reader:
    """Reads the streams of a folder, all of them or the named ones."""

    def __init__(
        self,
        folder: Folder,
        *,
        streams: Sequence[str] | None = None,
        max_skipped_fraction: float = MAX_SKIPPED_FRACTION,
    ) -> None:
        self.folder = folder
        self.streams = tuple(folder.modality_of if streams is None else streams)
        self.skips: dict[Path, Problem] = {}
        """Every file that could not be read, once."""
        files = sum(isinstance(s.streams.get(name), Path) for s in folder.samples for name in self.streams)
        self._max_skipped = max_skipped_fraction * files

    def value(self, sample: Sample, stream: str) -> Value | None:
        """One stream of one sample; None if missing or skipped. Raises `BadFolder` past the share."""
        source = sample.streams.get(stream)
        if source is None:
            return None
        try:
            return load(self.folder.modality_of[stream], source)
        except BadFile as error:
            self._skip(Path(source), error.reason)
            return None

    def read(self, sample: Sample) -> Sample:
        """A sample of values, without what is missing or was skipped."""
        found = {name: self.value(sample, name) for name in self.streams}
        return Sample(sample.key, {name: value for name, value in found.items() if value is not None})

    def column(self, stream: str, samples: Sequence[Sample] | None = None) -> Iterator[Value]:
        """The values of one stream that there are, in the samples' order."""
        for sample in self.folder.samples if samples is None else samples:
            value = self.value(sample, stream)
            if value is not None:
                yield value

    def _skip(self, path: Path, reason: str) -> None:
        self.skips[path] = make_problem(self.folder.path, path, reason)
        if len(self.skips) > self._max_skipped:
            raise BadFolder(
                f"{self.folder.path}: too many files cannot be read\n{format_problems(self.skips.values())}"
            )


def load(modality: str, source: Source) -> Value:
    """A file's value, or the literal itself. Raises `BadFile`."""
    return MODALITIES[modality].read(source) if isinstance(source, Path) else source
