"""EnCodec's encoder and decoder around our quantizer, trained on waveforms from a random start.

Défossez et al. 2022 (arXiv 2210.13438), in the implementation of transformers, whose own codebooks are
buffers of zeros that nothing trains. Losses: L1 of the waveform, L1 of log magnitudes at three windows.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from budget import Budget, Descent
from torch import Tensor, nn
from transformers import EncodecConfig, EncodecModel

from coded.hearing import Samples
from modaloom.modalities.audio_value import Audio
from modaloom.quantizers import QuantizerConfig, assemble

RATIOS = (8, 5, 4, 4)
"""640 samples a position: 25 positions a second at 16 kHz, as ours."""
CODEBOOK, DEPTH, DROPOUT = 256, 8, 0.5
FILTERS = 6
"""Of the first layer: about as many parameters as ours."""
WINDOWS = (256, 512, 1024)
SECONDS, BATCH = 1.28, 16
"""Of a crop, crops a step."""
FLOOR = 1e-5


class Encodec(nn.Module):
    """Waveforms (B, 1, n) through 8 codes of 256 at 25 positions a second."""

    def __init__(self) -> None:
        super().__init__()
        config = EncodecConfig(
            sampling_rate=16000, upsampling_ratios=[*RATIOS], num_filters=FILTERS, norm_type="weight_norm"
        )
        whole = EncodecModel(config)
        self.encoder, self.decoder = whole.encoder, whole.decoder
        options = QuantizerConfig(commitment=0.25, dropout=DROPOUT)
        self.quantizer = assemble("vq", config.hidden_size, CODEBOOK, DEPTH, options)

    def fit(self, sounds: Sequence[Audio], seconds: float, seed: int) -> int:
        """Train on random crops; returns the number of steps."""
        n = round(SECONDS * 16000)
        waves = [torch.from_numpy(np.pad(s.samples[0], (0, max(0, n - s.samples.shape[1])))) for s in sounds]

        def crop(random: torch.Generator) -> Tensor:
            wave = waves[int(torch.randint(len(waves), (), generator=random))]
            start = int(torch.randint(len(wave) - n + 1, (), generator=random))
            return wave[start : start + n]

        def loss(random: torch.Generator) -> Tensor:
            truth = torch.stack([crop(random) for _ in range(BATCH)])[:, None]
            quantized = self.quantizer(self.encoder(truth).movedim(1, -1).float(), generator=random)
            made = self.decoder(quantized.z_q.movedim(-1, 1))[..., :n].float()
            return F.l1_loss(made, truth) + spectral_loss(made, truth) + quantized.loss

        return len(Descent(rate=1e-3).run(self, loss, Budget(seconds), seed=seed))

    @torch.no_grad()
    def through(self, sound: Audio, depth: int) -> Samples:
        """With the first codes only."""
        wave = torch.from_numpy(sound.samples[:1])[None]
        codes = self.quantizer(self.encoder(wave).movedim(1, -1)).codes[..., :depth]
        made = self.decoder(self.quantizer.decode(codes).movedim(-1, 1))
        samples: Samples = made[0, 0, : wave.shape[-1]].numpy()
        return samples


def spectral_loss(made: Tensor, truth: Tensor) -> Tensor:
    """Mean L1 of log magnitudes over the windows, in bels."""
    total = made.new_zeros(())
    for window in WINDOWS:
        hann = torch.hann_window(window)
        near, far = (
            torch.stft(x[:, 0], window, window // 4, window=hann, return_complex=True).abs()
            for x in (made, truth)
        )
        total = total + F.l1_loss(near.clamp_min(FLOOR).log10(), far.clamp_min(FLOOR).log10())
        total = total + F.l1_loss(near, far)
    return total / len(WINDOWS)
