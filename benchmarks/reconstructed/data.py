"""Real pictures to rebuild: emoji, photographs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import photographs
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader

BATCH_PIXELS = 64 * 64 * 64
"""Pixels of a batch: 64 pictures of 64 px."""

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
        return max(4, BATCH_PIXELS // self.side**2)


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
