"""Which clips fit to which parts of music, by what a run has learned of both."""

from collections.abc import Sequence

from modaloom.core.errors import BadValue
from modaloom.core.types import Sample
from modaloom.loom.evaluation.bounds import Bounds
from modaloom.loom.run import TrainedRun
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video import VIDEO
from modaloom.modalities.video_value import Video


def misfits(
    run: TrainedRun, music: Audio, starts: Sequence[float], clips: Sequence[Video]
) -> list[list[float]]:
    """How little a clip fits to the music from a time on, in [0, 1]: 0 for the clip that fits best.

    By the rank of the pointwise mutual information of the codes of both. Raises `BadValue` for a run that has
    not one stream of sounds and one of clips.

    Args:
        run: a finished Loom run.
        music: all of it.
        starts: seconds at which shots begin.
        clips: n clips, of which the beginning is looked at.

    Returns:
        Of each shot, of each clip.
    """
    sound, shown = _stream(run, AUDIO.name), _stream(run, VIDEO.name)
    pairs = [
        Sample(f"{i}/{j}", {sound: _from(music, start), shown: clip})
        for i, start in enumerate(starts)
        for j, clip in enumerate(clips)
    ]
    fits = Bounds(run.model, pairs).pointwise(sound, shown).pmi.reshape(len(starts), len(clips))
    worse = fits.argsort(1, descending=True).argsort(1) / max(1, len(clips) - 1)
    return [[float(one) for one in row] for row in worse]


def _from(music: Audio, start: float) -> Audio:
    return Audio(music.samples[:, round(start * music.rate) :], music.rate, music.type)


def _stream(run: TrainedRun, modality: str) -> str:
    found: dict[str, list[str]] = {}
    for name, kind in run.modality_of.items():
        found.setdefault(kind, []).append(name)
    if len(names := found.get(modality, [])) != 1:
        raise BadValue(f"the run has {len(names)} streams of {modality}; give one with sound and clips")
    return names[0]
