"""Reconstruction of real pictures at real sizes: the losses of the VQ-VAE, and diffusers' autoencoders.

python benchmarks/reconstruction.py emoji [--minutes 5] [--only mse perceptual]     of examples/emoji.py
python benchmarks/reconstruction.py photographs --side 128

Every model trains for equal minutes on the same pictures and is scored on others: PSNR and SSIM of whole
pictures; KID between the features of rebuilt and training patches, those of a classifier that is trained on
the data's own labels (group of the emoji, number of the photograph); sharpness, the power above half the
Nyquist frequency relative to the truth's. The column `truth` is that of the held-out pictures themselves.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from budget import parameters
from figures import Figures, Target, publish
from reconstructed.data import Data, emoji, photos
from reconstructed.exam import KID, PSNR, SHARPNESS, SSIM, Exam
from reconstructed.models import MODELS, VARIANTS

from modaloom.training.accelerator import Accelerator


def measure(data: Data, names: Sequence[str], seconds: float, seed: int) -> Iterator[dict[str, Figures]]:
    """All columns so far, after each model."""
    exam, accelerator = Exam.of(data, seed), Accelerator("cpu")
    columns: dict[str, Figures] = {"truth": dict(exam.figures(data.test))}
    for name in names:
        torch.manual_seed(seed)
        model = MODELS[name](data)
        steps = model.fit(data, seconds, accelerator, seed)
        rebuilt = [model.rebuild(picture) for picture in data.test]
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
    targets = [*map(Target, (PSNR, SSIM, KID)), Target(SHARPNESS, 0.8), Target("parameters"), Target("steps")]
    for columns in measure(data, asked.only, 60 * asked.minutes, asked.seed):
        publish(targets, columns, asked.json, judged=VARIANTS)


if __name__ == "__main__":
    main()
