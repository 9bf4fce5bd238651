"""Size and channels of the images of a stream, as measured on training images, and their limits."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modaloom.core.errors import BadValue, check_range
from modaloom.modalities.base import DataSpec, Shortened


@dataclass(frozen=True)
class ImageLimits:
    """Limits on the size of images."""

    max_side: int = 32
    """Maximum side length in pixels, at least 1."""

    def __post_init__(self) -> None:
        check_range("max_side", self.max_side, 1)


def infer_spec(images: Iterable[Image.Image], limits: ImageLimits) -> DataSpec:
    """Infers `content` [H, W], the box that images are fitted into, `size`, that box padded to whole strides,
    and `channels`, 1 if all images are grey, else 3.

    Images of equal size keep it if it is within the limit; others get their median shape, with a longer side
    of at most `limits.max_side`.
    """
    shapes, grey = [], True
    for image in images:
        shapes.append((image.height, image.width))
        grey = grey and is_grey(image)
    content = content_box(shapes, limits.max_side)
    return {"size": padded_to_strides(content), "content": content, "channels": 1 if grey else 3}


def content_box(shapes: list[tuple[int, int]], side: int) -> list[int]:
    """The box [H, W] that images of these shapes are fitted into, with a longer side of at most `side`.

    Raises `BadValue` without any.
    """
    if not shapes:
        raise BadValue("no picture can be read; give at least one")
    long = min(side, round(statistics.median(max(shape) for shape in shapes)))
    aspect = math.exp(statistics.median(math.log(h / w) for h, w in shapes))
    h, w = (long, long / aspect) if aspect > 1 else (long * aspect, long)
    box = [max(1, round(h)), max(1, round(w))]
    return box if len(set(shapes)) == 1 else [_round_up(n) for n in box]


def padded_to_strides(content: Sequence[int]) -> list[int]:
    """The box, padded to whole strides."""
    return [_round_up(n) for n in content]


def _round_up(n: int) -> int:
    """Rounds up to a multiple of 8 (of 4 for up to 16 pixels)."""
    step = 8 if n > 16 else 4
    return -(-n // step) * step


def padded(pixels: NDArray[Any], size: Sequence[int]) -> NDArray[Any]:
    """Pixels (h, w, C) in the middle of `size`, edges repeated."""
    margins = [((n - have) // 2, n - have - (n - have) // 2) for n, have in zip(size, pixels.shape)]
    return np.pad(pixels, [*margins, (0, 0)], mode="edge")


def inner(pixels: NDArray[Any], spec: DataSpec) -> NDArray[Any]:
    """Packed pixels (C, *size) → the content box (H, W, C)."""
    (height, width), (rows, columns) = spec["content"], spec["size"]
    top, left = (rows - height) // 2, (columns - width) // 2
    return pixels.transpose(1, 2, 0)[top : top + height, left : left + width]


def sizes(shapes: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Smallest and largest of sizes (width, height), and how many differ."""
    by_area = sorted(set(shapes), key=lambda size: (size[0] * size[1], size))
    return {
        "smallest": "×".join(map(str, by_area[0])),
        "largest": "×".join(map(str, by_area[-1])),
        "sizes": len(by_area),
    }


def is_grey(image: Image.Image) -> bool:
    """Whether an RGB image has equal channels."""
    pixels = np.asarray(image)
    return bool((pixels == pixels[..., :1]).all())


def shortened(height: int, width: int, spec: DataSpec) -> Sequence[Shortened]:
    """Returns the loss of resolution of a picture that is larger than the spec's content box."""
    rows, columns = spec["content"]
    if height <= rows and width <= columns:
        return ()
    how, largest = f"are reduced to fit into {columns}×{rows} pixels", max(height, width)
    return [Shortened(how, "max_side", max(rows, columns), largest, is_resolution=True)]
