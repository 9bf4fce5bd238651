"""One network for five degradations of photographs, beside methods without learning.

python benchmarks/restore.py --minutes 20 [--sides 48] [--scales 3] [--json F] [--save restorer.safetensors]

Trains on photographs of scikit-image and scikit-learn (`pip install 'modaloom[photographs]'`) and scores the
centre of two others. Degradations: half the size (antialiased bicubic, 8 bits), grey with up to 16 hints per
48 × 48 pixels, boxes of up to 12 × 12 pixels missing, noise of 25/255, JPEG of quality 20.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import photographs
import torch
from faults import CONVERGENCE, OFF, SHARP, SIDE, SUPERRES, degraded, judge, sheet
from figures import Target, integers, publish
from safetensors.torch import load_file, save_file
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.degradations.upsample import upsample
from modaloom.modalities import MODALITIES
from modaloom.modalities.unit import array_to_unit
from modaloom.networks.conv import channels_last
from modaloom.networks.local_resnet import LocalResNetConfig
from modaloom.restorer.config import RestorerConfig, RestorerTrainingConfig
from modaloom.restorer.example import ConditionalExample, collate
from modaloom.restorer.files import Restoration, RestorerPlan, build_restorer
from modaloom.restorer.patch_ridge import PatchRidge
from modaloom.restorer.restorer import Restorer
from modaloom.restorer.tasks import TASKS, Signals, Task
from modaloom.training.accelerator import Accelerator
from modaloom.transforms.crop import randint_below, random_crops

TO_UNIT, DEFAULTS = partial(array_to_unit, MODALITIES["image"], {}), RestorerConfig()
BATCH = 16
"""Crops per training step."""
FITTED = 96
"""Pixels of the crops that the baseline's linear filter is fitted on."""
MEASURED = 400
"""Pairs that the network's linear filters and the normalizer are fitted on."""
WARMUP_STEPS = 50
"""Warm-up steps."""
TESTED = [path.stem for path in photographs.TEST]
EVERY = {path.stem: path for path in (*photographs.TRAIN, *photographs.TEST)}
TARGETS = [
    Target("superres, dB"),
    Target("superres: dB over bicubic", 1.5),
    Target("superres: dB over ridge", 0.5),
    Target("superres, sample: RMS made smaller, levels", 1, "≤"),
    Target(SHARP),
    Target(OFF, 0.1, "≤"),
    Target("bicubic: power / truth's there"),
    Target(CONVERGENCE, 0.02, "≤"),
    Target("denoise, dB"),
    Target("denoise: dB over non-local means", 0.3),
    Target("jpeg, dB"),
    Target("jpeg: dB over the file", 0.5),
    Target("inpaint, dB in the holes"),
    Target("inpaint: dB over biharmonic", 0),
    Target("colorize: ab error"),
    Target("colorize: ab error / spread hints'", 0.8, "≤"),
    Target("steps"),
    Target("parameters, M", 1, "≤"),
]


@dataclass(frozen=True)
class Lessons:
    """Training pairs from random crops of photographs, as `train --task` makes them."""

    pictures: Sequence[np.ndarray]
    """uint8 (3, H, W)."""
    scales: int
    candidates: int
    seed: int
    task: Task[Any] = TASKS["restore"]

    def piece(self, side: int, random: torch.Generator) -> Tensor:
        picture = self.pictures[randint_below(len(self.pictures), random)]
        (piece,) = random_crops(
            [picture], [TO_UNIT], side=side, scales=self.scales, candidates=self.candidates, generator=random
        )
        return piece

    def pair(self, number: int, side: int = SIDE) -> ConditionalExample:
        random = generator(self.seed, "pair", number)
        return self.task.make_example(Signals(self.piece(side, random)), self.task.options(), random)

    def measured(self) -> Iterator[ConditionalExample]:
        return (self.pair(-1 - i) for i in range(MEASURED))


def untrained(config: RestorerConfig, lessons: Lessons) -> Restoration:
    """With the fitted linear filters, as `train` begins."""
    plan = RestorerPlan(config.task, ("image",), "image", None).with_input_shape(lessons.pair(0))
    found = Restoration(plan, config, build_restorer(plan, config, seed=lessons.seed))
    return found.with_filters(lessons.measured())


