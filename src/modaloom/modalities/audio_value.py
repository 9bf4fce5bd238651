"""The value of the audio modality: samples, their rate, and the type that a file holds them in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadValue

Samples = NDArray[np.float32]
"""(channels, n), in [-1, 1]; channels as in wav files: left, right, centre, low, rear left, rear right."""
BITS: Mapping[str, int] = {"int16": 16, "int24": 24, "float32": 24}
"""Type → bits; floats are written with 24 where a format has none."""
MIN_RATE, MAX_RATE = 1_000, 768_000
MAX_CHANNELS = 8


def peak(samples: Samples) -> float:
    """The largest magnitude, NaN if there is one; without a copy of the samples."""
    return float(np.maximum(samples.max(), -samples.min()))


@dataclass(frozen=True, eq=False)
class Audio:
    """A sound.

    Raises `BadValue` for samples of another shape or type, outside of [-1, 1], NaN or none, and for rates and
    types that no sound has.
    """

    samples: Samples = field(repr=False)
    rate: int
    """Samples a second of each channel, in Hz."""
    type: str = "int16"
    """What it is written as: int16, int24 or float32."""

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            given = f"{self.samples.dtype} of shape {list(self.samples.shape)}"
            raise BadValue(f"samples are {given}; give float32 (channels, n)")
        channels, n = self.samples.shape
        if not n or not 1 <= channels <= MAX_CHANNELS:
            given = f"has {channels} channels of {n} samples"
            raise BadValue(f"{given}; give (channels, n), at most {MAX_CHANNELS} channels, not empty")
        if not MIN_RATE <= self.rate <= MAX_RATE:
            raise BadValue(f"claims {self.rate:,} samples a second; give {MIN_RATE:,} to {MAX_RATE:,}")
        if self.type not in BITS:
            raise BadValue(f"type is {self.type}; give one of {', '.join(BITS)}")
        if not np.isfinite(peak(self.samples)):
            bad = int((~np.isfinite(self.samples)).sum())
            raise BadValue(f"has {bad:,} samples that are NaN or infinite")
        if peak(self.samples) > 1:
            raise BadValue(f"has samples up to {peak(self.samples):g}; scale them to -1 to 1")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Audio):
            return NotImplemented
        same = (self.rate, self.type) == (other.rate, other.type)
        return same and np.array_equal(self.samples, other.samples)

    __hash__ = None  # type: ignore[assignment]

    @property
    def channels(self) -> int:
        """Number of channels."""
        return len(self.samples)

    @property
    def seconds(self) -> float:
        """Duration."""
        n: int = self.samples.shape[1]
        return n / self.rate

    @property
    def integers(self) -> NDArray[np.int32]:
        """The samples in steps of 2^(1 − bits), rounded; what was read from as many bits is exact."""
        steps = 2 ** (BITS[self.type] - 1)
        rounded = np.round(self.samples.astype(np.float64) * steps).clip(-steps, steps - 1)
        whole: NDArray[np.int32] = rounded.astype(np.int32)
        return whole
