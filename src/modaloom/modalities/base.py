"""The Modality value: everything that is special about a kind of data, in one place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

Value = Any
"""What users hold: a PIL image, a str, a dict."""

DataSpec = dict[str, Any]
"""JSON-able facts measured on training data that fix a modality's packed shape.

Packed specs have `size`, the lengths of their axes; those with a signal also have `channels`.
"""


@dataclass(frozen=True)
class Limits:
    """What a preset allows; sizes follow the data up to these."""

    max_side: int = 32
    """Longest side of an image, pixels."""
    max_tokens: int = 64
    """Longest text, tokens."""
    max_bins: int = 32
    """Quantile bins of a number."""


@dataclass(frozen=True)
class Modality:
    """How a kind of data is read, written, shown, compared and reconstructed."""

    name: str
    suffixes: tuple[str, ...]
    """Lower case, without the dot; the first one is written."""
    tokenizer: str
    """Its entry in TOKENIZERS."""
    read: Callable[[Path], Value]
    """File → value. Raises `BadFile`."""
    write: Callable[[Value, Path], None]
    """Value → file. The same value gives the same bytes."""
    parse: Callable[[str], Value]
    """A command-line or table value → value: literal for text, a path for most. Raises `ModaloomError`."""
    infer_spec: Callable[[Sequence[Value], Limits], DataSpec]
    """Training values → spec."""
    compare: Callable[[Value, Value, DataSpec], Mapping[str, float]]
    """(generated, truth, spec) → figures by metric name; the spec knows the units of a number."""
    to_html: Callable[[Value], str]
    """An HTML fragment that shows the value, with no external reference."""
    pack: Callable[[Value, DataSpec], np.ndarray] | None = None
    """Value → array of the spec's fixed shape and dtype, for caches. None: the tokenizer takes values."""
    unpack: Callable[[np.ndarray, DataSpec], Value] | None = None
    """The inverse of pack, up to the spec's loss."""
    to_array: Callable[[Value], np.ndarray] | None = None
    """Value → packed array (C, *axes) at its own size, whatever the spec. None: there is no signal."""
    from_array: Callable[[np.ndarray], Value] | None = None
    """The inverse of `to_array`."""
    normalize: Callable[[Tensor], Tensor] | None = None
    """Packed batch → float32 (B, C, *axes) in [-1, 1]: what a VQ-VAE sees. None: already discrete."""
    denormalize: Callable[[Tensor], Tensor] | None = None
    """The inverse of `normalize`, rounding and clipping."""
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None
    """Signal → one that might as well occur: what a tokenizer should be able to rebuild, too."""
    outline: Callable[[Tensor], Tensor] | None = None
    """Signal → (B, 1, *axes), the same for all that differ in their tint alone (a picture's colours)."""
    loss: Callable[[Tensor, Tensor], Tensor] | None = None
    """(reconstruction, signal) → (B,) reconstruction loss."""
    vocab_size: Callable[[DataSpec], int] | None = None
    """For discrete modalities: the number of values that a packed position can take."""
    describe: Callable[[Iterable[Value]], Mapping[str, Any]] | None = None
    """Values, read one by one → JSON-able facts for people (ranges, lengths); what `inspect` prints."""
