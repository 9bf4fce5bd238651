"""Tokenizers of the world's clips at equal time: what a parser reads of held-out clips through their codes.

python benchmarks/world_clips.py [--minutes 4] [--only NAME …] [--samples 2000] [--n 100] [--seed 0]
    [--json FILE]

A Loom can draw no more than its tokenizer keeps: every slot should be read in 0.98 of clips of combinations
that are absent from training (level 1). `tokens` and `codes` are of a clip: what the Loom has to learn.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from figures import Figures, Target, publish
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.modalities.video import VIDEO, pack
from modaloom.modalities.video_value import Video
from modaloom.networks.conv import channels_last
from modaloom.recipes.demo import VIDEO_SETTINGS
from modaloom.runs.config import OptimizerConfig
from modaloom.runs.config_io import changed
from modaloom.runs.schedule import trapezoid
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Stage, Training, train
from modaloom.training.pace import Pacer, measure_pace
from modaloom.world.music import music
from modaloom.world.on_beat import on_beat
from modaloom.world.scene import Scene
from modaloom.world.score import score
from modaloom.world.splits import scene
from modaloom.world.video import FPS, LENGTH, video

SPEC = {"size": [LENGTH, 32, 32], "content": [32, 32], "channels": 3, "fps": str(FPS)}
FIRST = 340
"""Clips that a tokenizer starts from, as a run's does."""
SHARED = {"strides": [4, 8, 8]}
NARROW = {"widths": [16, 32, 64]}
TRIED: Mapping[str, Mapping[str, Any]] = {
    "recipe": VIDEO_SETTINGS,
    "recipe, a code of the tint": {**VIDEO_SETTINGS, "global_codes": 1},
    "recipe, 4 codes and one of the tint": {**VIDEO_SETTINGS, "num_quantizers": 5, "global_codes": 1},
    "4 codes": {"num_quantizers": 4},
    "4 codes, narrow": {"num_quantizers": 4, **NARROW},
    "8 codes, narrow": {"num_quantizers": 8, **NARROW},
    "stride 2, 4 codes, narrow": {"strides": [2, 8, 8], "num_quantizers": 4, **NARROW},
    "stride 8, 8 codes, narrow": {"strides": [8, 8, 8], "num_quantizers": 8, **NARROW},
    "1,024 codewords, 4 codes, narrow": {"codebook_size": 1024, "num_quantizers": 4, **NARROW},
    "charbonnier, 4 codes, narrow": {"loss": "charbonnier", "num_quantizers": 4, **NARROW},
}
"""Name → settings of the VQ-VAE; the batch is BATCH clips for all."""
BATCH = 16


@dataclass(frozen=True)
class Exam:
    """Clips that no tokenizer is trained on."""

    scenes: Sequence[Scene]

    def figures(self, clips: Sequence[Video]) -> dict[str, float]:
        """What is read of clips of the scenes."""
        hits = [score("video", clip, one.facts) for clip, one in zip(clips, self.scenes)]
        beats = [on_beat(clip, music(one)) for clip, one in zip(clips, self.scenes)]
        found = {slot: float(np.mean([hit[slot] for hit in hits])) for slot in hits[0]}
        return found | {"onsets F1": float(np.mean(beats))}


def packed(scenes: Sequence[Scene]) -> Tensor:
    """uint8 (n, 3, T, H, W)."""
    return torch.from_numpy(np.stack([pack(video(one), SPEC) for one in scenes]))


def trained(
    settings: Mapping[str, Any], data: Tensor, seconds: float, seed: int
) -> tuple[VQVAETokenizer, int]:
    """A tokenizer, trained as a run's stage is, and its number of steps."""
    torch.manual_seed(seed)
    tokenizer = VQVAETokenizer(VIDEO, SPEC, changed(VQVAEConfig(), {**SHARED, **settings}.items()))
    tokenizer.begin(data[:FIRST])
    channels_last(tokenizer)
    optimizer, accelerator = OptimizerConfig(learning_rate=3e-3, batch_size=BATCH), Accelerator("cpu")

    def batch(step: int) -> Tensor:
        return data[torch.randint(len(data), (BATCH,), generator=generator(seed, "batch", step))]

    stage = Stage("video", tokenizer, batch, tokenizer.objective().loss, optimizer, BATCH)
    pace = measure_pace(stage, accelerator, 0.02 * seconds, seed=seed)
    schedule = trapezoid(max(10, int(seconds / pace)), warmup=optimizer.warmup, decay=optimizer.decay)
    training, pacer = Training(stage, accelerator, schedule, seed=seed, ema=0.999), Pacer(seconds, pace)
    for _ in train(training):
        training.schedule = pacer.refit(training.schedule, training.step, decay=optimizer.decay)
    tokenizer.load_state_dict(training.ema.tensors)
    return tokenizer.eval(), training.step


def figures(tokenizer: VQVAETokenizer, steps: int, exam: Exam, held: Tensor) -> Figures:
    """Of held-out clips through the tokenizer."""
    rebuilt = tokenizer.decode(tokenizer.encode_batch(held))
    error = np.mean((packed_clips(rebuilt) - held.double().numpy()) ** 2)
    tokens = math.prod(tokenizer.shape.grid)
    sizes = {"tokens": tokens, "codes": tokens * tokenizer.shape.depth, "steps": steps}
    return {**exam.figures(rebuilt), "PSNR, dB": 10 * math.log10(255**2 / error), **sizes}


def packed_clips(clips: Sequence[Video]) -> np.ndarray:
    """float64 (n, 3, T, H, W)."""
    return np.stack([pack(clip, SPEC) for clip in clips]).astype(np.float64)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=4, help="of each training")
    parser.add_argument("--only", nargs="+", choices=[*TRIED], default=[*TRIED])
    parser.add_argument("--samples", type=int, default=2000, help="of training")
    parser.add_argument("--n", type=int, default=100, help="held-out clips")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    asked = parser.parse_args()
    data = packed([scene(asked.seed, "train", i) for i in range(asked.samples)])
    exam = Exam([scene(asked.seed, "test-level1", i) for i in range(asked.n)])
    held = packed(exam.scenes)
    columns: dict[str, Figures] = {"truth": exam.figures([video(one) for one in exam.scenes])}
    targets = [Target(name, 0.98) for name in columns["truth"]]
    targets += [*map(Target, ("PSNR, dB", "tokens", "codes", "steps"))]
    for name in asked.only:
        tokenizer, steps = trained(TRIED[name], data, 60 * asked.minutes, asked.seed)
        columns[name] = figures(tokenizer, steps, exam, held)
        publish(targets, columns, asked.json)


if __name__ == "__main__":
    main()