def train(restorer: Restorer, lessons: Lessons, *, sides: Sequence[int], seconds: float) -> Iterator[float]:
    """Yields each step's loss; the learning rate decays with the remaining time. Crop sizes alternate."""
    restorer.fit_normalizer(lessons.measured())
    channels_last(restorer)
    accelerator, start, step = Accelerator("cpu"), time.monotonic(), 0
    optimizers = accelerator.optimizer(restorer, RestorerTrainingConfig().restorer)
    while (spent := (time.monotonic() - start) / seconds) < 1:
        side, numbers = sides[step % len(sides)], range(BATCH * step, BATCH * (step + 1))
        batch = collate([lessons.pair(number, side) for number in numbers])
        noise, lr_scale = (
            generator(lessons.seed, "loss", step),
            min(1, (step + 1) / WARMUP_STEPS) * (1 - spent),
        )
        result = accelerator.step(
            restorer,
            optimizers,
            batch,
            lambda part, ranks, noise=noise: restorer.loss(part, noise, ranks),
            lr_scale=lr_scale,
            where=f"step {step}",
        )
        step += 1
        yield float(result.loss.total)


def ridge_of(lessons: Lessons) -> PatchRidge:
    """Fitted on random crops of the training pictures."""
    random, lessons = generator(0, "ridge"), replace(lessons, candidates=1)
    squares = [lessons.piece(FITTED, random) for _ in range(100)]
    shown = [upsample(degraded(square, SUPERRES).given, factor=2) for square in squares]
    return PatchRidge.fit(list(zip(shown, squares)), TASKS["superres"].linear_filter(SUPERRES.superres))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20, help="of training")
    parser.add_argument(
        "--mean-prob",
        type=float,
        default=DEFAULTS.mean_prob,
        help="share of pairs that train the posterior mean",
    )
    parser.add_argument(
        "--sides", type=integers, default=DEFAULTS.crop_sizes, help="of training crops, pixels"
    )
    parser.add_argument(
        "--scales", type=int, default=DEFAULTS.crop_scales, help="of crops, each half of the last"
    )
    parser.add_argument("--candidates", type=int, default=DEFAULTS.crop_candidates, help="for each crop")
    parser.add_argument(
        "--judged",
        nargs="+",
        choices=sorted(EVERY),
        default=TESTED,
        help="photographs to score; not trained on",
    )
    parser.add_argument("--side", type=int, default=240, help="pixels that are scored, a multiple of 48")
    parser.add_argument("--width", type=int, default=LocalResNetConfig.width)
    parser.add_argument("--blocks", type=int, default=LocalResNetConfig.num_res_blocks)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--save", type=Path, help="write the weights there, a safetensors file")
    parser.add_argument("--load", type=Path, help="score these weights without training")
    parser.add_argument("--picture", type=Path, help="write inputs and outputs there, a PNG")
    options = parser.parse_args()
    config = RestorerConfig(
        "restore", local=LocalResNetConfig(options.width, options.blocks), mean_prob=options.mean_prob
    )
    tested, learned = photographs.split([EVERY[name] for name in options.judged])
    judged = {name: photographs.middle(picture, options.side) for name, picture in tested.items()}
    pictures = [(255 * picture).round().byte().numpy() for picture in learned.values()]
    lessons = Lessons(pictures, options.scales, options.candidates, options.seed)
    found = untrained(config, lessons)
    restorer, lessons = found.restorer, replace(lessons, task=found.task)
    made = {"parameters, M": sum(p.numel() for p in restorer.parameters()) / 1e6}
    if options.load:
        restorer.load_state_dict(load_file(options.load))
    else:
        losses = []
        for loss in train(restorer, lessons, sides=options.sides, seconds=60 * options.minutes):
            losses.append(loss)
            if len(losses) % 100 == 0:
                print(f"step {len(losses)}: loss {np.mean(losses[-100:]):.4f}", flush=True)
        made["steps"] = len(losses)
    if options.save:
        save_file({name: value.contiguous() for name, value in restorer.state_dict().items()}, options.save)
    restorer.eval()
    if options.picture:
        sheet(found, judged).save(options.picture)
    columns = judge(found, judged, ridge_of(lessons))
    columns["mean"] = {**columns["mean"], **made}
    publish(TARGETS, columns, options.json)


if __name__ == "__main__":
    main()
