"""Scores of restored photographs, each beside a method without learning."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from figures import Figures
from photographs import middle
from PIL import Image
from skimage.color import rgb2lab
from skimage.restoration import denoise_nl_means, inpaint_biharmonic
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.rng import generator
from modaloom.degradations.downsample import downsample
from modaloom.degradations.luma import luma, replace_luma
from modaloom.degradations.upsample import upsample
from modaloom.diffusion.samplers.continuous.dpmpp_2m import dpmpp_2m
from modaloom.diffusion.samplers.continuous.heun import heun
from modaloom.metrics.psnr import psnr
from modaloom.restorer.example import ConditionalExample, as_batch
from modaloom.restorer.files import Restoration
from modaloom.restorer.patch_ridge import PatchRidge
from modaloom.restorer.restorer import SamplerFn
from modaloom.restorer.tasks import Signals
from modaloom.restorer.tasks.restore import RESTORE, SUBTASKS, Restore

SIDE = 48
"""Pixels of the squares in which holes and hints are sampled."""
STEPS = 32
"""Of a posterior sample; with the default of 8 its high-frequency power is some hundredths less."""
STRENGTHS = (0.6, 0.8, 1.0, 1.2)
"""Of non-local means, in units of sigma: the best on the scored picture is taken, in its favour."""
RINGS = 32
"""Of frequency, up to the highest of an axis."""
SHARP = "superres, sample: power / truth's where bicubic loses half"
OFF = "superres, sample: that ratio's distance from 1"
FEW, MANY = 10, 250
"""Evaluations of `dpmpp_2m`, steps of `heun`."""
CONVERGENCE = f"all, sample: RMS of dpmpp_2m, {FEW}, from heun, {MANY}"
DEGRADATIONS = SUPERRES, COLORIZE, INPAINT, DENOISE, JPEG = [Restore(name) for name in SUBTASKS]


@dataclass(frozen=True)
class Degraded:
    """A degraded picture and the condition made of it."""

    signals: Signals
    given: Tensor
    pair: ConditionalExample
    options: Restore

    @classmethod
    def of(cls, picture: Tensor, given: Tensor | None, options: Restore) -> "Degraded":
        assert given is not None
        signals = Signals(picture, given)
        return cls(signals, given, RESTORE.build_condition(signals, options), options)

    def mean(self, restoration: Restoration) -> Tensor:
        found = restoration.restorer.mean(as_batch(self.pair))[0]
        return restoration.task.finalize(found, self.pair, self.signals, self.options)

    def sample(
        self, restoration: Restoration, *, seed: int, steps: int = STEPS, sampler: SamplerFn = dpmpp_2m
    ) -> Tensor:
        noise = torch.randn(1, *self.pair.target.shape, generator=generator(seed, "sample"))
        times = torch.linspace(1, 0, steps + 1)
        found = restoration.restorer.sample(as_batch(self.pair), noise, times, sampler=sampler)[0]
        return restoration.task.finalize(found, self.pair, self.signals, self.options)


def degraded(picture: Tensor, options: Restore) -> Degraded:
    """Deterministic; what depends on the size of the picture is sampled for squares of SIDE."""
    random = generator(0, "judge")
    if options in (COLORIZE, INPAINT):
        return tiled(picture, options, random)
    return Degraded.of(picture, RESTORE.degrade(Signals(picture), options, random).input, options)


def tiled(picture: Tensor, options: Restore, random: torch.Generator) -> Degraded:
    """Holes or hints as in training, sampled for each square of the picture."""
    given = picture.new_empty(4, *picture.shape[1:])
    for top in range(0, picture.shape[1], SIDE):
        for left in range(0, picture.shape[2], SIDE):
            box = slice(None), slice(top, top + SIDE), slice(left, left + SIDE)
            square = RESTORE.degrade(Signals(picture[box]), options, random).input
            assert square is not None
            given[box] = square
    return Degraded.of(picture, given, options)


def db(found: Tensor, truth: Tensor) -> float:
    return psnr(float((found.clamp(0, 1) - truth).double().square().mean()))


def spectrum(picture: Tensor) -> Tensor:
    """Power of the luma on rings of frequency, RINGS of them up to the highest of an axis."""
    power = torch.fft.fft2(luma(picture)[0] - luma(picture).mean()).abs().square()
    rows, columns = (torch.fft.fftfreq(n) for n in power.shape)
    rings = (2 * RINGS * torch.hypot(rows[:, None], columns)).long()
    return torch.bincount(rings.flatten(), power.flatten())


def judge_superres(
    restoration: Restoration, picture: Tensor, ridge: PatchRidge
) -> Iterator[tuple[str, float]]:
    example = degraded(picture, SUPERRES)
    bicubic, found = upsample(example.given, factor=2), example.mean(restoration)
    yield "superres, dB", db(found, picture)
    yield "superres: dB over bicubic", db(found, picture) - db(bicubic, picture)
    linear = RESTORE.postprocess(ridge(bicubic), example.signals, SUPERRES)
    yield "superres: dB over ridge", db(found, picture) - db(linear, picture)
    sample = example.sample(restoration, seed=0)
    off = 255 * (downsample(sample, factor=2) - example.given)
    yield "superres, sample: RMS made smaller, levels", float(off.square().mean().sqrt())
    truth, smooth, rough = map(spectrum, (picture, bicubic, sample))
    lost = smooth <= truth / 2
    ratio = float(rough[lost].sum() / truth[lost].sum())
    yield SHARP, ratio
    yield OFF, abs(ratio - 1)
    yield "bicubic: power / truth's there", float(smooth[lost].sum() / truth[lost].sum())


def judge_convergence(restoration: Restoration, picture: Tensor) -> Iterator[tuple[str, float]]:
    """All degradations, central crop: a sampler of few evaluations beside a converged one."""
    examples = [degraded(middle(picture, SIDE), options) for options in DEGRADATIONS]
    few, many = (
        torch.stack(
            [example.sample(restoration, seed=0, steps=steps, sampler=sampler) for example in examples]
        )
        for steps, sampler in ((FEW, dpmpp_2m), (MANY, heun))
    )
    yield CONVERGENCE, float((few - many).square().mean().sqrt())


def judge_denoise(restoration: Restoration, picture: Tensor) -> Iterator[tuple[str, float]]:
    example = degraded(picture, DENOISE)
    sigma, noisy = DENOISE.denoise.sigma, example.given.permute(1, 2, 0).numpy()
    smooth = [
        denoise_nl_means(
            noisy, patch_size=5, patch_distance=6, h=h * sigma, sigma=sigma, fast_mode=True, channel_axis=-1
        )
        for h in STRENGTHS
    ]
    best = max(db(torch.from_numpy(image).permute(2, 0, 1), picture) for image in smooth)
    found = db(example.mean(restoration), picture)
    yield "denoise, dB", found
    yield "denoise: dB over non-local means", found - best


def judge_jpeg(restoration: Restoration, picture: Tensor) -> Iterator[tuple[str, float]]:
    example = degraded(picture, JPEG)
    found = db(example.mean(restoration), picture)
    yield "jpeg, dB", found
    yield "jpeg: dB over the file", found - db(example.given, picture)


def judge_inpaint(restoration: Restoration, picture: Tensor) -> Iterator[tuple[str, float]]:
    example = degraded(picture, INPAINT)
    hole = example.given[3] == 0
    smooth = inpaint_biharmonic(
        example.given[:3].permute(1, 2, 0).numpy(), hole.numpy(), channel_axis=-1, split_into_regions=True
    )
    truth, found = picture[:, hole], example.mean(restoration)[:, hole]
    yield "inpaint, dB in the holes", db(found, truth)
    yield (
        "inpaint: dB over biharmonic",
        db(found, truth) - db(torch.from_numpy(smooth).permute(2, 0, 1)[:, hole], truth),
    )


def judge_colorize(restoration: Restoration, picture: Tensor) -> Iterator[tuple[str, float]]:
    example = degraded(picture, COLORIZE)
    found = ab_error(example.mean(restoration), picture)
    yield "colorize: ab error", found
    yield "colorize: ab error / spread hints'", found / ab_error(spread(example.given), picture)


def spread(held: Tensor) -> Tensor:
    """The hints' colours, each pixel the mean weighted by 1/distance² (Shepard 1968)."""
    hints = held[3].nonzero().double()
    colour = (held[:3] - luma(held[:3]))[:, held[3] > 0].double()
    places = torch.stack(torch.meshgrid(*map(torch.arange, held.shape[1:]), indexing="ij"), -1).double()
    weight = 1 / (torch.cdist(places.flatten(0, 1), hints).square() + 1e-6)
    mixed = (weight @ colour.T / weight.sum(1, keepdim=True)).T.reshape(3, *held.shape[1:])
    brightness = luma(held[:3])
    return replace_luma(brightness, brightness + mixed.float())


