"""A film of clips that are cut to music."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from modaloom.core.defaults import DEVICE, SEED, SHOT
from modaloom.core.errors import BadFile, BadValue, check_range
from modaloom.core.rng import derive
from modaloom.data.atomic_io import new_file
from modaloom.editing.choice import choose_clips
from modaloom.editing.cuts import ShotLengths, choose_cuts
from modaloom.editing.film import Shot, film
from modaloom.editing.matching import misfits
from modaloom.loom.run import TrainedRun, load
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_channels import mixed
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video import VIDEO
from modaloom.modalities.video_encode import ENCODINGS, SOUND, encode
from modaloom.modalities.video_value import Video
from modaloom.spectral.onsets import find_onsets

MIN_FPS = Fraction(30)
"""Frames a second of a film, at least: a cut is half a frame off an onset at most."""
MIN_FRAMES = 5
"""Of the longest clip."""


@dataclass(frozen=True)
class Cut:
    """A shot of a film."""

    start: float
    """Seconds."""
    clip: Path
    first: float
    """Second of the clip at which the shot begins."""


def cut(
    music: str | os.PathLike[str],
    clips: Sequence[str | os.PathLike[str]],
    *,
    out: str | os.PathLike[str],
    shot: float = SHOT,
    run: str | os.PathLike[str] | TrainedRun | None = None,
    streams: Collection[str] = (),
    seed: int = SEED,
    device: str = DEVICE,
) -> list[Cut]:
    """Cuts clips to music: writes a film that lasts as long as the music, with cuts on its onsets.

    Args:
        music: a file of sound.
        clips: files of clips, and folders of them.
        out: the film: .mp4, .mov, .mkv or .webm.
        shot: seconds that a shot should last, at least 0.5.
        run: a Loom run with a stream of sounds and one of clips, which chooses the clip that fits best to
            each part of the music; None: they are in random order.
        streams: that stream of sounds and that of clips, where the run has several.
        seed: seed of the order, and of the noise of the run's likelihoods.
        device: auto | cpu | cuda | mps.

    Returns:
        The shots, in order.

    Raises:
        BadFile: a file that cannot be read or written.
        BadRun: no finished run.
        BadValue: no clips, a shot that is too short, a run without sounds and clips.
    """
    path = _checked(Path(out))
    if streams and run is None:
        raise BadValue("streams are those of a run; give run, too, or leave them out")
    sound, paths = AUDIO.read(Path(music)), _files(clips)
    shown = [VIDEO.read(one) for one in paths]
    fps = max(MIN_FPS, *(clip.fps for clip in shown))
    frames = [round(clip.length / clip.fps * fps) for clip in shown]
    if max(frames) < MIN_FRAMES:
        raise BadValue(f"no clip has {MIN_FRAMES} frames at {float(fps):g} a second; give longer ones")
    borders = _borders(sound, fps, _lengths(shot, float((max(frames) - 1) / fps)))
    sizes = [end - start for start, end in pairwise(borders)]
    starts = [float(frame / fps) for frame in borders[:-1]]
    costs = _costs(run, device, sound, starts, shown, streams, seed)
    chosen = choose_clips(sizes, frames, costs)
    shots = [Shot(shown[clip], first, size) for (clip, first), size in zip(chosen, sizes)]
    largest = max(shown, key=lambda clip: clip.height * clip.width)
    made = film(shots, largest.height, largest.width, fps)
    with new_file(path) as file:
        encode(made, {SOUND: sound}, path.suffix[1:].lower(), file)
    return [Cut(start, paths[clip], float(first / fps)) for start, (clip, first) in zip(starts, chosen)]


def _checked(out: Path) -> Path:
    if out.suffix[1:].lower() not in ENCODINGS:
        raise BadFile(out, f"is no name of a film with sound; name one of .{', .'.join(ENCODINGS)}")
    if out.exists():
        raise BadFile(out, "exists; name a new file")
    return out


def _files(clips: Sequence[str | os.PathLike[str]]) -> list[Path]:
    found = list[Path]()
    for path in map(Path, clips):
        inside = (
            sorted(one for one in path.iterdir() if one.suffix[1:].lower() in VIDEO.suffixes)
            if (path.is_dir())
            else [path]
        )
        found += inside
    if not found:
        raise BadValue("there are no clips to cut; name files of clips, or folders of them")
    return found


def _lengths(shot: float, longest: float) -> ShotLengths:
    """No shot is longer than the longest clip, and the shortest is half of it at most, so that any film can
    be divided."""
    usual = ShotLengths()
    check_range("shot", shot, usual.shortest)
    return ShotLengths(
        min(shot, longest), min(usual.shortest, longest / 2), min(max(usual.longest, shot), longest)
    )


def _borders(sound: Audio, fps: Fraction, lengths: ShotLengths) -> list[int]:
    """Frames at which shots begin, and the end of the film."""
    heard = torch.from_numpy(np.ascontiguousarray(mixed(sound.samples, 1)[0]))
    onsets = find_onsets(heard, sound.rate)
    cuts = choose_cuts(onsets.times.tolist(), onsets.strengths.tolist(), sound.seconds, lengths)
    end = max(1, round(sound.seconds * fps))
    return [0, *(round(time * fps) for time in cuts), end]


def _costs(
    run: str | os.PathLike[str] | TrainedRun | None,
    device: str,
    sound: Audio,
    starts: Sequence[float],
    clips: Sequence[Video],
    streams: Collection[str],
    seed: int,
) -> list[list[float]]:
    if run is None:
        chance = np.random.default_rng(derive(seed, "cut"))
        return [[float(one) for one in row] for row in chance.uniform(size=(len(starts), len(clips)))]
    opened = load(run, device=device) if isinstance(run, str | os.PathLike) else run
    return misfits(opened, sound, starts, clips, streams=streams, seed=seed)
