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


def split(judged: Sequence[Path]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Test photographs, and the training photographs of other scenes; as `load`."""
    scenes = {scene(path) for path in judged}
    return load(judged), load([path for path in TRAIN if scene(path) not in scenes])


def scene(path: Path) -> str:
    """Name of its scene; the two motorcycles are one."""
    return path.stem.removesuffix("_left").removesuffix("_right")


def load(paths: Sequence[Path]) -> dict[str, Tensor]:
    """Name → float32 (3, H, W) in [0, 1]."""
    pictures = {path.stem: np.array(Image.open(path).convert("RGB")) for path in paths}
    return {name: torch.from_numpy(pixels).permute(2, 0, 1) / 255 for name, pixels in pictures.items()}


def middle(picture: Tensor, side: int) -> Tensor:
    """The square of `side` pixels in the middle."""
    top, left = ((n - side) // 2 for n in picture.shape[1:])
    return picture[:, top : top + side, left : left + side]
