"""One network for five faults of photographs, beside what can be had without learning.

python benchmarks/restore.py --minutes 20 [--sides 48] [--scales 2] [--json F] [--save restorer.safetensors]

Trains on photographs of scikit-image and scikit-learn (`pip install 'modaloom[photographs]'`) and judges the
middle of two others. Faults: half the size (antialiased bicubic, 8 bits), grey with up to 16 hints for each
48 × 48 pixels, boxes of up to 12 × 12 pixels missing, noise of 25/255, JPEG of quality 20.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import photographs
import torch
from figures import Figures, Target, integers, publish
from safetensors.torch import save_file
from skimage.color import rgb2lab
from skimage.restoration import denoise_nl_means, inpaint_biharmonic
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.degradations.larger import larger
from modaloom.degradations.luma import luma, recoloured
from modaloom.degradations.smaller import smaller
from modaloom.diffusion.gaussian import Gaussian
from modaloom.diffusion.prediction import PREDICTIONS
from modaloom.evaluation.ridge import PatchRidge
from modaloom.metrics.psnr import psnr
from modaloom.models.pair import Pair, alone, stacked
from modaloom.models.restorer import Restorer
from modaloom.networks.local import Local, LocalConfig
from modaloom.runs.config import TrainingConfig
from modaloom.tasks import Signals
from modaloom.tasks.restore import PARTS, RESTORE, Restore
from modaloom.training.engine import Engine
from modaloom.training.fit import channels_last

SIDE, BATCH = 48, 16
"""Pixels of a training square, and of the squares that holes and hints are judged in; squares a step."""
FITTED = 96
"""Pixels of the squares that the linear filter is fitted on; smaller pictures are left out of all."""
MEASURED = 400
"""Pairs from which the scales are measured."""
RISING = 50
"""Steps in which the rate rises."""
STEPS = 16
"""Of a walk in `sample`."""
STRENGTHS = (0.6, 0.8, 1.0, 1.2)
"""Of non-local means, in units of sigma: the best on the judged picture is taken, in its favour."""
SUPERRES, COLORIZE, INPAINT, DENOISE, JPEG = (Restore(fault) for fault in PARTS)
TARGETS = [
    Target("superres, dB"),
    Target("superres: dB over bicubic", 1.5),
    Target("superres: dB over ridge", 0.5),
    Target("superres, sample: RMS made smaller, levels", 1, "≤"),
    Target("superres, sample: fine power / truth's"),
    Target("bicubic: fine power / truth's"),
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


def pair(pictures: list[Tensor], *, side: int = SIDE, seed: int, number: int) -> Pair:
    """A training pair of a random square."""
    random = generator(seed, "pair", number)
    return RESTORE.pair(Signals(photographs.crop(pictures, side, generator=random)), Restore(), random)


def train(
    restorer: Restorer, pictures: list[Tensor], *, sides: Sequence[int], seconds: float, seed: int
) -> Iterator[float]:
    """Yields each step's loss; the rate falls with the time that is left. Sizes of squares take turns."""
    restorer.measure(pair(pictures, seed=seed, number=-1 - i) for i in range(MEASURED))
    channels_last(restorer)
    engine, start, step = Engine("cpu"), time.monotonic(), 0
    optimizers = engine.optimizer(restorer, TrainingConfig().restorer)
    while (gone := (time.monotonic() - start) / seconds) < 1:
        side, numbers = sides[step % len(sides)], range(BATCH * step, BATCH * (step + 1))
        batch = stacked([pair(pictures, side=side, seed=seed, number=number) for number in numbers])
        noise, share = generator(seed, "loss", step), min(1, (step + 1) / RISING) * (1 - gone)
        loss = partial(restorer.loss, generator=noise)
        result = engine.step(restorer, optimizers, batch, loss, share=share, where=f"step {step}")
        step += 1
        yield float(result.loss.total)


@dataclass(frozen=True)
class Asked:
    """A degraded picture and its question."""

    held: Signals
    pair: Pair
    options: Restore

    @classmethod
    def of(cls, held: Signals, options: Restore) -> "Asked":
        return cls(held, RESTORE.ask(held, options), options)

    def mean(self, restorer: Restorer) -> Tensor:
        found = restorer.mean(alone(self.pair))[0]
        return RESTORE.answer(found, self.pair, self.held, self.options)

    def sample(self, restorer: Restorer, *, seed: int) -> Tensor:
        noise = torch.randn(1, *self.pair.target.shape, generator=generator(seed, "sample"))
        found = restorer.sample(alone(self.pair), noise, torch.linspace(1, 0, STEPS + 1))[0]
        return RESTORE.answer(found, self.pair, self.held, self.options)