def ab_error(found: Tensor, truth: Tensor) -> float:
    """Mean distance in CIELAB's (a, b) plane."""
    a, b = (rgb2lab(image.permute(1, 2, 0).numpy())[..., 1:] for image in (found, truth))
    return float(np.linalg.norm(a - b, axis=-1).mean())


def judge(restoration: Restoration, pictures: Mapping[str, Tensor], ridge: PatchRidge) -> dict[str, Figures]:
    """Columns: each picture, then the mean."""
    columns: dict[str, Figures] = {
        name: dict(
            [
                *judge_superres(restoration, picture, ridge),
                *judge_convergence(restoration, picture),
                *judge_denoise(restoration, picture),
                *judge_jpeg(restoration, picture),
                *judge_inpaint(restoration, picture),
                *judge_colorize(restoration, picture),
            ]
        )
        for name, picture in pictures.items()
    }
    names = next(iter(columns.values()))
    return {**columns, "mean": {name: float(np.mean([c[name] for c in columns.values()])) for name in names}}


def sheet(restoration: Restoration, pictures: Mapping[str, Tensor]) -> Image.Image:
    """A row per degradation: input, posterior mean, sample and ground truth of each picture's centre."""
    rows = []
    for options in DEGRADATIONS:
        row = []
        for picture in pictures.values():
            truth = middle(picture, 2 * SIDE)
            example = degraded(truth, options)
            shown = example.given[:3] * (example.given[3] if options == INPAINT else 1)
            shown = F.interpolate(shown[None], truth.shape[1:])[0]
            row += [shown, example.mean(restoration), example.sample(restoration, seed=0), truth]
        rows.append(torch.cat([F.pad(picture, (2, 2, 2, 2), value=1) for picture in row], 2))
    pixels = (255 * torch.cat(rows, 1).clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()
    return Image.fromarray(pixels)
