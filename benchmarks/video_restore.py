"""Super-resolution ×2 of clips beside that of their frames, on held-out clips and held-out times.

python benchmarks/video_restore.py FOLDER [--minutes 10] [--frames 12] [--side 144] [--json F]

FOLDER has clips with splits, such as examples/clips.py writes. For each seed a Restorer of clips is trained
on its training clips, and, as long, one of pictures on the frames of these: equal compute. Both start from a
linear filter. Inputs: each frame at half of its size (antialiased bicubic, 8 bits). All answers are made
consistent with the input but bicubic.

- dB: peak signal to noise ratio of all pixels of a clip's `--frames` middle frames, of which the central
  `--side` pixels are scored, averaged over the clips of a split.
- Motion: root mean square of the changes from frame to frame, by the truth's; blur lowers it.
- Flicker: root mean square of (change of the answer - change of the truth), by the truth's changes: 0 is the
  truth. Asked is that of the clips against that of bicubic and of the pictures.
"""

import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from figures import Figures, Target, arguments, by_seed, publish
from numpy.typing import NDArray
from PIL import Image

import modaloom
from modaloom.core.rng import generator
from modaloom.data.folder import open_folder
from modaloom.metrics.flicker import flicker
from modaloom.metrics.psnr import mse, psnr
from modaloom.metrics.ssim import ssim
from modaloom.modalities.video import VIDEO
from modaloom.modalities.video_value import Video
from modaloom.restorer.restoration import RestoredRun, RestoreOptions
from modaloom.restorer.tasks import Signals

FPS = 24
TASK, FACTOR, STEP = "superres", 2, 3
"""Every `STEP`-th frame of a training clip is one of the training pictures: the next ones are alike."""
BICUBIC, LINEAR, FRAMES, CLIPS = "bicubic", "linear filter", "pictures", "clips"
Clip = NDArray[np.uint8]
"""(T, H, W, 3)."""
GAIN, OVER, FLICKER = "{}: dB over bicubic", "{}: dB over pictures", "{}: flicker of clips by that of {}"


