"""Reads a folder with a model's limits applied, and counts the values that they shorten."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from modaloom.core.errors import BadFolder
from modaloom.data.folder import Folder
from modaloom.data.notices import Shortenings
from modaloom.data.reader import MAX_SKIPPED_FRACTION, Reader
from modaloom.loom.model import Model
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value
from modaloom.modalities.files import File


def prepared_reader(
    model: Model,
    index: Folder,
    streams: Sequence[str],
    lost: Shortenings,
    *,
    max_skipped_fraction: float = MAX_SKIPPED_FRACTION,
    read: Mapping[str, Callable[[File], Value]] | None = None,
) -> Reader:
    """A reader of values reduced to the model's limits, so that large values do not stay in memory.

    Args:
        model: defines the limits, through its tokenizers, and how files are read.
        index: the folder.
        streams: streams of the model to read.
        lost: counts the values that the limits shorten.
        max_skipped_fraction: as in `Reader`, in [0, 1].
        read: as in `Reader`; the limits do not apply there.

    Raises `BadFolder` for a stream of another modality.
    """

    def prepare(stream: str, value: Value) -> Value:
        lost.add(stream, model.streams[stream].tokenizer.shortened(value))
        return model.as_learned(stream, value)

    index = replace(index, modality_of={**index.modality_of, **_learned(model, index, streams)})
    return Reader(
        index, streams=streams, prepare=prepare, max_skipped_fraction=max_skipped_fraction, read=read
    )


def _learned(model: Model, index: Folder, streams: Sequence[str]) -> Mapping[str, str]:
    """The model's modalities of streams, which must read the folder's files."""
    learned = {name: model.streams[name].modality for name in streams}
    for name, modality in learned.items():
        if index.modality_of[name] not in (modality, *MODALITIES[modality].kin):
            raise BadFolder(
                f"stream {name!r} is {index.modality_of[name]} in {index.path}, and {modality} in the run"
            )
    return learned
