"""A generated clip and a sound in one file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

from modaloom.core.errors import BadValue
from modaloom.core.types import Sample
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value


@dataclass(frozen=True)
class Muxing:
    """A stream that is written into the file of another one."""

    owner: str
    """A generated stream, whose files hold tracks."""
    stream: str
    """A generated or given stream."""
    part: str
    """What its track is called."""
    modality: str
    """Of `stream`."""

    @classmethod
    def of(cls, names: str, want: Collection[str], given: Collection[str], kinds: Mapping[str, str]) -> Self:
        """From `OWNER+STREAM`, such as `video+music`.

        Args:
            names: both streams.
            want: streams that are generated.
            given: streams that are given.
            kinds: stream → modality.

        Raises:
            BadValue: other names, and streams that no file holds together.
        """
        owner, _, stream = names.partition("+")
        known = kinds.keys() & {*want, *given}
        if owner not in known.intersection(want) or stream not in known - {owner}:
            raise BadValue(
                f"mux is {names!r}; give CLIP+SOUND: a wanted stream, and one that is wanted or given"
            )
        tracks, kind = MODALITIES[kinds[owner]].tracks, kinds[stream]
        parts = [part for part, held in tracks.modality_of.items() if held == kind] if tracks else []
        if not parts:
            raise BadValue(f"mux is {names!r}; files of {kinds[owner]} hold no {kind} beside their own")
        if (track := f"{owner}.{parts[0]}") in want and track != stream:
            raise BadValue(f"mux is {names!r}; {track} is wanted, too, and has its place; leave out one")
        return cls(owner, stream, parts[0], kind)

    @property
    def modality_of(self) -> dict[str, str]:
        """The track's name in a sample → its modality."""
        return {f"{self.owner}.{self.part}": self.modality}

    def joined(self, sample: Sample, given: Mapping[str, Value]) -> Sample:
        """The sample with the stream, its own or what was given, as a track; without one, as it is."""
        streams = {**sample.streams}
        (name,) = self.modality_of
        value = streams.pop(self.stream, given.get(self.stream))
        return sample if value is None else Sample(sample.key, {**streams, name: value})
