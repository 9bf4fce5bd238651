"""Complete configurations by size: a preset is a function that returns a Run."""

from collections.abc import Callable

from modaloom.loom.loom import LoomConfig
from modaloom.modalities.base import Limits
from modaloom.runs.config import DataConfig, Run
from modaloom.tokenizers.bpe import BPEConfig
from modaloom.tokenizers.vqvae import VQVAEConfig


def tiny() -> Run:
    """Pictures up to 32 px: minutes on two CPU cores."""
    return Run()


def small() -> Run:
    """Pictures up to 64 px: an hour on one GPU."""
    return Run(
        data=DataConfig(limits=Limits(max_side=64, max_tokens=128, max_bins=64)),
        vqvae=VQVAEConfig(code_grid=8, widths=(64, 128, 256), num_res_blocks=2, codebook_size=1024),
        bpe=BPEConfig(vocab_size=4096),
        loom=LoomConfig(width=384, num_layers=8, num_heads=6),
    )


def base() -> Run:
    """Pictures up to 128 px: a day on a few GPUs."""
    return Run(
        data=DataConfig(limits=Limits(max_side=128, max_tokens=256, max_bins=64)),
        vqvae=VQVAEConfig(
            code_grid=16, widths=(96, 192, 384), num_res_blocks=2, latent_dim=64, codebook_size=4096
        ),
        bpe=BPEConfig(vocab_size=16384),
        loom=LoomConfig(width=768, num_layers=12, num_heads=12),
    )


PRESETS: dict[str, Callable[[], Run]] = {"tiny": tiny, "small": small, "base": base}
