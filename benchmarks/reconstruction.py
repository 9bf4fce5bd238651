"""Reconstruction of real pictures at real sizes: the losses of the VQ-VAE, and diffusers' autoencoders.

python benchmarks/reconstruction.py emoji [--minutes 5] [--only mse perceptual]     of examples/emoji.py
python benchmarks/reconstruction.py photographs --side 128

Every model trains for equal minutes on the same pictures and is scored on others: PSNR and SSIM of whole
pictures; KID between the features of rebuilt and training patches, those of a classifier that is trained on
the data's own labels (group of the emoji, number of the photograph); sharpness, the power above half the
Nyquist frequency relative to the truth's. The column `truth` is that of the held-out pictures themselves.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from statistics import mean
from typing import Protocol

import numpy as np
import photographs
import torch
import torch.nn.functional as F
from budget import Budget, Descent, parameters
from diffusers import AutoencoderKL, VQModel
from figures import Figures, Target, publish
from PIL import Image
from torch import Tensor, nn

from modaloom.core.rng import generator
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.metrics.hf_energy_ratio import hf_energy
from modaloom.metrics.kid import kid
from modaloom.metrics.psnr import mse, psnr
from modaloom.metrics.ssim import ssim
from modaloom.modalities import IMAGE
from modaloom.networks.conv import CONV, channels_last
from modaloom.runs.config import OptimizerConfig
from modaloom.runs.config_io import changed
from modaloom.runs.schedule import trapezoid
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Stage, Training, Turn, train
from modaloom.training.pace import Pacer, measure_pace

TOKENIZER = OptimizerConfig(learning_rate=3e-3)
BATCH_VALUES = 64 * 64 * 64
"""Pixels of a batch: 64 pictures of 64 px."""
PATCH = 64
"""Side of the patches whose features are compared."""
CLASSIFIER_STEPS = 600
NUM_KNOWN = 1000
"""Training patches that rebuilt ones are compared with."""
STRIDE = 8
"""Pixels per code along each axis."""
SHARED = {"strides": [STRIDE, STRIDE], "codebook_size": 1024, "num_quantizers": 3}
VARIANTS: Mapping[str, Mapping[str, object]] = {
    "mse": {},
    "mse, 14 bits": {"codebook_size": 128, "num_quantizers": 2},
    "l1": {"loss": "l1"},
    "laplacian": {"loss": "laplacian"},
    "perceptual": {"adversary.feature_weight": 1.0, "adversary.start": 0.3},
    "adversarial": {"adversary.weight": 0.3, "adversary.feature_weight": 1.0, "adversary.start": 0.3},
}
"""Name → settings of the VQ-VAE."""
FIGURES = ("PSNR, dB", "SSIM", "KID, 10⁻³", "sharpness")

Pictures = Sequence[Tensor]
"""uint8 (3, H, W)."""


@dataclass(frozen=True)
class Data:
    """Training batches with labels, and held-out pictures."""

    batch: Callable[[int, torch.Generator], tuple[Tensor, Tensor]]
    """(n, randomness) → uint8 (n, 3, side, side), int64 (n,)."""
    labels: int
    test: Pictures
    side: int

    @property
    def size(self) -> int:
        """Pictures per batch."""
        return max(4, BATCH_VALUES // self.side**2)


class Model(Protocol):
    """An autoencoder."""

    def rebuild(self, pictures: Tensor) -> Tensor:
        """uint8 (1, 3, H, W) → the same."""


def emoji(folder: Path, side: int) -> Data:
    """The emoji of `examples/emoji.py`; labels are their groups."""
    index = open_folder(folder)
    reader, splits = Reader(index, streams=("image", "group")), index.splits or {}
    read = {
        name: [reader.read(s) for s in index.samples if splits[s.key] == name] for name in ("train", "test")
    }
    columns = {name: [_pixels(s.streams["image"], side) for s in found] for name, found in read.items()}
    groups = [sample.streams["group"]["group"] for sample in read["train"]]
    names = sorted({*groups})
    pixels, labels = torch.stack(columns["train"]), torch.tensor([names.index(group) for group in groups])

    def batch(n: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        rows = torch.randint(len(pixels), (n,), generator=random)
        return pixels[rows], labels[rows]

    return Data(batch, len(names), columns["test"], side)


def photos(side: int) -> Data:
    """Random crops of photographs, some at half their size; whole ones of other scenes are held out."""
    tested, learned = photographs.split(photographs.TEST)
    sources = [
        (label, (255 * scaled).round().byte())
        for label, picture in enumerate(learned.values())
        for scaled in (picture, F.interpolate(picture[None], scale_factor=0.5, mode="area")[0])
        if min(scaled.shape[1:]) >= side
    ]

    def batch(n: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        found = [sources[i] for i in torch.randint(len(sources), (n,), generator=random).tolist()]
        corners = [
            [int(torch.randint(length - side + 1, (), generator=random)) for length in picture.shape[1:]]
            for _, picture in found
        ]
        crops = [p[:, y : y + side, x : x + side] for (_, p), (y, x) in zip(found, corners)]
        return torch.stack(crops), torch.tensor([label for label, _ in found])

    whole = [(255 * picture).round().byte() for picture in tested.values()]
    return Data(batch, len(learned), whole, side)


def _pixels(picture: Image.Image, side: int) -> Tensor:
    fitted = picture.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(fitted)).permute(2, 0, 1)


class Ours(nn.Module):
    """The VQ-VAE with some settings."""

    def __init__(self, data: Data, settings: Mapping[str, object]) -> None:
        super().__init__()
        spec = {"size": [data.side] * 2, "content": [data.side] * 2, "channels": 3}
        config = changed(VQVAEConfig(), [*SHARED.items(), *settings.items()])
        self.tokenizer = VQVAETokenizer(IMAGE, spec, config)

    def fit(self, data: Data, seconds: float, accelerator: Accelerator, seed: int) -> int:
        """Train as a run's stage does; returns the number of steps."""
        objective = self.tokenizer.objective()
        channels_last(self.tokenizer)
        turns = [
            Turn(name, o.module, o.loss, OptimizerConfig(learning_rate=o.learning_rate), o.start)
            for name, o in objective.opponents.items()
        ]
        stage = Stage(
            "image",
            self.tokenizer,
            lambda step: data.batch(data.size, generator(seed, "batch", step))[0],
            objective.loss,
            TOKENIZER,
            data.size,
            turns=turns,
        )
        pace = measure_pace(stage, accelerator, 0.02 * seconds, seed=seed)
        schedule = trapezoid(max(10, int(seconds / pace)), warmup=TOKENIZER.warmup, decay=TOKENIZER.decay)
        training, pacer = Training(stage, accelerator, schedule, seed=seed, ema=0.999), Pacer(seconds, pace)
        for _ in train(training):
            training.schedule = pacer.refit(training.schedule, training.step, decay=TOKENIZER.decay)
        self.tokenizer.load_state_dict(training.ema.tensors)
        self.tokenizer.eval()
        return training.step

    @torch.no_grad()
    def rebuild(self, pictures: Tensor) -> Tensor:
        codes = self.tokenizer.quantizer(self.tokenizer._encode(IMAGE.signal.normalize(pictures))).codes
        vectors = self.tokenizer.quantizer.decode(codes)
        return IMAGE.signal.denormalize(self.tokenizer._decode(vectors, pictures.shape[2:]).float())


