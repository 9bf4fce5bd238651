"""How well the pulses of a clip follow the onsets of music."""

from collections.abc import Sequence

from modaloom.metrics.onsets import onset_f1
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video_value import Video
from modaloom.world.parsers.hearing import RATE, heard
from modaloom.world.parsers.music import find_onsets
from modaloom.world.parsers.video import find_pulses


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
    onsets = [sample / RATE for sample in find_onsets(heard(sound))]
    return onset_f1(pulses, onsets, frame, (frame, seconds - 2 * frame))
