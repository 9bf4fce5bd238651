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
from modaloom.modalities.base import Form, Limits, Modality, Value
from modaloom.networks import conv
from modaloom.quantizers import Grouped, Options, Quantizer, assemble
from modaloom.tokenizers.base import Tokenizer
from modaloom.tokenizers.tinted import Tinted


@dataclass(frozen=True)
class VQVAEConfig(Options):
    """Sizes of a VQ-VAE, and its quantizer."""

    grid: int = 4
    """Longest side of the code grid; the number of halvings follows from it."""
    widths: tuple[int, ...] = (32, 64, 128)
    """Channels after each halving; the last one repeats."""
    blocks: int = 1
    """Residual blocks a scale."""
    dim: int = 32
    """Width of a codebook vector."""
    quantizer: str = "vq"
    """vq | fsq | lfq | bsq."""
    size: int = 256
    """Codebook size K of every depth."""
    depth: int = 3
    """Residual depth Q: codes per position."""
    tint: int = 0
    """How many of a position's codes tell of the tint (a picture's colours), everywhere the same; the
    others see the outline alone, which has none. 0: every code tells of all. For modalities with an outline
    and signals of one tint."""
    commitment: float = 0.25
    varied: float = 0.5
    """Share of the training signals that the modality varies (a picture's colours are turned)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("varied", self.varied, 0, 1)
        check_range("tint", self.tint, 0, self.depth - 1)


class VQVAE(Tokenizer):
    """Encoder → quantizer → decoder over the axes of a modality's signal."""

    def __init__(self, modality: Modality, form: Form, config: VQVAEConfig) -> None:
        super().__init__()
        assert modality.signal is not None, f"{modality.name} has no signal"
        self.modality, self.form, self.config = modality, form, config
        channels, sides = form["channels"], tuple(form["size"])
        halvings = max(1, math.ceil(math.log2(max(sides) / config.grid)))
        widths = [*config.widths, *[config.widths[-1]] * halvings][:halvings]
        self.encoder: nn.Module
        self.quantizer: Quantizer
        shared = 0
        kind = {"axes": len(sides), "blocks": config.blocks}
        if config.tint and modality.outline is not None:
            self.encoder, parts = _tinted(modality.outline, channels, widths, config, kind)
            self.quantizer, shared = Grouped(parts), parts[-1].depth
        else:
            self.encoder = conv.encoder(channels, widths, config.dim, **kind)
            self.quantizer = assemble(config.quantizer, config.dim, config.size, config.depth, config)
        self.decoder = conv.decoder(channels, widths, config.dim, **kind)
        grid = tuple(-(-side // 2**halvings) for side in sides)
        self.shape = CodeShape(grid, self.quantizer.depth, self.quantizer.codebook_sizes[0], shared)
        self.halvings = halvings

    @classmethod
    def fit(
        cls, modality: Modality, columns: Mapping[str, Sequence[Value]], limits: Limits, options: VQVAEConfig
    ) -> list[dict[str, Self]]:
        """One untrained VQ-VAE for every form that occurs."""
        groups: list[dict[str, Self]] = []
        for name, values in columns.items():
            form = modality.measure(values, limits)
            group = next((g for g in groups if next(iter(g.values())).form == form), None)
            if group is None:
                groups.append({name: cls(modality, form, options)})
            else:
                group[name] = next(iter(group.values()))
        return groups

    @property
    def learned(self) -> bool:
        """True: `loss` trains it."""
        return True

    @property
    def vectors(self) -> Tensor:
        return self.quantizer.vectors

    def loss(self, packed: Tensor, generator: torch.Generator) -> Loss:
        """Packed batch → reconstruction loss + commitment, per signal value."""
        signal = self._varied(self._signal(packed), generator)
        quantized = self.quantizer(self._encode(signal), generator=generator)
        rebuilt = self._decode(quantized.z_q).float()
        assert self.modality.loss is not None
        reconstruction = self.modality.loss(rebuilt, signal).mean()
        parts = {"reconstruction": reconstruction.detach(), **quantized.stats}
        return Loss(reconstruction + quantized.loss, parts)

    def pack(self, values: Sequence[Value]) -> np.ndarray:
        """Values → one array of the form's packed shape, (B, …)."""
        assert self.modality.pack is not None
        return np.stack([self.modality.pack(value, self.form) for value in values])

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
        assert self.modality.packed is not None
        assert self.modality.unpack is not None
        values: list[Value] = []
        for part in torch.split(codes, batch):
            signal = self._decode(self.quantizer.decode(part.to(device))).float()
            packed = self.modality.packed(signal).cpu().numpy()
            values += [self.modality.unpack(one, self.form) for one in packed]
        return values

    def state(self) -> Mapping[str, Any]:
        return {"modality": self.modality.name, "form": self.form, "config": asdict(self.config)}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        config = TypeAdapter(VQVAEConfig).validate_python(state["config"])
        return cls(MODALITIES[state["modality"]], dict(state["form"]), config)

    def _signal(self, packed: Tensor) -> Tensor:
        assert self.modality.signal is not None
        return self.modality.signal(packed)

    def _varied(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        if self.modality.vary is None or self.config.varied == 0:
            return signal
        chosen_B = torch.rand(len(signal), generator=generator).to(signal.device) < self.config.varied
        chosen = chosen_B.reshape(-1, *[1] * (signal.ndim - 1))
        return torch.where(chosen, self.modality.vary(signal, generator), signal)

    def _encode(self, signal: Tensor) -> Tensor:
        """Signal (B, C, *axes) → (B, *grid, dim), padding every axis to a multiple of the stride."""
        stride = 2**self.halvings
        short = [(-side) % stride for side in reversed(signal.shape[2:])]
        padded = torch.nn.functional.pad(signal, [p for side in short for p in (0, side)], mode="replicate")
        z: Tensor = self.encoder(conv.memory_format(padded))
        return z.movedim(1, -1)

    def _decode(self, z: Tensor) -> Tensor:
        signal: Tensor = self.decoder(conv.memory_format(z.movedim(-1, 1)))
        for axis, side in enumerate(self.form["size"], start=2):
            signal = signal.narrow(axis, 0, side)
        return signal


def _tinted(
    outline: Callable[[Tensor], Tensor],
    channels: int,
    widths: Sequence[int],
    config: VQVAEConfig,
    kind: Mapping[str, int],
) -> tuple[Tinted, list[Quantizer]]:
    """Half of the vector's channels for the outline, half for the tint."""
    tint = config.dim // 2
    shape = config.dim - tint
    encoder = Tinted(outline, conv.encoder(1, widths, shape, **kind), channels, tint)
    parts = [
        assemble(config.quantizer, dim, config.size, depth, config)
        for dim, depth in ((shape, config.depth - config.tint), (tint, config.tint))
    ]
    return encoder, parts