class Theirs(nn.Module):
    """An autoencoder of diffusers, of about as many parameters, at the same stride."""

    def __init__(self, data: Data, kind: str) -> None:
        super().__init__()
        halvings = STRIDE.bit_length()
        shape = {
            "down_block_types": ("DownEncoderBlock2D",) * halvings,
            "up_block_types": ("UpDecoderBlock2D",) * halvings,
            "block_out_channels": (16, 32, *[48] * (halvings - 2)),
            "layers_per_block": 1,
            "norm_num_groups": 8,
            "latent_channels": 4 if kind == "kl" else 32,
        }
        self.kind, self.net = kind, {"kl": AutoencoderKL, "vq": VQModel}[kind](**shape, **EXTRA[kind])

    def fit(self, data: Data, seconds: float, accelerator: Accelerator, seed: int) -> int:
        """Train with AdamW; returns the number of steps."""
        self.to(memory_format=torch.channels_last)

        def loss(random: torch.Generator) -> Tensor:
            signal = IMAGE.signal.normalize(data.batch(data.size, random)[0])
            rebuilt, extra = self._forward(signal, random)
            return F.mse_loss(rebuilt.float(), signal) + extra

        descent = Descent(bf16=accelerator.precision == "bf16")
        return len(descent.run(self, loss, Budget(seconds), seed=seed))

    def _forward(self, signal: Tensor, random: torch.Generator | None) -> tuple[Tensor, Tensor]:
        if self.kind == "kl":
            posterior = self.net.encode(signal).latent_dist
            latent = posterior.mode() if random is None else posterior.sample(random)
            return self.net.decode(latent).sample, KL_WEIGHT * posterior.kl().mean() / signal[0].numel()
        made = self.net.decode(self.net.encode(signal).latents)
        return made.sample, made.commit_loss.mean()

    @torch.no_grad()
    def rebuild(self, pictures: Tensor) -> Tensor:
        height, width = pictures.shape[2:]
        padding = (0, -width % STRIDE, 0, -height % STRIDE)
        signal = F.pad(IMAGE.signal.normalize(pictures), padding, mode="replicate")
        return IMAGE.signal.denormalize(self._forward(signal, None)[0][..., :height, :width].float())


