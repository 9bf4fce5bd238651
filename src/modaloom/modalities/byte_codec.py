"""Texts as signals of one axis: at each position a byte of their UTF-8, after the last one their end.

A signal is one-hot over 256 bytes and the end; a decoder makes logits of it, whose loss is the cross-entropy.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from modaloom.modalities.codec import DataSpec
from modaloom.modalities.signal_codec import SignalCodec

END, NUM_SYMBOLS = 256, 257
INVALID = "\ufffd"
"""What bytes that are no character are decoded to."""

Packed = NDArray[np.int16]
"""(1, n), each 0 to `END`."""


def to_array(text: str) -> Packed:
    """Text → its bytes and their end."""
    return np.append(np.frombuffer(text.encode(), np.uint8).astype(np.int16), np.int16(END))[None]


def pack(text: str, spec: DataSpec) -> Packed:
    """Text → its bytes and their end, no more than the spec's size."""
    return to_array(text)[:, : spec["size"][0]]


def unpack(packed: Packed, spec: DataSpec) -> str:
    """The inverse: the text before the first end; bytes that are no UTF-8 become �.

    A text without an end was cut, and ends with its last whole character.
    """
    (ends,) = np.nonzero(packed[0] == END)
    data = packed[0, : ends[0] if len(ends) else None].astype(np.uint8)
    text = data.tobytes().decode(errors="replace")
    return text if len(ends) else text.removesuffix(INVALID)


def normalize(packed: Tensor) -> Tensor:
    """int16 (B, 1, n) → one-hot float32 (B, `NUM_SYMBOLS`, n)."""
    return F.one_hot(packed[:, 0].long(), NUM_SYMBOLS).movedim(-1, 1).float()


def denormalize(signal: Tensor) -> Tensor:
    """Logits (B, `NUM_SYMBOLS`, n) → the likeliest, int16 (B, 1, n)."""
    return signal.argmax(1, keepdim=True).to(torch.int16)


def cross_entropy(logits: Tensor, signal: Tensor) -> Tensor:
    """Logits and one-hot (B, `NUM_SYMBOLS`, n) → nats per position (B,)."""
    return -(signal * logits.log_softmax(1)).sum(1).mean(1)


def relative_cross_entropy(logits: Tensor, signal: Tensor) -> Tensor:
    """The cross-entropy as a fraction of the entropy of the symbols, which is that of the best constant."""
    entropy: Tensor = torch.special.entr(signal.mean((0, 2))).sum()
    return cross_entropy(logits, signal).mean() / entropy.clamp_min(1e-12)


BYTES = SignalCodec(
    pack=pack,
    unpack=unpack,
    to_array=to_array,
    from_array=unpack,
    normalize=normalize,
    denormalize=denormalize,
    loss=cross_entropy,
    relative_error=relative_cross_entropy,
    axes=1,
)
