"""Forms of generated samples: plain files of the data contract, or a dataset of Hugging Face."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from modaloom.core.types import Sample
from modaloom.data.parquet_writer import ParquetWriter
from modaloom.data.writer import Writer


class SampleWriter(Protocol):
    """Writes samples one by one."""

    def write(self, sample: Sample, provenance: Mapping[str, Any] | None = None) -> None:
        """As `Writer.write`."""


@dataclass(frozen=True)
class Output:
    """A form of samples."""

    writing: Callable[[Path, Mapping[str, str], str], AbstractContextManager[SampleWriter]]
    """(Empty folder, stream → modality, title) → what writes into it, whole even where it is stopped."""
    with_given: bool = False
    """Whether samples have what they were generated from."""

    def shown(self, sample: Sample, given: Mapping[str, Any]) -> Sample:
        """What is written of a sample."""
        return Sample(sample.key, {**given, **sample.streams}) if self.with_given else sample


@contextmanager
def _files(root: Path, modality_of: Mapping[str, str], title: str) -> Iterator[Writer]:
    yield Writer(root, modality_of)


@contextmanager
def _parquet(root: Path, modality_of: Mapping[str, str], title: str) -> Iterator[ParquetWriter]:
    writer = ParquetWriter(root, modality_of)
    try:
        yield writer
    except (KeyboardInterrupt, GeneratorExit):
        if writer.rows:
            writer.finish(title)
        raise
    writer.finish(title)


OUTPUTS: Mapping[str, Output] = {"files": Output(_files), "parquet": Output(_parquet, with_given=True)}
"""Name → form."""