KL_WEIGHT = 1e-6
"""Of the nats of the latents, as in latent diffusion (Rombach et al. 2021, arXiv 2112.10752)."""
EXTRA: Mapping[str, Mapping[str, object]] = {
    "kl": {},
    "vq": {"num_vq_embeddings": 16384, "vq_embed_dim": 8},
}
"""One codebook of 14 bits."""
MODELS: Mapping[str, Callable[[Data], "Ours | Theirs"]] = {
    **{name: partial(Ours, settings=settings) for name, settings in VARIANTS.items()},
    "diffusers VQModel": partial(Theirs, kind="vq"),
    "diffusers AutoencoderKL": partial(Theirs, kind="kl"),
}


class Classifier(nn.Module):
    """Patches → features → the data's labels."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 128)
        self.layers = nn.ModuleList(
            CONV[2](before, after, 3, stride=2, padding=1) for before, after in pairwise(widths)
        )
        self.head = nn.Linear(widths[-1], labels)

    def features(self, patches: Tensor) -> Tensor:
        """uint8 (n, 3, PATCH, PATCH) → float (n, 128)."""
        x = IMAGE.signal.normalize(patches)
        for layer in self.layers:
            x = F.silu(layer(x))
        return x.mean((2, 3))

    @classmethod
    def of(cls, data: Data, seed: int) -> "Classifier":
        """Trained on patches of the training pictures."""
        torch.manual_seed(seed)
        net = cls(data.labels)

        def loss(random: torch.Generator) -> Tensor:
            pictures, labels = data.batch(64, random)
            return F.cross_entropy(net.head(net.features(crop(pictures, random))), labels)

        Descent().run(net, loss, Budget(0, CLASSIFIER_STEPS), seed=seed)
        return net


def crop(pictures: Tensor, random: torch.Generator) -> Tensor:
    """A patch of each picture, at one random place."""
    top, left = (int(torch.randint(n - PATCH + 1, (), generator=random)) for n in pictures.shape[2:])
    return pictures[..., top : top + PATCH, left : left + PATCH]


def patches(pictures: Pictures) -> Tensor:
    """All patches that lie side by side."""
    return torch.stack(
        [
            picture[:, y : y + PATCH, x : x + PATCH]
            for picture in pictures
            for y, x in product(*(range(0, n - PATCH + 1, PATCH) for n in picture.shape[1:]))
        ]
    )


@dataclass(frozen=True)
class Exam:
    """Scores rebuilt pictures beside the held-out ones."""

    test: Pictures
    net: Classifier
    known: Tensor
    """Features of training patches."""

    @classmethod
    def of(cls, data: Data, seed: int) -> "Exam":
        net, random = Classifier.of(data, seed), generator(seed, "known")
        seen = [crop(data.batch(1, random)[0], random) for _ in range(NUM_KNOWN)]
        with torch.no_grad():
            return cls(data.test, net, net.features(torch.cat(seen)))

    def figures(self, rebuilt: Pictures) -> Iterator[tuple[str, float]]:
        pairs = [[p.permute(1, 2, 0).numpy() / 255 for p in pair] for pair in zip(rebuilt, self.test)]
        if all(mse(a, b) > 0 for a, b in pairs):
            yield FIGURES[0], mean(psnr(mse(a, b)) for a, b in pairs)
        yield FIGURES[1], mean(ssim(a, b) for a, b in pairs)
        with torch.no_grad():
            found, scale = self.net.features(patches(rebuilt)), self.known.std(0)
        ours, true = (((points - self.known.mean(0)) / scale).numpy() for points in (found, self.known))
        yield FIGURES[2], 1e3 * kid(ours, true)
        power = [sum(hf_energy(p.double()) for p in pictures) for pictures in (rebuilt, self.test)]
        yield FIGURES[3], power[0] / power[1]


def measure(data: Data, names: Sequence[str], seconds: float, seed: int) -> Iterator[dict[str, Figures]]:
    """All columns so far, after each model."""
    exam, accelerator = Exam.of(data, seed), Accelerator("cpu")
    columns: dict[str, Figures] = {"truth": dict(exam.figures(data.test))}
    for name in names:
        torch.manual_seed(seed)
        model = MODELS[name](data)
        steps = model.fit(data, seconds, accelerator, seed)
        rebuilt = [model.rebuild(picture[None])[0] for picture in data.test]
        columns[name] = {**dict(exam.figures(rebuilt)), "parameters": parameters(model), "steps": steps}
        yield columns


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="photographs, or the folder of examples/emoji.py")
    parser.add_argument("--side", type=int, default=64, help="of training pictures in pixels, at least 64")
    parser.add_argument("--minutes", type=float, default=5, help="of each training")
    parser.add_argument("--only", nargs="+", choices=[*MODELS], default=[*MODELS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    asked = parser.parse_args()
    data = photos(asked.side) if asked.data == "photographs" else emoji(Path(asked.data), asked.side)
    targets = [*map(Target, FIGURES[:3]), Target(FIGURES[3], 0.8), Target("parameters"), Target("steps")]
    for columns in measure(data, asked.only, 60 * asked.minutes, asked.seed):
        publish(targets, columns, asked.json)


if __name__ == "__main__":
    main()
