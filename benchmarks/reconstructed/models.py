"""Autoencoders at one stride: the VQ-VAE with several losses, and those of diffusers."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from budget import Budget, Descent
from diffusers import AutoencoderKL, VQModel
from torch import Tensor, nn

from modaloom.core.rng import generator
from modaloom.modalities import IMAGE
from modaloom.networks.conv import channels_last
from modaloom.runs.config import OptimizerConfig
from modaloom.runs.config_io import changed
from modaloom.runs.schedule import trapezoid
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Stage, Training, Turn, train
from modaloom.training.pace import Pacer, measure_pace
from reconstructed.data import Data

TOKENIZER = OptimizerConfig(learning_rate=3e-3)
FIRST_BATCHES = 40
"""Batches that a VQ-VAE starts from."""
STRIDE = 8
"""Pixels per code along each axis."""
SHARED = {"strides": [STRIDE, STRIDE], "codebook_size": 1024, "num_quantizers": 3}
VARIANTS: Mapping[str, Mapping[str, object]] = {
    "mse": {},
    "mse, 14 bits": {"codebook_size": 128, "num_quantizers": 2},
    "mse, random start": {"linear_start": False},
    "l1": {"loss": "l1"},
    "laplacian": {"loss": "laplacian"},
    "perceptual": {"adversary.feature_weight": 1.0, "adversary.start": 0.3},
    "adversarial": {"adversary.weight": 0.3, "adversary.feature_weight": 1.0, "adversary.start": 0.3},
}
"""Name → settings of the VQ-VAE."""
KL_WEIGHT = 1e-6
"""Of the nats of the latents, as in latent diffusion (Rombach et al. 2021, arXiv 2112.10752)."""
EXTRA: Mapping[str, Mapping[str, object]] = {
    "kl": {},
    "vq": {"num_vq_embeddings": 16384, "vq_embed_dim": 8},
}
"""One codebook of 14 bits."""


class Ours(nn.Module):
    """The VQ-VAE with some settings."""

    def __init__(self, data: Data, settings: Mapping[str, object]) -> None:
        super().__init__()
        spec = {"size": [data.side] * 2, "content": [data.side] * 2, "channels": 3}
        config = changed(VQVAEConfig(), [*SHARED.items(), *settings.items()])
        self.tokenizer = VQVAETokenizer(IMAGE, spec, config)

    def fit(self, data: Data, seconds: float, accelerator: Accelerator, seed: int) -> int:
        """Train as a run's stage does; returns the number of steps."""
        first = [data.batch(data.size, generator(seed, "begin", i))[0] for i in range(FIRST_BATCHES)]
        self.tokenizer.begin(torch.cat(first))
        objective = self.tokenizer.objective()
        channels_last(self.tokenizer)
        turns = [
            Turn(name, o.module, o.loss, OptimizerConfig(learning_rate=o.learning_rate), o.start)
            for name, o in objective.opponents.items()
        ]
        stage = Stage(
            "image",
            self.tokenizer,
            lambda step: data.batch(data.size, generator(seed, "batch", step))[0],
            objective.loss,
            TOKENIZER,
            data.size,
            turns=turns,
        )
        pace = measure_pace(stage, accelerator, 0.02 * seconds, seed=seed)
        schedule = trapezoid(max(10, int(seconds / pace)), warmup=TOKENIZER.warmup, decay=TOKENIZER.decay)
        training, pacer = Training(stage, accelerator, schedule, seed=seed, ema=0.999), Pacer(seconds, pace)
        for _ in train(training):
            training.schedule = pacer.refit(training.schedule, training.step, decay=TOKENIZER.decay)
        self.tokenizer.load_state_dict(training.ema.tensors)
        self.tokenizer.eval()
        return training.step

    def rebuild(self, picture: Tensor) -> Tensor:
        """uint8 (3, H, W) → the same, through the codes, at any size."""
        size = list(picture.shape[1:])
        spec = {"size": size, "content": size, "channels": 3}
        fitted = VQVAETokenizer(IMAGE, spec, self.tokenizer.config).eval()
        fitted.load_state_dict(self.tokenizer.state_dict())
        (rebuilt,) = fitted.decode(fitted.encode_batch(picture[None]))
        return torch.from_numpy(np.array(rebuilt)).permute(2, 0, 1)


class Theirs(nn.Module):
    """An autoencoder of diffusers, of about as many parameters, at the same stride."""

    def __init__(self, data: Data, kind: str) -> None:
        super().__init__()
        halvings = STRIDE.bit_length()
        shape = {
            "down_block_types": ("DownEncoderBlock2D",) * halvings,
            "up_block_types": ("UpDecoderBlock2D",) * halvings,
            "block_out_channels": (16, 32, *[48] * (halvings - 2)),
            "layers_per_block": 1,
            "norm_num_groups": 8,
            "latent_channels": 4 if kind == "kl" else 32,
        }
        self.kind, self.net = kind, {"kl": AutoencoderKL, "vq": VQModel}[kind](**shape, **EXTRA[kind])

    def fit(self, data: Data, seconds: float, accelerator: Accelerator, seed: int) -> int:
        """Train with AdamW; returns the number of steps."""
        self.to(memory_format=torch.channels_last)

        def loss(random: torch.Generator) -> Tensor:
            signal = IMAGE.signal.normalize(data.batch(data.size, random)[0])
            rebuilt, extra = self._forward(signal, random)
            return F.mse_loss(rebuilt.float(), signal) + extra

        descent = Descent(bf16=accelerator.precision == "bf16")
        return len(descent.run(self, loss, Budget(seconds), seed=seed))

    def _forward(self, signal: Tensor, random: torch.Generator | None) -> tuple[Tensor, Tensor]:
        if self.kind == "kl":
            posterior = self.net.encode(signal).latent_dist
            latent = posterior.mode() if random is None else posterior.sample(random)
            return self.net.decode(latent).sample, KL_WEIGHT * posterior.kl().mean() / signal[0].numel()
        made = self.net.decode(self.net.encode(signal).latents)
        return made.sample, made.commit_loss.mean()

    @torch.no_grad()
    def rebuild(self, picture: Tensor) -> Tensor:
        """uint8 (3, H, W) → the same."""
        height, width = picture.shape[1:]
        padding = (0, -width % STRIDE, 0, -height % STRIDE)
        signal = F.pad(IMAGE.signal.normalize(picture[None]), padding, mode="replicate")
        return IMAGE.signal.denormalize(self._forward(signal, None)[0][..., :height, :width].float())[0]


MODELS: Mapping[str, Callable[[Data], "Ours | Theirs"]] = {
    **{name: partial(Ours, settings=settings) for name, settings in VARIANTS.items()},
    "diffusers VQModel": partial(Theirs, kind="vq"),
    "diffusers AutoencoderKL": partial(Theirs, kind="kl"),
}
