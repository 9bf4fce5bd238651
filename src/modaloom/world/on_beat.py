"""How well the pulses of a clip follow the onsets of music."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import sub
from statistics import median
from typing import Any

from modaloom.metrics.onsets import onset_f1
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video_value import Video
from modaloom.world.parsers.hearing import RATE, heard
from modaloom.world.parsers.music import find_onsets
from modaloom.world.parsers.video import find_pulses

Events = Callable[[Any], list[float]]
"""Value → when something happens in it, in seconds."""


@dataclass(frozen=True)
class Beat:
    """Two streams of a world that have one beat."""

    clip: str
    sound: str

    def follows(self, streams: Mapping[str, Any]) -> float:
        """`on_beat` of the clip and the sound among a sample's values."""
        return on_beat(streams[self.clip], streams[self.sound])

    def typical(self, stream: str, values: Sequence[Any]) -> Any:
        """The value of the median rate, for an answer that ignores what is given."""
        events: Mapping[str, Events] = {self.clip: find_pulses, self.sound: onset_times}
        return sorted(values, key=lambda value: rate(events[stream](value)))[len(values) // 2]


def rate(times: Sequence[float]) -> float:
    """Events a second by the median interval between events at these times; 0 of fewer than two."""
    return 1 / median(map(sub, times[1:], times)) if len(times) > 1 else 0.0


def onset_times(sound: Audio) -> list[float]:
    """When notes begin, in seconds."""
    return [sample / RATE for sample in find_onsets(heard(sound))]


def on_beat(clip: Video, sound: Audio) -> float:
    """F-measure of the pulses within ± 1 frame of the onsets, in [0, 1]."""
    return pulses_on_beat(find_pulses(clip), sound, clip.seconds, 1 / float(clip.fps))


def pulses_on_beat(pulses: Sequence[float], sound: Audio, seconds: float, frame: float) -> float:
    """The same of pulses at these times in a clip.

    Largest in the first frame or the last two may be what is largest before or after; this counts neither
    for nor against a clip.

    Args:
        pulses: seconds, ascending.
        sound: the music.
        seconds: that the clip lasts.
        frame: seconds of a frame.
    """
    return onset_f1(pulses, onset_times(sound), frame, (frame, seconds - 2 * frame))
