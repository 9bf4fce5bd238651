"""A VQ-VAE for any modality that has a signal: encoder, residual quantizer, decoder.

van den Oord et al. 2017 (arXiv 1711.00937); residual depths as in Zeghidour et al. 2021 (arXiv 2107.03312).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from modaloom.core.errors import check_range
from modaloom.core.types import CodeShape, Loss
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import DataSpec, Limits, Modality, Value
from modaloom.networks import conv
from modaloom.quantizers import Grouped, Quantizer, QuantizerConfig, assemble
from modaloom.tokenizers.base import Tokenizer
from modaloom.tokenizers.global_codes import GlobalCodesEncoder


@dataclass(frozen=True)
class VQVAEConfig(QuantizerConfig):
    """Sizes of a VQ-VAE, and its quantizer."""

    code_grid: int = 4
    """Longest side of the code grid; the number of halvings follows from it."""
    widths: tuple[int, ...] = (32, 64, 128)
    """Channels after each halving; the last one repeats."""
    num_res_blocks: int = 1
    """Residual blocks a scale."""
    latent_dim: int = 32
    """Width of a codebook vector."""
    quantizer: str = "vq"
    """vq | fsq | lfq | bsq."""
    codebook_size: int = 256
    """Codebook size K of every depth."""
    num_quantizers: int = 3
    """Residual depth Q: codes per position."""
    global_codes: int = 0
    """How many of a position's codes tell of the tint (a picture's colours), everywhere the same; the
    others see the outline alone, which has none. 0: every code tells of all. For modalities with an outline
    and signals of one tint."""
    commitment: float = 0.25
    augment_prob: float = 0.5
    """Share of the training signals that the modality varies (a picture's colours are turned)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("augment_prob", self.augment_prob, 0, 1)
        check_range("global_codes", self.global_codes, 0, self.num_quantizers - 1)


class VQVAETokenizer(Tokenizer):
    """Encoder → quantizer → decoder over the axes of a modality's signal."""

    Config = VQVAEConfig

    def __init__(self, modality: Modality, spec: DataSpec, config: VQVAEConfig) -> None:
        super().__init__()
        assert modality.normalize is not None, f"{modality.name} has no signal"
        self.modality, self.spec, self.config = modality, spec, config
        channels, sides = spec["channels"], tuple(spec["size"])
        num_downsamples = max(1, math.ceil(math.log2(max(sides) / config.code_grid)))
        widths = [*config.widths, *[config.widths[-1]] * num_downsamples][:num_downsamples]
        self.encoder: nn.Module
        self.quantizer: Quantizer
        shared = 0
        kind = {"axes": len(sides), "blocks": config.num_res_blocks}
        if config.global_codes and modality.outline is not None:
            self.encoder, parts = _global_codes_encoder(modality.outline, channels, widths, config, kind)
            self.quantizer, shared = Grouped(parts), parts[-1].depth
        else:
            self.encoder = conv.encoder(channels, widths, config.latent_dim, **kind)
            self.quantizer = assemble(
                config.quantizer, config.latent_dim, config.codebook_size, config.num_quantizers, config
            )
        self.decoder = conv.decoder(channels, widths, config.latent_dim, **kind)
        grid = tuple(-(-side // 2**num_downsamples) for side in sides)
        self.shape = CodeShape(grid, self.quantizer.depth, self.quantizer.codebook_sizes[0], shared)
        self.num_downsamples = num_downsamples

    @classmethod
    def fit(
        cls, modality: Modality, columns: Mapping[str, Sequence[Value]], limits: Limits, options: VQVAEConfig
    ) -> list[dict[str, Self]]:
        """One untrained VQ-VAE for every spec that occurs."""
        groups: list[dict[str, Self]] = []
        for name, values in columns.items():
            spec = modality.infer_spec(values, limits)
            group = next((g for g in groups if next(iter(g.values())).spec == spec), None)
            if group is None:
                groups.append({name: cls(modality, spec, options)})
            else:
                group[name] = next(iter(group.values()))
        return groups

    @property
    def trainable(self) -> bool:
        """True: `loss` trains it."""
        return True

    @property
    def vectors(self) -> Tensor:
        return self.quantizer.vectors

    def loss(self, packed: Tensor, generator: torch.Generator) -> Loss:
        """Packed batch → reconstruction loss + commitment, per signal value."""
        signal = self._augmented(self._signal(packed), generator)
        quantized = self.quantizer(self._encode(signal), generator=generator)
        rebuilt = self._decode(quantized.z_q).float()
        assert self.modality.loss is not None
        reconstruction = self.modality.loss(rebuilt, signal).mean()
        parts = {"reconstruction": reconstruction.detach(), **quantized.stats}
        return Loss(reconstruction + quantized.loss, parts)

    def pack(self, values: Sequence[Value]) -> np.ndarray:
        """Values → one array of the spec's packed shape, (B, …)."""
        assert self.modality.pack is not None
        return np.stack([self.modality.pack(value, self.spec) for value in values])

    def encode(self, values: Sequence[Value]) -> Tensor:
        return self.encode_packed(torch.from_numpy(self.pack(values)))

    @torch.no_grad()
    def encode_packed(self, packed: Tensor, *, batch: int = 256) -> Tensor:
        """Packed (B, …) → int64 codes (B, *grid, Q)."""
        device = next(self.parameters()).device
        parts = (self._encode(self._signal(part.to(device))) for part in torch.split(packed, batch))
        return torch.cat([self.quantizer(z).codes.cpu() for z in parts])

    @torch.no_grad()
    def decode(self, codes: Tensor, *, batch: int = 256) -> list[Value]:
        device = next(self.parameters()).device
        assert self.modality.denormalize is not None
        assert self.modality.unpack is not None
        values: list[Value] = []
        for part in torch.split(codes, batch):
            signal = self._decode(self.quantizer.decode(part.to(device))).float()
            packed = self.modality.denormalize(signal).cpu().numpy()
            values += [self.modality.unpack(one, self.spec) for one in packed]
        return values

    def state(self) -> Mapping[str, Any]:
        return {"modality": self.modality.name, "spec": self.spec, "config": asdict(self.config)}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        config = TypeAdapter(VQVAEConfig).validate_python(state["config"])
        return cls(MODALITIES[state["modality"]], dict(state["spec"]), config)

    def _signal(self, packed: Tensor) -> Tensor:
        assert self.modality.normalize is not None
        return self.modality.normalize(packed)

    def _augmented(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        if self.modality.augment is None or self.config.augment_prob == 0:
            return signal
        chosen_B = torch.rand(len(signal), generator=generator).to(signal.device) < self.config.augment_prob
        chosen = chosen_B.reshape(-1, *[1] * (signal.ndim - 1))
        return torch.where(chosen, self.modality.augment(signal, generator), signal)

    def _encode(self, signal: Tensor) -> Tensor:
        """Signal (B, C, *axes) → (B, *grid, dim), padding every axis to a multiple of the stride."""
        stride = 2**self.num_downsamples
        short = [(-side) % stride for side in reversed(signal.shape[2:])]
        padded = torch.nn.functional.pad(signal, [p for side in short for p in (0, side)], mode="replicate")
        z: Tensor = self.encoder(conv.to_channels_last(padded))
        return z.movedim(1, -1)

    def _decode(self, z: Tensor) -> Tensor:
        signal: Tensor = self.decoder(conv.to_channels_last(z.movedim(-1, 1)))
        for axis, side in enumerate(self.spec["size"], start=2):
            signal = signal.narrow(axis, 0, side)
        return signal


def _global_codes_encoder(
    outline: Callable[[Tensor], Tensor],
    channels: int,
    widths: Sequence[int],
    config: VQVAEConfig,
    kind: Mapping[str, int],
) -> tuple[GlobalCodesEncoder, list[Quantizer]]:
    """Half of the vector's channels for the outline, half for the tint."""
    global_dim = config.latent_dim // 2
    shape = config.latent_dim - global_dim
    encoder = GlobalCodesEncoder(outline, conv.encoder(1, widths, shape, **kind), channels, global_dim)
    parts = [
        assemble(config.quantizer, dim, config.codebook_size, depth, config)
        for dim, depth in (
            (shape, config.num_quantizers - config.global_codes),
            (global_dim, config.global_codes),
        )
    ]
    return encoder, parts
