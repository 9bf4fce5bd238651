"""Clips of a folder of `examples/prompts.py`: sentences of each split, and spoken numerals."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.modalities.audio_value import Audio

STREAM = "speech"
SHORTEST = 0.8
"""Seconds below which STOI and PESQ are not defined."""
NUMERALS = "-digits-"
"""In the keys of numerals, days and months."""


@dataclass(frozen=True)
class Clip:
    key: str
    text: str
    sound: Audio


def clips(folder: Path, split: str) -> Iterator[Clip]:
    """All clips of a split that have sound."""
    index = open_folder(folder)
    reader = Reader(index, streams=[STREAM, "text"])
    for sample in index.samples:
        if (index.splits or {}).get(sample.key) == split:
            sound = reader.value(sample, STREAM)
            if sound is not None:
                yield Clip(sample.key, reader.value(sample, "text") or "", sound)


def sentences(folder: Path, n: int) -> list[Audio]:
    """n held-out sentences, evenly spread over the languages' alphabets."""
    found = [
        clip.sound
        for clip in clips(folder, "test")
        if NUMERALS not in clip.key and clip.sound.seconds >= SHORTEST
    ]
    return [found[i * len(found) // n] for i in range(min(n, len(found)))]


def numerals(folder: Path, language: str = "en") -> list[Clip]:
    """The spoken numerals of a language, none of them in a training."""
    return [
        clip
        for clip in clips(folder, "test")
        if NUMERALS in clip.key and clip.key.rpartition("/")[2].startswith(f"{language}-")
    ]
