"""What is measured of the clips of the benchmark of moving pictures, and clips that are easily had."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from figures import Figures
from world_parts import Exam

from modaloom.evaluation.judge import Answer
from modaloom.evaluation.on_beat import F1, BeatMetric
from modaloom.modalities import MODALITIES
from modaloom.modalities.image import to_rgb
from modaloom.modalities.video_value import Video
from modaloom.world.parsers.video import parse_video, read_motion, track_of
from modaloom.world.scene import INVALID
from modaloom.world.score import agree
from modaloom.world.worlds import world_of

FRAMES, FPS = 16, 8
OF_THE_FIRST = ("size", "position")
"""Slots of the first frame of a clip."""


def moves(exam: Exam, answers: Sequence[Answer]) -> Figures:
    """Direction and speed, each by itself, of clips that should move; every slot; `kept`: shape and colour
    are right in all frames. Of clips of which a part is given, the others are measured."""
    clips = [_new(exam, answer["video"]) for answer in answers]
    found = [parse_video(clip) for clip in clips]
    motions = [_motion(clip) for clip in clips]
    true = [(facts["motion"].split()[0], facts["motion"].split()[-1]) for facts in exam.facts]
    slots = [slot for slot in found[0] if not exam.kept or slot not in OF_THE_FIRST]
    right = {slot: [said[slot] == facts[slot] for said, facts in zip(found, exam.facts)] for slot in slots}
    moving = [pair for pair in zip(motions, true) if pair[1][1] != "still"]
    right |= {
        "kept": [shape and colour for shape, colour in zip(right["shape"], right["colour"])],
        "direction": [said[0] == known[0] for said, known in moving],
        "speed": [said[1] == known[1] for said, known in moving],
    }
    return {name: float(np.mean(hits)) for name, hits in right.items() if hits}


def _new(exam: Exam, clip: Video) -> Video:
    """The frames that are not given."""
    given = {k for first, end in exam.kept for k in range(int(first), int(end))}
    return Video.of(clip.frames[[k for k in range(clip.length) if k not in given]], clip.fps)


def _motion(clip: Video) -> tuple[str, str]:
    track = track_of(clip)
    return (INVALID, INVALID) if track is None else read_motion(track)


def follows(exam: Exam, answers: Sequence[Answer]) -> Figures:
    """Pulses of the clip against onsets of the music, of which one is the answer."""
    return {F1: exam.ask.score(answers)[F1].value}


def agreement(exam: Exam, answers: Sequence[Answer]) -> Figures:
    """Of speech and clip, written into one mp4 and read again; `independent`: of those of different draws."""
    pairs = [_muxed(answer["video"], answer["speech"]) for answer in answers]
    mixed = [(clip, said) for (clip, _), (_, said) in zip(pairs, [*pairs[1:], pairs[0]])]
    return {"agreement": _agreement(pairs), "agreement, independent": _agreement(mixed)}


def _agreement(pairs: Sequence[tuple[Video, object]]) -> float:
    return float(np.mean([[*agree("speech", said, "video", clip).values()] for clip, said in pairs]))


def _muxed(clip: Video, sound: object) -> tuple[Video, object]:
    video, path = MODALITIES["video"], Path(tempfile.mkdtemp()) / "both.mp4"
    assert video.tracks is not None
    video.tracks.write(clip, {"sound": sound}, path)
    read = Video.of(video.read(path).frames, clip.fps), MODALITIES["audio"].read(path)
    path.unlink()
    path.parent.rmdir()
    return read


def static(exam: Exam) -> list[Answer]:
    """The given image, or the last of the frames that are kept from the start, in every frame."""
    return [{"video": _still(exam, sample.streams)} for sample in exam.ask.samples]


def _still(exam: Exam, streams: Answer) -> Video:
    if exam.kept:
        frames = streams["video"].frames.copy()
        last = int(exam.kept[0][1])
        frames[last:] = frames[last - 1]
        return Video.of(frames, FPS)
    return Video.of(np.stack([np.asarray(to_rgb(streams["image"]))] * FRAMES), FPS)


def blend(exam: Exam) -> list[Answer]:
    """Linear from the last frame before the gap to the first one after it."""
    (_, first), (last, _) = exam.kept
    gap = slice(int(first), int(last))
    return [{"video": _blended(sample.streams["video"], gap)} for sample in exam.ask.samples]


def _blended(clip: Video, gap: slice) -> Video:
    frames = clip.frames.astype(float)
    weights = np.linspace(0, 1, gap.stop - gap.start + 2)[1:-1, None, None, None]
    frames[gap] = frames[gap.start - 1] + weights * (frames[gap.stop] - frames[gap.start - 1])
    return Video.of(frames.round().astype(np.uint8), clip.fps)


def constant(exam: Exam) -> list[Answer]:
    """One training clip, or piece, of the median rate for all."""
    beat = BeatMetric(world_of(exam.facts).beat)
    return [{exam.want: beat.constant(exam.want, exam.train)}] * len(exam.ask.samples)
