"""VQ-VAE for any modality with a signal: encoder, residual quantizer, decoder.

van den Oord et al. 2017 (arXiv 1711.00937); residual depths as in Zeghidour et al. 2021 (arXiv 2107.03312).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self, cast

import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter
from torch import Tensor

from modaloom.core.distributed import SINGLE_PROCESS, Distributed, Rows
from modaloom.core.graph import Graph
from modaloom.core.types import CodeShape, Loss
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import VARIABLE, DataSpec, Limits, Modality, Shortened, Value
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.modalities.unit import fit_to_spec
from modaloom.networks.autoencoder import silence
from modaloom.networks.conv import cut_to, pad_to_stride, to_channels_last
from modaloom.networks.linear_path import MAX_PATCH, LinearPath
from modaloom.networks.tiled import TiledSequential
from modaloom.tokenizers.adversary import Adversary
from modaloom.tokenizers.base import Objective, Opponent, Tokenizer
from modaloom.tokenizers.crops import lengthened, random_crop
from modaloom.tokenizers.file_codec import Blocks, FileCodec
from modaloom.tokenizers.lengths import encode_lengths, mark_ends, split_lengths, with_end, without_end
from modaloom.tokenizers.losses import LOSSES
from modaloom.tokenizers.parts import Part, patches, stretches
from modaloom.tokenizers.signal_graphs import signal_graphs
from modaloom.tokenizers.spans import Span, cells_within
from modaloom.tokenizers.usage import CodeUsage, usages
from modaloom.tokenizers.vqvae_config import VQVAEConfig
from modaloom.tokenizers.vqvae_networks import build_networks

__all__ = ["VQVAEConfig", "VQVAETokenizer"]

MAX_BATCH = 256
"""Values encoded or decoded per batch."""


@dataclass(frozen=True)
class _Reconstruction:
    """A training batch and what became of it."""

    signal: Tensor
    """float32 (B, C, *axes), augmented."""
    rebuilt: Tensor
    """float32 (B, C, *axes), with gradient."""
    error: Tensor
    """Reconstruction loss, a scalar."""
    loss: Loss
    """Reconstruction loss + quantizer loss."""


class VQVAETokenizer(Tokenizer):
    """Encoder, quantizer and decoder over the axes of a modality's signal."""

    Config = VQVAEConfig
    trainable = True
    networks = staticmethod(build_networks)
    pad = staticmethod(pad_to_stride)

    def __init__(self, modality: Modality, spec: DataSpec, config: VQVAEConfig) -> None:
        super().__init__()
        self.modality, self.codec, self.spec, self.config = modality, self.codec_of(modality), spec, config
        self.channels, self.sides = channels, sides = self.codec.shape(spec)
        self.signal_loss = LOSSES[config.loss] if config.loss else self.codec.loss
        self.strides = config.strides_of(sides)
        config.check_crop(self.strides)
        config.check_length(self.strides)
        made = self.networks(self.codec, channels, self.strides, config)
        self.encoder, self.quantizer, self.decoder = made.encoder, made.quantizer, made.decoder
        patch = channels * math.prod(self.strides)
        with_path = config.linear_start and not made.shared and patch <= MAX_PATCH
        self.linear = LinearPath(channels, config.latent_dim, self.strides) if with_path else None
        grid = tuple(-(-side // stride) for side, stride in zip(sides, self.strides))
        ends = int(config.exact_length)
        depth, size = self.quantizer.depth + ends, self.quantizer.codebook_sizes[0]
        self.shape = CodeShape(grid, depth, size, made.shared + ends, config.variable_length)

    @staticmethod
    def codec_of(modality: Modality) -> SignalCodec:
        """The codec of the signals that are encoded. Raises `BadValue` if the modality has none."""
        return modality.signal

    @classmethod
    def fit(
        cls, modality: Modality, columns: Mapping[str, Iterable[Value]], limits: Limits, options: VQVAEConfig
    ) -> list[dict[str, Self]]:
        """Create one untrained VQ-VAE per distinct spec."""
        groups: list[dict[str, Self]] = []
        for name, values in columns.items():
            spec = modality.infer_spec(values, limits)
            if options.variable_length:
                spec = {**spec, VARIABLE: True}
            group = next((g for g in groups if next(iter(g.values())).spec == spec), None)
            if group is None:
                groups.append({name: cls(modality, spec, options)})
            else:
                group[name] = next(iter(group.values()))
        return groups

    @property
    def vectors(self) -> Tensor:
        vectors = self.quantizer.vectors
        return torch.cat([vectors, torch.zeros_like(vectors[:1])]) if self.config.exact_length else vectors

    def loss(
        self, batch: Tensor, generator: torch.Generator, distributed: Distributed = SINGLE_PROCESS
    ) -> Loss:
        """Packed values or crops (B, …) → reconstruction loss + quantizer loss, per signal value."""
        return self._reconstruct(batch, generator, distributed).loss

    def validation_error(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """The codec's relative error, with augmentation as in training."""
        made = self._reconstruct(batch, generator, SINGLE_PROCESS)
        return self.codec.relative_error(made.rebuilt, made.signal)

    def begin(self, batch: Tensor) -> None:
        """Become the linear autoencoder of the training patches; encoder and decoder add nothing yet."""
        if self.linear is not None:
            self.linear.fit(pad_to_stride(self.codec.normalize(batch), self.strides))
            for network in (self.encoder, self.decoder):
                silence(network)

    def objective(self) -> Objective:
        """`loss` and, if there is one, the part of the adversary, which takes its turn after the VQ-VAE."""
        config = self.config.adversary
        if not config.enabled:
            return Objective(self.loss)
        adversary = Adversary(config, self.channels, axes=len(self.strides))
        *_, last_kernel = (p for p in self.decoder.parameters() if p.ndim > 1)

        def loss(
            batch: Tensor, generator: torch.Generator, distributed: Distributed = SINGLE_PROCESS
        ) -> Loss:
            made = self._reconstruct(batch, generator, distributed)
            added = adversary.tokenizer_loss(made.signal, made.rebuilt, made.error, last_kernel, distributed)
            return Loss(made.loss.total + added.total, {**made.loss.parts, **added.parts})

        opponent = Opponent(adversary, adversary.loss, config.learning_rate, config.start)
        return Objective(loss, {"discriminator": opponent})

    def _reconstruct(
        self, batch: Tensor, generator: torch.Generator, distributed: Distributed
    ) -> _Reconstruction:
        signal = self._augmented(self.codec.normalize(batch), generator, distributed.rows(len(batch)))
        quantized = self.quantizer(self._encode(signal), generator=generator, distributed=distributed)
        rebuilt = self._decode(quantized.z_q, signal.shape[2:]).float()
        reconstruction = distributed.mean(self.signal_loss(rebuilt, signal))
        parts = {"reconstruction": reconstruction.detach(), **quantized.stats}
        return _Reconstruction(signal, rebuilt, reconstruction, Loss(reconstruction + quantized.loss, parts))

    def prepare(self, value: Value) -> NDArray[Any]:
        """Value → packed array."""
        return self.codec.pack(value, self.spec)

    def crop(self, prepared: NDArray[Any], seed: int) -> NDArray[Any]:
        if not self.config.crop_size:
            return prepared
        crop = random_crop(prepared, self.config.crop_size, self.strides, torch.Generator().manual_seed(seed))
        return lengthened(crop, self.config.crop_size[0], len(self.strides)) if self.shape.variable else crop

    def variant(
        self, prepared: Tensor, random: Callable[[str], torch.Generator], strengths: Mapping[str, float]
    ) -> Tensor:
        return self.codec.variant(prepared, random, strengths)

    def as_learned(self, value: Value) -> Value:
        """The value resized to fit the tokenizer's spec."""
        return fit_to_spec(self.modality, value, self.spec)

    def shortened(self, value: Value) -> Sequence[Shortened]:
        return self.modality.shortened(value, self.spec)

    @torch.no_grad()
    def encode_batch(self, batch: Tensor) -> Tensor:
        """Packed (B, …) → int64 codes (B, *grid, Q)."""
        device = next(self.parameters()).device
        codes = torch.cat([self._codes(part.to(device)).cpu() for part in torch.split(batch, MAX_BATCH)])
        missing = -batch.shape[-len(self.strides)] % self.strides[0]
        return with_end(codes, missing) if self.config.exact_length else codes

    def encode_prepared(self, rows: Sequence[NDArray[Any]]) -> Tensor:
        if self.shape.variable:
            codes = encode_lengths(rows, self.encode_batch, self.shape, self.strides)
            return mark_ends(codes, rows, self.strides) if self.config.exact_length else codes
        return super().encode_prepared(rows)

    def decode(self, codes: Tensor) -> list[Value]:
        """Codes (B, *grid, Q) → values; one of variable length ends with its last code."""
        parts: Iterable[Tensor] = torch.split(codes, MAX_BATCH)
        if self.shape.variable:
            parts = (row[None] for row in split_lengths(codes, self.shape))
        return [self.codec.unpack(one, self.spec) for part in parts for one in self.decode_batch(part)]

    def trimmed(self, rebuilt: Value, value: Value) -> Value:
        return self.codec.trim(rebuilt, value)

    @property
    def files(self) -> FileCodec | None:
        if self.codec.pieces is None or not self.shape.variable:
            return None
        ends = (cast(TiledSequential, network) for network in (self.encoder, self.decoder))
        encoded, decoded = (Blocks.of(network, self.shape.row_size) for network in ends)
        coders = self.encode_batch, self.decode_batch
        how = self.config.exact_length, self.shape.storage_type
        return FileCodec(self.codec.pieces, self.spec, *coders, self.strides, encoded, decoded, *how)

    @torch.no_grad()
    def decode_batch(self, codes: Tensor) -> NDArray[Any]:
        """Codes (B, *grid, Q) of one length → packed (B, …); without codes, empty ones."""
        n, (first, *rest) = codes.shape[1], self.sides
        length = n * self.strides[0] if self.shape.variable or n > self.shape.grid[0] else first
        if self.config.exact_length:
            codes, missing = without_end(codes, self.strides[0])
            length -= missing
        sides = length, *rest
        if sides[0]:
            packed = self._values(codes.to(next(self.parameters()).device), sides)
        else:
            packed = self.codec.denormalize(torch.zeros(len(codes), self.channels, *sides))
        found: NDArray[Any] = packed.cpu().numpy()
        return found

    @property
    def graphs(self) -> Mapping[str, Graph]:
        shape = replace(self.shape, depth=self.quantizer.depth)
        return signal_graphs(self, self._codes, self._values, self.codec, self.spec, shape, self.strides)

    @property
    def extent(self) -> tuple[float, float]:
        unit = self.codec.unit_of(self.spec)
        return self.sides[0] / unit, self.strides[0] / unit

    def positions_in(self, spans: Sequence[Span], value: Value | None = None) -> Tensor:
        end, step = self.extent
        if value is not None:
            end = self.codec.end_of(value, self.prepare(value).shape[-len(self.strides)], self.spec)
        return cells_within(spans, self.shape.grid[0], step, end).repeat_interleave(self.shape.row_size)

    def parts(self, codes: Tensor) -> list[Part]:
        """Patches of a picture; of sounds and clips stretches, in seconds and frames."""
        if len(self.sides) == 2:
            return patches(self.shape.grid, self.sides, self.spec.get("content", self.sides))
        return stretches(codes, self.shape, self.extent[1])

    def code_usage(self, columns: Sequence[tuple[Tensor, Tensor]]) -> Mapping[str, CodeUsage]:
        """For images: usage of the first depth and, if there is one, of the first global depth ("tint"); for
        sounds of the first depth."""
        tint = self.shape.shared > self.config.exact_length
        return usages(self.codec, self.spec, self.shape, self.strides, columns, tint=tint)

    def state(self) -> Mapping[str, Any]:
        return {"modality": self.modality.name, "spec": self.spec, "config": asdict(self.config)}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        config = TypeAdapter(cls.Config).validate_python(state["config"])
        return cls(MODALITIES[state["modality"]], dict(state["spec"]), config)

    def _augmented(self, signal: Tensor, generator: torch.Generator, rows: Rows) -> Tensor:
        if self.config.augment_prob == 0:
            return signal
        uniform_B = rows.own(torch.rand(rows.total, generator=generator))
        chosen_B = uniform_B.to(signal.device) < self.config.augment_prob
        chosen = chosen_B.reshape(-1, *[1] * (signal.ndim - 1))
        return torch.where(chosen, self.codec.augment(signal, generator, rows), signal)

    def _encode(self, signal: Tensor) -> Tensor:
        """Signal (B, C, *axes) → (B, *grid, dim), every axis padded to a multiple of its stride."""
        padded = self.pad(signal, self.strides)
        z: Tensor = self.encoder(to_channels_last(padded))
        if self.linear is not None:
            z = z + self.linear.encode(padded)
        return z.movedim(1, -1)

    def _codes(self, packed: Tensor) -> Tensor:
        """Packed (B, …) → int64 codes (B, *grid, Q), without an end."""
        return self.quantizer.encode(self._encode(self.codec.normalize(packed)))

    def _values(self, codes: Tensor, sides: Sequence[int]) -> Tensor:
        """The inverse, of these sides."""
        return self.codec.denormalize(self._decode(self.quantizer.decode(codes), sides).float())

    def _decode(self, z: Tensor, sides: Sequence[int]) -> Tensor:
        """(B, *grid, dim) → signal (B, C, *sides), without the padding."""
        latent = z.movedim(-1, 1)
        signal: Tensor = self.decoder(to_channels_last(latent))
        if self.linear is not None:
            signal = signal + self.linear.decode(latent)
        return cut_to(signal, sides)
