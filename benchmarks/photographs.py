"""The colour photographs in the wheels of scikit-image and scikit-learn, split by photograph."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import skimage.data
import sklearn.datasets
import torch
from PIL import Image
from torch import Tensor

SKIMAGE = Path(skimage.data.__file__).parent
SKLEARN = Path(sklearn.datasets.__file__).parent / "images"
TRAIN = (
    SKIMAGE / "astronaut.png",
    SKIMAGE / "chelsea.png",
    SKIMAGE / "motorcycle_left.png",
    SKIMAGE / "motorcycle_right.png",
    SKIMAGE / "rocket.jpg",
    SKIMAGE / "retina.jpg",
    SKIMAGE / "hubble_deep_field.jpg",
    SKLEARN / "flower.jpg",
)
TEST = (SKIMAGE / "coffee.png", SKLEARN / "china.jpg")


def load(paths: Sequence[Path]) -> dict[str, Tensor]:
    """Name → float32 (3, H, W) in [0, 1]."""
    pictures = {path.stem: np.array(Image.open(path).convert("RGB")) for path in paths}
    return {name: torch.from_numpy(pixels).permute(2, 0, 1) / 255 for name, pixels in pictures.items()}


def middle(picture: Tensor, side: int) -> Tensor:
    """The square of `side` pixels in the middle."""
    top, left = ((n - side) // 2 for n in picture.shape[1:])
    return picture[:, top : top + side, left : left + side]


def crop(pictures: Sequence[Tensor], side: int, *, generator: torch.Generator) -> Tensor:
    """A square of a random picture, place and orientation."""

    def below(n: int) -> int:
        return int(torch.randint(n, (), generator=generator))

    picture = pictures[below(len(pictures))]
    top, left = (below(n - side + 1) for n in picture.shape[1:])
    square = picture[:, top : top + side, left : left + side].rot90(below(4), (1, 2))
    return square.flip(2) if below(2) else square


def halved(picture: Tensor) -> Tensor:
    """A second scale for training: half the size, box-filtered, odd ends dropped."""
    return torch.nn.functional.avg_pool2d(picture, 2)
