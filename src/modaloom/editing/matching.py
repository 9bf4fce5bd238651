"""Which clips fit to which parts of music, by what a run has learned of both."""

from collections.abc import Collection, Sequence

from modaloom.core.errors import BadValue, check_choice
from modaloom.core.types import Sample
from modaloom.loom.evaluation.bounds import Bounds
from modaloom.loom.evaluation.encoded import Encoded
from modaloom.loom.run import TrainedRun
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video import VIDEO
from modaloom.modalities.video_value import Video


def misfits(
    run: TrainedRun,
    music: Audio,
    starts: Sequence[float],
    clips: Sequence[Video],
    *,
    streams: Collection[str],
    seed: int,
) -> list[list[float]]:
    """How little a clip fits to the music from a time on, in [0, 1]: 0 for the clip that fits best.

    By the rank of the pointwise mutual information of the codes of both. Raises `BadValue` where the streams
    are not one of sounds and one of clips.

    Args:
        run: a finished Loom run.
        music: all of it.
        starts: seconds at which shots begin.
        clips: n clips, of which the beginning is looked at.
        streams: of the run, what music and clips are; none: all.
        seed: of the noise of the likelihoods.

    Returns:
        Of each shot, of each clip.
    """
    sound, shown = (_stream(run, kind.name, streams) for kind in (AUDIO, VIDEO))
    parts = [_from(music, start) for start in starts]
    pairs = [
        Sample(f"{i}/{j}", {sound: part, shown: clip})
        for i, part in enumerate(parts)
        for j, clip in enumerate(clips)
    ]
    encoded = Encoded(run.model, lambda stream, pair: pair.key.split("/")[stream == shown])
    bounds = Bounds(run.model, pairs, seed=seed, encoded=encoded)
    fits = bounds.pointwise(sound, shown).pmi.reshape(len(starts), len(clips))
    worse = fits.argsort(1, descending=True).argsort(1) / max(1, len(clips) - 1)
    return [[float(one) for one in row] for row in worse]


def _from(music: Audio, start: float) -> Audio:
    return Audio(music.samples[:, round(start * music.rate) :], music.rate, music.type)


def _stream(run: TrainedRun, modality: str, among: Collection[str]) -> str:
    """The one stream of a modality, among these if there are any."""
    kinds = run.modality_of
    asked = [check_choice("stream", name, kinds) for name in among] or [*kinds]
    names = [name for name in asked if kinds[name] == modality]
    if not names:
        raise BadValue(
            f"there is no stream of {modality} among {', '.join(asked)}; give a run with sound and clips"
        )
    if len(names) > 1:
        raise BadValue(
            f"there are {len(names)} streams of {modality}, {', '.join(names)}; name one of sounds and one "
            "of clips with --streams"
        )
    return names[0]
