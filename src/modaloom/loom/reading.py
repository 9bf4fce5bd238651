"""How a model reads a folder: in the form that it has learned, counting what its limits take."""

from collections.abc import Sequence

from modaloom.data.folder import Folder
from modaloom.data.notices import Shortenings
from modaloom.data.reader import MAX_SKIPPED_FRACTION, Reader
from modaloom.loom.model import Model
from modaloom.modalities.base import Value


def prepared_reader(
    model: Model,
    index: Folder,
    streams: Sequence[str],
    lost: Shortenings,
    *,
    max_skipped_fraction: float = MAX_SKIPPED_FRACTION,
) -> Reader:
    """A reader of prepared values: of a large picture, no more stays in memory than the model sees.

    Args:
        index: the folder.
        streams: which of the model's streams are read.
        lost: counts what the model's limits shorten.
        max_skipped_fraction: as of `Reader`.
    """

    def prepare(stream: str, value: Value) -> Value:
        lost.add(stream, model.streams[stream].tokenizer.shortened(value))
        return model.as_learned(stream, value)

    return Reader(index, streams=streams, prepare=prepare, max_skipped_fraction=max_skipped_fraction)
