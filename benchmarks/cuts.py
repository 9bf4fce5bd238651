"""Films that are cut to music of the synthetic world: how far cuts are from the beats that were played.

python benchmarks/cuts.py [--songs 12] [--pieces 15] [--shot 2] [--seed 0] [--json FILE]

Needs `pip install 'modaloom[media]'`. A song is pieces of 1.2 to 2 seconds of one instrument, of any tempo,
phase and register; its beats are those of the score, and where a piece begins. Films are cut by `api.cut`
from clips of one colour each; `fixed` has as many shots, all as long. Distances are to the nearest beat, mean
over all cuts.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from figures import Target, publish

from modaloom import api
from modaloom.modalities import AUDIO, VIDEO
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video_value import Video
from modaloom.world.music import BEAT, SECONDS, beats, music
from modaloom.world.record import TEMPOS
from modaloom.world.scene import FACTORS, Scene
from modaloom.world.sound import RATE
from modaloom.world.splits import scene

SHORTEST = 1.2
"""Seconds of a piece."""
LEVELS, CLIP_FRAMES, FPS = (30, 90, 150, 210), 96, 12
DISTANCE = "distance of cuts to beats, s"


def song(pieces: list[Scene], rng: np.random.Generator) -> tuple[Audio, np.ndarray]:
    """Sound, and when its beats begin, seconds."""
    parts, times, start = list[np.ndarray](), list[float](), 0.0
    for one in pieces:
        sound, length = music(one), round(rng.uniform(SHORTEST, SECONDS) * RATE)
        found = beats(1 / TEMPOS[one.tempo], one.random(BEAT))
        times += [start, *(start + found[(found > 0) & (found < length / RATE)])]
        parts.append(sound.samples[:, :length])
        start += length / RATE
    return Audio(np.concatenate(parts, 1), RATE), np.array(times)


def distances(times: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.abs(times[:, None] - truth).min(1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--songs", type=int, default=12)
    parser.add_argument("--pieces", type=int, default=15, help="of each song")
    parser.add_argument("--shot", type=float, default=2.0, help="seconds that a shot should last")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    asked = parser.parse_args()
    cut, fixed, counts = list[np.ndarray](), list[np.ndarray](), list[int]()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "clips").mkdir()
        for level in LEVELS:
            frames = np.full((CLIP_FRAMES, 24, 32, 3), level, np.uint8)
            VIDEO.write(Video.of(frames, FPS), root / "clips" / f"{level}.mp4")
        for i in range(asked.songs):
            instrument = FACTORS["instrument"][i % len(FACTORS["instrument"])]
            places = range(i * asked.pieces, (i + 1) * asked.pieces)
            pieces = [scene(asked.seed, "train", k, {"instrument": instrument}) for k in places]
            sound, truth = song(pieces, np.random.default_rng((asked.seed, i)))
            AUDIO.write(sound, root / "song.wav")
            film = root / f"{i}.mp4"
            shots = api.cut(root / "song.wav", [root / "clips"], out=film, shot=asked.shot, seed=asked.seed)
            cut.append(distances(np.array([one.start for one in shots[1:]]), truth))
            even = np.linspace(0, sound.seconds, len(shots) + 1)[1:-1]
            fixed.append(distances(even, truth))
            counts.append(len(shots))
    near, far = (float(np.concatenate(found).mean()) for found in (cut, fixed))
    columns = {
        "fixed": {DISTANCE: far},
        "cut": {
            DISTANCE: near,
            f"{DISTANCE} / fixed": near / far,
            "cuts within 50 ms": float((np.concatenate(cut) <= 0.05).mean()),
            "shots of a song": float(np.mean(counts)),
        },
    }
    targets = [
        Target(DISTANCE, 0.025, "≤"),
        Target(f"{DISTANCE} / fixed", 0.5, "≤"),
        Target("cuts within 50 ms"),
        Target("shots of a song"),
    ]
    publish(targets, columns, asked.json)


if __name__ == "__main__":
    main()
