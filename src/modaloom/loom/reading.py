"""How a model reads a folder: in the form that it has learned, counting what its limits take."""

from collections.abc import Sequence

from modaloom.data.folder import Folder
from modaloom.data.notices import Shortenings
from modaloom.data.reader import Reader
from modaloom.loom.model import Model
from modaloom.modalities.base import Value


def prepared_reader(model: Model, index: Folder, streams: Sequence[str], lost: Shortenings) -> Reader:
    """A reader of prepared values: of a large picture, no more stays in memory than the model sees."""

    def prepare(stream: str, value: Value) -> Value:
        lost.add(stream, model.streams[stream].tokenizer.shortened(value))
        return model.as_learned(stream, value)

    return Reader(index, streams=streams, prepare=prepare)
