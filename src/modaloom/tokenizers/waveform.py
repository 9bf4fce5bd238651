"""A codec of sounds that is learned from wave to wave, as SoundStream's (Zeghidour et al. 2021, arXiv
2107.03312) and DAC's (Kumar et al. 2023, arXiv 2306.06546): strided, judged by spectrograms and a
discriminator.

It is meant for GPUs; what it reaches after a long training has not been measured.
"""

from dataclasses import dataclass, field

from modaloom.core.errors import BadValue
from modaloom.modalities.base import Modality
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.tokenizers.adversary import AdversaryConfig
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer


@dataclass(frozen=True)
class WaveformConfig(VQVAEConfig):
    """Hyperparameters of a VQ-VAE of waveforms."""

    strides: tuple[int, ...] = (512,)
    widths: tuple[int, ...] = (16, 32, 48, 64, 96, 128, 192, 256, 256)
    num_quantizers: int = 8
    dropout: float = 0.5
    loss: str = "spectral"
    crop_size: tuple[int, ...] = (8192,)
    variable_length: bool = True
    adversary: AdversaryConfig = field(
        default_factory=lambda: AdversaryConfig(
            weight=1 / 15, adaptive=False, feature_weight=2 / 15, width=16, num_layers=6
        )
    )


class WaveformTokenizer(VQVAETokenizer):
    """A VQ-VAE of the samples of a modality's values."""

    Config = WaveformConfig

    @staticmethod
    def codec_of(modality: Modality) -> SignalCodec:
        if modality.signal.waveform is None:
            raise BadValue(f"{modality.name} has no waveform; give this tokenizer to sounds alone")
        return modality.signal.waveform
