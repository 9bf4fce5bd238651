"""Complete configurations by size: a preset is a function that returns a Run."""

from collections.abc import Callable

from modaloom.modalities.base import Limits
from modaloom.models.loom import LoomConfig
from modaloom.runs.config import DataConfig, Run
from modaloom.tokenizers.bpe import BPEConfig
from modaloom.tokenizers.vqvae import VQVAEConfig


def tiny() -> Run:
    """Pictures up to 32 px: minutes on two CPU cores."""
    return Run()


def small() -> Run:
    """Pictures up to 64 px: an hour on one GPU."""
    return Run(
        data=DataConfig(limits=Limits(side=64, tokens=128, bins=64)),
        vqvae=VQVAEConfig(grid=8, widths=(64, 128, 256), blocks=2, size=1024),
        bpe=BPEConfig(vocabulary=4096),
        loom=LoomConfig(width=384, depth=8, heads=6),
    )


def base() -> Run:
    """Pictures up to 128 px: a day on a few GPUs."""
    return Run(
        data=DataConfig(limits=Limits(side=128, tokens=256, bins=64)),
        vqvae=VQVAEConfig(grid=16, widths=(96, 192, 384), blocks=2, dim=64, size=4096),
        bpe=BPEConfig(vocabulary=16384),
        loom=LoomConfig(width=768, depth=12, heads=12),
    )


PRESETS: dict[str, Callable[[], Run]] = {"tiny": tiny, "small": small, "base": base}
