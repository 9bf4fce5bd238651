"""Values that the default limits would shorten, determined before training."""

from contextlib import suppress

import torch

from modaloom.core.errors import ModaloomError
from modaloom.data.notices import Shortenings
from modaloom.data.reader import Reader
from modaloom.modalities import MODALITIES
from modaloom.tokenizers import TOKENIZERS
from modaloom.training.selection import MeasuredColumn

MAX_INSPECTED_VALUES = 200
"""Maximum number of values per stream that are inspected."""


def expected_shortenings(reader: Reader, *, limit: int | None = None) -> list[str]:
    """Messages on shortened values, from default tokenizers fitted to the first values of each stream."""
    few, modality_of = reader.folder.samples[:limit][:MAX_INSPECTED_VALUES], reader.folder.modality_of
    lost = Shortenings(lambda modality: MODALITIES[modality].limits, modality_of, resolution=True)
    for name in reader.streams:
        modality, column = MODALITIES[modality_of[name]], MeasuredColumn(reader, name, few)
        kind = TOKENIZERS[modality.tokenizer]
        with torch.random.fork_rng(devices=[]), suppress(ModaloomError):  # such as records without columns
            if column.has_values:
                (group,) = kind.fit(modality, {name: column}, modality.limits, kind.Config())
                for value in column:
                    lost.add(name, group[name].shortened(value))
    return [*lost.sentences()]
