"""Clipping: all above a level, and below its negative, is lost."""

from torch import Tensor


def clip(signal: Tensor, *, level: float) -> Tensor:
    """Signals of any shape, 0 in the middle: magnitudes up to `level` times the largest stay."""
    most = float(level * signal.abs().max())
    return signal.clamp(-most, most)


def clipped(signal: Tensor) -> tuple[Tensor, Tensor]:
    """bool, twice: where a signal is at its top, and at its bottom; nowhere if it is constant."""
    top, bottom = signal.max(), signal.min()
    return (signal == top) & (top > bottom), (signal == bottom) & (top > bottom)
