"""Registry of modalities. A new one is a file here and an entry in MODALITIES."""

from modaloom.modalities.audio import AUDIO
from modaloom.modalities.base import DataSpec, Limits, Modality, Shortened, Value
from modaloom.modalities.categorical_codec import CategoricalCodec
from modaloom.modalities.codec import Codec
from modaloom.modalities.image import IMAGE
from modaloom.modalities.raster import RASTER
from modaloom.modalities.record import RECORD
from modaloom.modalities.sequence import SEQUENCE
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.modalities.string_codec import StringCodec
from modaloom.modalities.text import TEXT
from modaloom.modalities.video import VIDEO
from modaloom.modalities.volume import VOLUME

MODALITIES: dict[str, Modality] = {
    modality.name: modality for modality in (IMAGE, RASTER, TEXT, RECORD, SEQUENCE, AUDIO, VIDEO, VOLUME)
}

__all__ = [
    "MODALITIES",
    "CategoricalCodec",
    "Codec",
    "DataSpec",
    "Limits",
    "Modality",
    "Shortened",
    "SignalCodec",
    "StringCodec",
    "Value",
]
