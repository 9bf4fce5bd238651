"""VQ-VAE for any modality with a signal: encoder, residual quantizer, decoder.

van den Oord et al. 2017 (arXiv 1711.00937); residual depths as in Zeghidour et al. 2021 (arXiv 2107.03312).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter
from torch import Tensor, nn

from modaloom.core.distributed import SINGLE_PROCESS, Distributed, Rows
from modaloom.core.errors import check_range
from modaloom.core.types import CodeShape, Loss
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import DataSpec, Limits, Modality, Shortened, Value
from modaloom.modalities.unit import fit_to_spec
from modaloom.networks import conv
from modaloom.quantizers import Grouped, Quantizer, QuantizerConfig, assemble
from modaloom.tokenizers.base import Tokenizer
from modaloom.tokenizers.global_codes import GlobalCodesEncoder
from modaloom.tokenizers.usage import CodeUsage, global_usage, is_picture, local_usage

MAX_BATCH = 256
"""Values encoded or decoded per batch."""


@dataclass(frozen=True)
class VQVAEConfig(QuantizerConfig):
    """Hyperparameters of a VQ-VAE and its quantizer."""

    code_grid: int = 4
    """Longest side of the code grid; determines the number of downsampling stages."""
    widths: tuple[int, ...] = (32, 64, 128)
    """Channels after each downsampling stage; the last entry repeats."""
    num_res_blocks: int = 1
    """Residual blocks per scale."""
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
    commitment: float = 0.25
    augment_prob: float = 0.5
    """Fraction of training signals that are augmented (for images: colours are rotated), in [0, 1]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("augment_prob", self.augment_prob, 0, 1)
        check_range("global_codes", self.global_codes, 0, self.num_quantizers - 1)


class VQVAETokenizer(Tokenizer):
    """Encoder, quantizer and decoder over the axes of a modality's signal."""

    Config = VQVAEConfig
    trainable = True

    def __init__(self, modality: Modality, spec: DataSpec, config: VQVAEConfig) -> None:
        super().__init__()
        self.modality, self.codec, self.spec, self.config = modality, modality.signal, spec, config
        channels, sides = spec["channels"], tuple(spec["size"])
        num_downsamples = max(1, math.ceil(math.log2(max(sides) / config.code_grid)))
        widths = [*config.widths, *[config.widths[-1]] * num_downsamples][:num_downsamples]
        self.encoder: nn.Module
        self.quantizer: Quantizer
        shared = 0
        kind = {"axes": len(sides), "blocks": config.num_res_blocks}
        if config.global_codes and self.codec.has_outline:
            self.encoder, parts = _global_codes_encoder(self.codec.outline, channels, widths, config, kind)
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
        cls, modality: Modality, columns: Mapping[str, Iterable[Value]], limits: Limits, options: VQVAEConfig
    ) -> list[dict[str, Self]]:
        """Create one untrained VQ-VAE per distinct spec.

        Args:
            modality: modality of all streams.
            columns: stream → values.
            limits: upper limits on the size of values.
            options: hyperparameters.
        """
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
    def vectors(self) -> Tensor:
        return self.quantizer.vectors

    def loss(
        self, batch: Tensor, generator: torch.Generator, distributed: Distributed = SINGLE_PROCESS
    ) -> Loss:
        """Packed batch (B, …) → reconstruction loss + quantizer loss, per signal value."""
        signal = self._augmented(self.codec.normalize(batch), generator, distributed.rows(len(batch)))
        quantized = self.quantizer(self._encode(signal), generator=generator, distributed=distributed)
        rebuilt = self._decode(quantized.z_q).float()
        reconstruction = distributed.mean(self.codec.loss(rebuilt, signal))
        parts = {"reconstruction": reconstruction.detach(), **quantized.stats}
        return Loss(reconstruction + quantized.loss, parts)

    def prepare(self, value: Value) -> NDArray[Any]:
        """Value → packed array."""
        return self.codec.pack(value, self.spec)

    def as_learned(self, value: Value) -> Value:
        """The value resized to fit the tokenizer's spec."""
        return fit_to_spec(self.modality, value, self.spec)

    def shortened(self, value: Value) -> Sequence[Shortened]:
        return self.modality.shortened(value, self.spec)

    @torch.no_grad()
    def encode_batch(self, batch: Tensor) -> Tensor:
        """Packed (B, …) → int64 codes (B, *grid, Q)."""
        device = next(self.parameters()).device
        parts = (
            self._encode(self.codec.normalize(part.to(device))) for part in torch.split(batch, MAX_BATCH)
        )
        return torch.cat([self.quantizer(z).codes.cpu() for z in parts])

    @torch.no_grad()
    def decode(self, codes: Tensor) -> list[Value]:
        device = next(self.parameters()).device
        values: list[Value] = []
        for part in torch.split(codes, MAX_BATCH):
            signal = self._decode(self.quantizer.decode(part.to(device))).float()
            packed = self.codec.denormalize(signal).cpu().numpy()
            values += [self.codec.unpack(one, self.spec) for one in packed]
        return values

    def code_usage(self, columns: Sequence[tuple[Tensor, Tensor]]) -> Mapping[str, CodeUsage]:
        """For images: usage of the first depth and, if there is one, of the first global depth ("tint")."""
        if not is_picture(self.spec):
            return {}
        facts = self.codec, self.spec["channels"], self.shape, 2**self.num_downsamples, columns
        return {"": local_usage(*facts), **({"tint": global_usage(*facts)} if self.shape.shared else {})}

    def state(self) -> Mapping[str, Any]:
        return {"modality": self.modality.name, "spec": self.spec, "config": asdict(self.config)}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        config = TypeAdapter(VQVAEConfig).validate_python(state["config"])
        return cls(MODALITIES[state["modality"]], dict(state["spec"]), config)

    def _augmented(self, signal: Tensor, generator: torch.Generator, rows: Rows) -> Tensor:
        if self.config.augment_prob == 0:
            return signal
        uniform_B = rows.own(torch.rand(rows.total, generator=generator))
        chosen_B = uniform_B.to(signal.device) < self.config.augment_prob
        chosen = chosen_B.reshape(-1, *[1] * (signal.ndim - 1))
        return torch.where(chosen, self.codec.augment(signal, generator, rows), signal)

    def _encode(self, signal: Tensor) -> Tensor:
        """Signal (B, C, *axes) → (B, *grid, dim), padding every axis to a multiple of the stride."""
        padded = conv.pad_to_stride(signal, 2**self.num_downsamples)
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
    """Encoder and quantizers with half of the latent channels for the outline, half for the tint."""
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
