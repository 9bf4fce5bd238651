"""The value of the video modality: frames at a fixed rate, decoded when they are asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest
from typing import Self

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadValue

Frame = NDArray[np.uint8]
"""(H, W, 3): RGB."""
MAX_FPS = 1_000
MAX_FRAMES = 1_000_000
MAX_VALUES = 2**29
"""Most bytes of frames that are in memory at once: 512 MiB."""


@dataclass(frozen=True, eq=False)
class Video:
    """A clip. Frame k is shown from k / fps seconds on.

    Raises `BadValue` for a size, length or rate that no clip has.
    """

    scan: Callable[[], Iterator[Frame]] = field(repr=False)
    """→ the frames one by one, decoded anew. To close it is to close the file. May raise `BadFile`."""
    length: int
    """True number of frames."""
    height: int
    width: int
    fps: Fraction
    """Frames a second."""

    def __post_init__(self) -> None:
        if not 1 <= self.length <= MAX_FRAMES or self.height < 1 or self.width < 1:
            raise BadValue(
                f"has {self.length:,} frames of {self.width}×{self.height} pixels; give 1 to {MAX_FRAMES:,}, "
                "not empty"
            )
        if not 0 < self.fps <= MAX_FPS:
            raise BadValue(f"claims {float(self.fps):g} frames a second; give more than 0, up to {MAX_FPS:,}")

    @classmethod
    def of(cls, frames: NDArray[np.uint8], fps: Fraction | float) -> Self:
        """A clip of an array (T, H, W, C) or (T, H, W); one channel is grey. Raises `BadValue`."""
        array = frames[..., None] if frames.ndim == 3 else frames
        if array.ndim != 4 or array.dtype != np.uint8 or array.shape[-1] not in (1, 3):
            given = f"{frames.dtype} of shape {list(frames.shape)}"
            raise BadValue(f"frames are {given}; give uint8 (T, H, W, 3), or (T, H, W) for grey")
        length, height, width, _ = array.shape
        colours = np.broadcast_to(array, (length, height, width, 3))
        return cls(lambda: iter(colours), length, height, width, Fraction(fps).limit_denominator(1001))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Video):
            return NotImplemented
        return self.facts == other.facts and all(
            np.array_equal(a, b) for a, b in zip_longest(self.scan(), other.scan())
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def facts(self) -> tuple[int, int, int, Fraction]:
        """Length, height, width and rate."""
        return self.length, self.height, self.width, self.fps

    @property
    def seconds(self) -> float:
        """Duration."""
        return float(self.length / self.fps)

    @property
    def frames(self) -> NDArray[np.uint8]:
        """All frames, uint8 (T, H, W, 3). Raises `BadValue` where they are too many for the memory."""
        if 3 * self.length * self.height * self.width > MAX_VALUES:
            raise BadValue(
                f"has {self.length:,} frames of {self.width}×{self.height} pixels, more than {MAX_VALUES:,} "
                "bytes; cut or reduce it"
            )
        return np.stack([*self.scan()])