def middle(clip: Video, frames: int, side: int) -> Clip:
    """At most so many frames of at most so many pixels, an even number."""
    first = max(0, (clip.length - frames) // 2)
    whole = np.stack([*islice(clip.scan(), first, first + frames)])
    sides = [min(n, side) // FACTOR * FACTOR for n in whole.shape[1:3]]
    top, left = ((n - m) // 2 for n, m in zip(whole.shape[1:3], sides))
    return whole[:, top : top + sides[0], left : left + sides[1]]


def unit(clip: Clip) -> torch.Tensor:
    """(3, T, H, W) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(clip)).permute(3, 0, 1, 2) / 255


def pixels(signal: torch.Tensor) -> Clip:
    found: Clip = (signal.clamp(0, 1) * 255).round().byte().permute(1, 2, 3, 0).numpy()
    return found


def start(run: RestoredRun, small: torch.Tensor, *, filtered: bool) -> torch.Tensor:
    """(C, *axes): what the run's network adds to, finished; without its filter, bicubic."""
    task, options = run.restoration.task, run.restoration.options
    held = Signals(input=small)
    example = task.build_condition(held, options)
    if not filtered:
        return task.initial_estimate(example)
    return task.finalize(torch.zeros_like(example.target), example, held, options)


def answers(clips: RestoredRun, pictures: RestoredRun, truth: Clip) -> Iterator[tuple[str, Clip, float]]:
    """Name, answer, and seconds."""
    task, options = clips.restoration.task, clips.restoration.options
    small = task.degrade(Signals(unit(truth)), options, generator(0, "judge")).input
    assert small is not None
    held = pixels(small)
    ways = {
        BICUBIC: lambda: pixels(start(clips, small, filtered=False)),
        f"{LINEAR} of pictures": lambda: np.stack(
            [pixels(start(pictures, frame, filtered=True)[:, None])[0] for frame in small.unbind(1)]
        ),
        f"{LINEAR} of clips": lambda: pixels(start(clips, small, filtered=True)),
        FRAMES: lambda: np.stack([np.asarray(pictures.restore(Image.fromarray(frame))) for frame in held]),
        CLIPS: lambda: clips.restore(Video.of(held, FPS)).frames,
        "sample": lambda: sampled(clips, held, 0.0),
        "sample, half of the noise shared": lambda: sampled(clips, held, 0.5),
        "sample, all noise shared": lambda: sampled(clips, held, 1.0),
    }
    for name, way in ways.items():
        began = time.monotonic()
        found = way()
        yield name, found, time.monotonic() - began


def sampled(run: RestoredRun, held: Clip, shared: float) -> Clip:
    """A posterior sample, of noise of which all frames share a part."""
    how = RestoreOptions(mode="sample", sampling={"shared_noise": shared})
    found: Clip = run.restore(Video.of(held, FPS), how).frames
    return found


def motion(clip: Clip) -> float:
    return flicker(clip / 255, np.zeros_like(clip, dtype=float))


def judge(clips: RestoredRun, pictures: RestoredRun, truth: Clip) -> dict[str, dict[str, float]]:
    """Answer → figure → value."""
    found = {}
    for name, made, seconds in answers(clips, pictures, truth):
        a, b = made / 255, truth / 255
        found[name] = {
            "dB": psnr(mse(a, b)),
            "SSIM": float(np.mean([ssim(one, other) for one, other in zip(a, b)])),
            "motion": motion(made) / motion(truth),
            "flicker": flicker(a, b) / motion(truth),
            "seconds a frame": seconds / len(truth),
        }
    return found


def clips_of(folder: Path) -> Iterator[tuple[str, str, Video]]:
    """Split, key, clip."""
    index = open_folder(folder)
    assert index.splits is not None, "the folder has no splits"
    for sample in index.samples:
        yield index.splits[sample.key], sample.key, VIDEO.read(Path(str(sample.streams["video"])))


def held_out(folder: Path, frames: int, side: int) -> dict[str, dict[str, Clip]]:
    """Test split → key → clip."""
    found: dict[str, dict[str, Clip]] = {}
    for split, key, clip in clips_of(folder):
        if split.startswith("test"):
            found.setdefault(split, {})[key] = middle(clip, frames, side)
    return found


def as_pictures(folder: Path, out: Path) -> None:
    """The training clips as pictures."""
    (out / "train").mkdir(parents=True)
    for split, key, clip in clips_of(folder):
        for i, frame in enumerate(clip.scan() if split == "train" else ()):
            if i % STEP == 0:
                Image.fromarray(frame).save(out / "train" / f"{Path(key).name}-{i:03d}.png")


def averaged(scores: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    return {
        name: {figure: float(np.mean([one[name][figure] for one in scores])) for figure in figures}
        for name, figures in scores[0].items()
    }


def figures_of(split: str, scores: Mapping[str, Mapping[str, float]]) -> Figures:
    """Of one split: each answer's, and what is asked for."""
    found = {f"{split}: {name}: {figure}": v for name, one in scores.items() for figure, v in one.items()}
    found[GAIN.format(split)] = scores[CLIPS]["dB"] - scores[BICUBIC]["dB"]
    found[OVER.format(split)] = scores[CLIPS]["dB"] - scores[FRAMES]["dB"]
    for name in (BICUBIC, FRAMES):
        found[FLICKER.format(split, name)] = scores[CLIPS]["flicker"] / scores[name]["flicker"]
    return found


def attempt(
    folder: Path, held: Mapping[str, Mapping[str, Clip]], how: dict[str, object], seed: int
) -> Figures:
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        as_pictures(folder, root / "pictures")
        how = {**how, "task": TASK, "seed": seed, "samples": 1}
        clips = modaloom.train(folder, out=root / "clips", streams=["video"], **how)
        pictures = modaloom.train(root / "pictures", out=root / "run", **how)
        for split, of in held.items():
            scores = []
            for key, truth in of.items():
                scores.append(judge(clips, pictures, truth))
                print(seed, key, {name: round(one["dB"], 2) for name, one in scores[-1].items()}, flush=True)
            figures |= figures_of(split, averaged(scores))
    return figures


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=10, help="of each training")
    parser.add_argument("--steps", type=int, help="of each training, instead")
    parser.add_argument("--frames", type=int, default=12, help="of each clip that are scored")
    parser.add_argument("--side", type=int, default=144, help="pixels that are scored, at most")
    parser.add_argument("--set", nargs="*", default=[], dest="settings", help="KEY=VALUE of both trainings")
    asked = parser.parse_args()
    length = {"steps": asked.steps} if asked.steps else {"minutes": asked.minutes}
    held = held_out(asked.folder, asked.frames, asked.side)
    attempted = partial(attempt, asked.folder, held, {**length, "settings": asked.settings})
    columns = by_seed({seed: attempted(seed) for seed in asked.seeds})
    bounds = {target.name: target for split in held for target in targets_of(split)}
    publish([bounds.get(name, Target(name)) for name in columns["median"]], columns, asked.json)


def targets_of(split: str) -> list[Target]:
    return [
        Target(GAIN.format(split), 1.0),
        Target(OVER.format(split), 0.3),
        *(Target(FLICKER.format(split, name), 1.0, "≤") for name in (BICUBIC, FRAMES)),
    ]


if __name__ == "__main__":
    main()