def degraded(picture: Tensor, options: Restore) -> Asked:
    return Asked.of(RESTORE.degrade(Signals(picture), options, generator(0, "judge")), options)


def tiled(picture: Tensor, options: Restore) -> Asked:
    """Holes or hints as in training, drawn anew for each square of the picture."""
    random, held = generator(0, "judge"), picture.new_empty(4, *picture.shape[1:])
    for top in range(0, picture.shape[1], SIDE):
        for left in range(0, picture.shape[2], SIDE):
            box = slice(None), slice(top, top + SIDE), slice(left, left + SIDE)
            square = RESTORE.degrade(Signals(picture[box]), options, random).given
            assert square is not None
            held[box] = square
    return Asked.of(Signals(picture, held), options)


def db(found: Tensor, truth: Tensor) -> float:
    return psnr(float((found.clamp(0, 1) - truth).double().square().mean()))


def fine(picture: Tensor) -> float:
    """Power of the luma's frequencies above half of the highest one, on either axis."""
    power = torch.fft.fft2(luma(picture)[0] - luma(picture).mean()).abs().square()
    away = [torch.fft.fftfreq(n).abs() > 0.25 for n in power.shape]
    return float(power[away[0][:, None] | away[1]].sum())


def judge_superres(restorer: Restorer, picture: Tensor, ridge: PatchRidge) -> Iterator[tuple[str, float]]:
    asked = degraded(picture, SUPERRES)
    assert asked.held.given is not None
    bicubic, found = larger(asked.held.given, factor=2), asked.mean(restorer)
    yield "superres, dB", db(found, picture)
    yield "superres: dB over bicubic", db(found, picture) - db(bicubic, picture)
    yield "superres: dB over ridge", db(found, picture) - db(ridge(bicubic), picture)
    drawn = asked.sample(restorer, seed=0)
    off = 255 * (smaller(drawn, factor=2) - asked.held.given)
    yield "superres, sample: RMS made smaller, levels", float(off.square().mean().sqrt())
    yield "superres, sample: fine power / truth's", fine(drawn) / fine(picture)
    yield "bicubic: fine power / truth's", fine(bicubic) / fine(picture)


def judge_denoise(restorer: Restorer, picture: Tensor) -> Iterator[tuple[str, float]]:
    asked = degraded(picture, DENOISE)
    assert asked.held.given is not None
    sigma, noisy = DENOISE.denoise.sigma, asked.held.given.permute(1, 2, 0).numpy()
    smooth = [
        denoise_nl_means(
            noisy, patch_size=5, patch_distance=6, h=h * sigma, sigma=sigma, fast_mode=True, channel_axis=-1
        )
        for h in STRENGTHS
    ]
    best = max(db(torch.from_numpy(image).permute(2, 0, 1), picture) for image in smooth)
    found = db(asked.mean(restorer), picture)
    yield "denoise, dB", found
    yield "denoise: dB over non-local means", found - best


def judge_jpeg(restorer: Restorer, picture: Tensor) -> Iterator[tuple[str, float]]:
    asked = degraded(picture, JPEG)
    assert asked.held.given is not None
    found = db(asked.mean(restorer), picture)
    yield "jpeg, dB", found
    yield "jpeg: dB over the file", found - db(asked.held.given, picture)


def judge_inpaint(restorer: Restorer, picture: Tensor) -> Iterator[tuple[str, float]]:
    asked = tiled(picture, INPAINT)
    assert asked.held.given is not None
    hole = asked.held.given[3] == 0
    smooth = inpaint_biharmonic(
        asked.held.given[:3].permute(1, 2, 0).numpy(), hole.numpy(), channel_axis=-1, split_into_regions=True
    )
    truth, found = picture[:, hole], asked.mean(restorer)[:, hole]
    yield "inpaint, dB in the holes", db(found, truth)
    yield (
        "inpaint: dB over biharmonic",
        db(found, truth) - db(torch.from_numpy(smooth).permute(2, 0, 1)[:, hole], truth),
    )


def judge_colorize(restorer: Restorer, picture: Tensor) -> Iterator[tuple[str, float]]:
    asked = tiled(picture, COLORIZE)
    assert asked.held.given is not None
    found = ab_error(asked.mean(restorer), picture)
    yield "colorize: ab error", found
    yield "colorize: ab error / spread hints'", found / ab_error(spread(asked.held.given), picture)


