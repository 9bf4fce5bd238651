"""Hyperparameters of a VQ-VAE."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from modaloom.core.errors import BadValue, check_choice, check_range
from modaloom.quantizers import QuantizerConfig
from modaloom.tokenizers.adversary import AdversaryConfig
from modaloom.tokenizers.losses import LOSSES


@dataclass(frozen=True)
class VQVAEConfig(QuantizerConfig):
    """Hyperparameters of a VQ-VAE and its quantizer."""

    any_stride: ClassVar[bool] = False
    """Whether strides may be other numbers than powers of two."""
    code_grid: int = 4
    """Longest side of the code grid; determines a stride for all axes, if `strides` is empty."""
    strides: tuple[int, ...] = ()
    """Positions per code along each axis, powers of two, such as [4, 8, 8] for frames of pictures. An axis
    with a smaller stride is halved in the last stages alone. Empty: one stride, by `code_grid`."""
    widths: tuple[int, ...] = (32, 64, 128)
    """Channels after each downsampling stage; the last entry repeats."""
    num_res_blocks: int = 1
    """Residual blocks per scale."""
    causal: bool = False
    """Whether, along the first axis, a code depends on nothing that comes after it, and what is decoded on
    no later code; not with global codes."""
    latent_dim: int = 32
    """Dimension of a codebook vector."""
    quantizer: str = "vq"
    """vq | fsq | lfq | bsq."""
    codebook_size: int = 256
    """Codebook size K of each depth."""
    num_quantizers: int = 3
    """Residual depth Q: codes per position."""
    global_codes: int = 0
    """Number of depths with global codes, shared by all positions, which encode the tint (an image's
    colours); the other depths encode the outline, which has no tint. 0: all codes are local and
    encode both. In [0, num_quantizers − 1]; ignored for modalities without an outline."""
    linear_start: bool = True
    """Whether encoder and decoder have a linear path beside them that starts as the principal components of
    the training patches; not with global codes, nor for patches of more than 4,096 numbers."""
    commitment: float = 0.25
    loss: str = ""
    """Reconstruction loss, an entry of `LOSSES`; empty: the modality's own."""
    crop_size: tuple[int, ...] = ()
    """Sides of the random crops that training sees, multiples of the strides, one per axis; an axis that is
    not longer is kept whole. Empty: whole values."""
    variable_length: bool = False
    """Whether the first axis is a length of which every value has its own; needs `crop_size`."""
    exact_length: bool = False
    """Whether a value of variable length keeps its own number of positions: how many its last code has beyond
    its end is one more code, shared by all positions. Otherwise it ends with its last code."""
    adversary: AdversaryConfig = field(default_factory=AdversaryConfig)
    """A discriminator, and a perceptual loss on its activations."""
    augment_prob: float = 0.5
    """Fraction of training signals that are augmented (for images: colours are rotated), in [0, 1]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss:
            check_choice("loss", self.loss, LOSSES)
        sizes = {"latent_dim": self.latent_dim, "codebook_size": self.codebook_size}
        for name, size in {**sizes, "num_quantizers": self.num_quantizers}.items():
            check_range(name, size, 1)
        check_range("num_res_blocks", self.num_res_blocks, 0)
        if not self.widths or min(self.widths) < 1:
            raise BadValue(f"widths is {list(self.widths)}; give the channels of each stage, at least 1")
        check_range("augment_prob", self.augment_prob, 0, 1)
        check_range("global_codes", self.global_codes, 0, self.num_quantizers - 1)
        powers = self.any_stride or all(n > 0 and n.bit_count() == 1 for n in self.strides)
        if self.strides and (not powers or max(self.strides) == 1):
            raise BadValue(
                f"strides is {list(self.strides)}; give a power of two for each axis, not all of them 1"
            )
        if self.variable_length and not self.crop_size:
            raise BadValue("values of variable_length are trained on crops; give crop_size")
        if self.exact_length and not self.variable_length:
            raise BadValue("exact_length is of values of variable_length; set that, too")
        if self.causal and self.global_codes:
            raise BadValue("global_codes describe a whole signal; leave out either them or causal")
        if self.crop_size and self.global_codes:
            raise BadValue("global_codes describe a whole signal; leave out either them or crop_size")

    def strides_of(self, sides: Sequence[int]) -> tuple[int, ...]:
        """Positions per code along each axis of a signal. Raises `BadValue` for another number of axes."""
        if self.strides:
            _check_axes("strides", self.strides, sides)
            return self.strides
        num_downsamples = max(1, math.ceil(math.log2(max(sides) / self.code_grid)))
        return (2**num_downsamples,) * len(sides)

    def check_length(self, strides: Sequence[int]) -> None:
        """Raise `BadValue` unless a code tells the positions that the last code has beyond a value's end."""
        if self.exact_length and strides[0] > self.codebook_size:
            raise BadValue(
                f"exact_length needs a codebook_size of at least the first stride, {strides[0]}; it is "
                f"{self.codebook_size}"
            )

    def check_crop(self, strides: Sequence[int]) -> None:
        """Raise `BadValue` unless the crops, if any, are positive multiples of the strides."""
        if not self.crop_size:
            return
        _check_axes("crop_size", self.crop_size, strides)
        if any(side < 1 or side % stride for side, stride in zip(self.crop_size, strides)):
            raise BadValue(
                f"crop_size is {list(self.crop_size)}; give positive multiples of the strides {list(strides)}"
            )


def _check_axes(name: str, given: Sequence[int], sides: Sequence[int]) -> None:
    """Raise `BadValue` unless an option has one number per axis of the signal."""
    if len(given) != len(sides):
        raise BadValue(f"{name} is {list(given)}; signals of {len(sides)} axes need {len(sides)} numbers")
