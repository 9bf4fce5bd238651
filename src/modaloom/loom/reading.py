"""Reads a folder with a model's limits applied, and counts the values that they shorten."""

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
    """A reader of values reduced to the model's limits, so that large values do not stay in memory.

    Args:
        model: defines the limits, through its tokenizers.
        index: the folder.
        streams: streams of the model to read.
        lost: counts the values that the limits shorten.
        max_skipped_fraction: as in `Reader`, in [0, 1].
    """

    def prepare(stream: str, value: Value) -> Value:
        lost.add(stream, model.streams[stream].tokenizer.shortened(value))
        return model.as_learned(stream, value)

    return Reader(index, streams=streams, prepare=prepare, max_skipped_fraction=max_skipped_fraction)