def spread(held: Tensor) -> Tensor:
    """The hints' colours, each pixel the mean weighted by 1/distance² (Shepard 1968)."""
    hints = held[3].nonzero().double()
    colour = (held[:3] - luma(held[:3]))[:, held[3] > 0].double()
    places = torch.stack(torch.meshgrid(*map(torch.arange, held.shape[1:]), indexing="ij"), -1).double()
    weight = 1 / (torch.cdist(places.flatten(0, 1), hints).square() + 1e-6)
    mixed = (weight @ colour.T / weight.sum(1, keepdim=True)).T.reshape(3, *held.shape[1:])
    brightness = luma(held[:3])
    return recoloured(brightness, brightness + mixed.float())


def ab_error(found: Tensor, truth: Tensor) -> float:
    """Mean distance in the plane of CIELAB's colours."""
    a, b = (rgb2lab(image.permute(1, 2, 0).numpy())[..., 1:] for image in (found, truth))
    return float(np.linalg.norm(a - b, axis=-1).mean())


def ridge_of(pictures: list[Tensor]) -> PatchRidge:
    """Fitted on squares of the training pictures."""
    random = generator(0, "ridge")
    squares = [photographs.crop(pictures, FITTED, generator=random) for _ in range(100)]
    held = [degraded(square, SUPERRES).held.given for square in squares]
    shown = [larger(given, factor=2) for given in held if given is not None]
    return PatchRidge.fit(list(zip(shown, squares)), step=2)


def judge(restorer: Restorer, pictures: Mapping[str, Tensor], ridge: PatchRidge) -> dict[str, Figures]:
    """Columns: each picture, then the mean."""
    restorer.eval()
    columns: dict[str, Figures] = {
        name: dict(
            [
                *judge_superres(restorer, picture, ridge),
                *judge_denoise(restorer, picture),
                *judge_jpeg(restorer, picture),
                *judge_inpaint(restorer, picture),
                *judge_colorize(restorer, picture),
            ]
        )
        for name, picture in pictures.items()
    }
    names = next(iter(columns.values()))
    return {**columns, "mean": {name: float(np.mean([c[name] for c in columns.values()])) for name in names}}


def network(config: LocalConfig) -> Local:
    """Of the shared task: a picture, what is known of it, and which fault it has."""
    return Local(3, config, axes=2, condition=4, features=len(PARTS) + 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20, help="of training")
    parser.add_argument("--means", type=float, default=0.8, help="share of pairs that ask for the mean")
    parser.add_argument("--sides", type=integers, default=(SIDE,), help="of training squares, pixels")
    parser.add_argument("--scales", type=int, default=2, help="of training pictures, each half of the last")
    parser.add_argument("--side", type=int, default=240, help="pixels that are judged, a multiple of 48")
    parser.add_argument("--width", type=int, default=LocalConfig.width)
    parser.add_argument("--blocks", type=int, default=LocalConfig.blocks)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--save", type=Path, help="write the weights there, a safetensors file")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    net = network(LocalConfig(options.width, options.blocks))
    restorer = Restorer(net, Gaussian(), PREDICTIONS["v"], kinds=len(PARTS), means=options.means)
    scaled = [[*photographs.load(photographs.TRAIN).values()]]
    for _ in range(1, options.scales):
        scaled.append([photographs.halved(picture) for picture in scaled[-1]])
    pictures = [picture for scale in scaled for picture in scale if min(picture.shape[1:]) >= FITTED]
    losses, seconds = [], 60 * options.minutes
    for step, loss in enumerate(
        train(restorer, pictures, sides=options.sides, seconds=seconds, seed=options.seed)
    ):
        losses.append(loss)
        if step % 100 == 99:
            print(f"step {step + 1}: loss {np.mean(losses[-100:]):.4f}", flush=True)
    if options.save:
        save_file(restorer.state_dict(), options.save)
    test = photographs.load(photographs.TEST)
    judged = {name: photographs.middle(picture, options.side) for name, picture in test.items()}
    columns = judge(restorer, judged, ridge_of(pictures))
    made = {"steps": len(losses), "parameters, M": sum(p.numel() for p in net.parameters()) / 1e6}
    columns["mean"] = {**columns["mean"], **made}
    publish(TARGETS, columns, options.json)


if __name__ == "__main__":
    main()
