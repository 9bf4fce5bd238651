"""How codecs of sounds of the library transformers are made of networks and codebooks.

EnCodec (Défossez et al. 2022, arXiv 2210.13438), DAC (Kumar et al. 2023, 2306.06546) and Mimi (Défossez et
al. 2024, 2410.00037), whose first codebooks are semantic and whose others, side by side with them, acoustic.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Facts = Any
"""A configuration of the library."""
Network = Any
"""A module of the library."""


def always_one(facts: Facts) -> int:
    """Default of `CodecLayout.channels` and `least`."""
    return 1


def nothing(facts: Facts) -> bool:
    """Default of `CodecLayout.has_more`."""
    return False


def called(network: Network, x: Tensor) -> Tensor:
    """Default of `CodecLayout.encode` and `decode`."""
    made: Tensor = network(x)
    return made


def decoded(quantizer: Network, codes_BQT: Tensor) -> Tensor:
    """Default of `CodecLayout.latents`."""
    latents: Tensor = quantizer.decode(codes_BQT)
    return latents


@dataclass(frozen=True)
class CodecLayout:
    """A class of codecs: its configuration, and its parts `encoder`, `quantizer` and `decoder`."""

    stride: Callable[[Facts], int]
    """Samples of a code."""
    depth: Callable[[Facts], int]
    """Number of codebooks."""
    first: Callable[[Facts, int], Mapping[str, Any]]
    """(Configuration, Q) → what is different in that of the first Q codebooks alone."""
    codes: Callable[[Network, Tensor], Tensor]
    """(Quantizer, latents (B, D, T)) → int64 (B, Q, T)."""
    codebooks: Callable[[Network], Iterable[Tensor]]
    """Quantizer → its Q codebooks (K, D)."""
    latents: Callable[[Network, Tensor], Tensor] = decoded
    """(Quantizer, codes (B, Q, T)) → latents."""
    encode: Callable[[Network, Tensor], Tensor] = called
    """(Encoder, samples (B, C, n)) → latents (B, D, T)."""
    decode: Callable[[Network, Tensor], Tensor] = called
    """(Decoder, latents) → samples (B, C, about T · stride)."""
    channels: Callable[[Facts], int] = always_one
    whole: bool = False
    """Whether silence follows a sound up to a whole code; otherwise the encoder finds an end by itself."""
    least: Callable[[Facts], int] = always_one
    """Fewest codebooks."""
    has_more: Callable[[Facts], bool] = nothing
    """Whether a sound is more than its codes."""


def _bandwidth(facts: Facts, depth: int) -> dict[str, Any]:
    """The middle of those that EnCodec takes as many codebooks for, in kbit/s."""
    return {"target_bandwidths": [(depth + 0.5) * facts.frame_rate * facts.codebook_nbits / 1000]}


def _dac_codes(quantizer: Network, z: Tensor) -> Tensor:
    """As in the library, which draws a number of codebooks in training mode."""
    found = []
    for one in quantizer.quantizers:
        z_q, _, _, codes, _ = one(z)
        z = z - z_q
        found.append(codes)
    return torch.stack(found, 1)


def _mimi_codebooks(quantizer: Network) -> list[Tensor]:
    """Means, which the library keeps where they are first asked for: before the weights are there."""
    semantic, acoustic = (
        quantizer.semantic_residual_vector_quantizer,
        quantizer.acoustic_residual_vector_quantizer,
    )
    books = [layer.codebook for layer in (*semantic.layers, *acoustic.layers)]
    return [book.embed_sum / book.cluster_usage.clamp(min=book.epsilon)[:, None] for book in books]


CODECS: dict[str, CodecLayout] = {
    "EncodecModel": CodecLayout(
        stride=lambda facts: int(facts.hop_length),
        depth=lambda facts: int(facts.num_quantizers),
        first=_bandwidth,
        channels=lambda facts: int(facts.audio_channels),
        has_more=lambda facts: facts.normalize or facts.chunk_length_s is not None,
        codes=lambda quantizer, z: quantizer.encode(z).transpose(0, 1),
        latents=lambda quantizer, codes: decoded(quantizer, codes.transpose(0, 1)),
        codebooks=lambda quantizer: [layer.codebook.embed for layer in quantizer.layers],
    ),
    "DacModel": CodecLayout(
        stride=lambda facts: int(facts.hop_length),
        depth=lambda facts: int(facts.n_codebooks),
        first=lambda facts, depth: {"n_codebooks": depth},
        whole=True,
        codes=_dac_codes,
        latents=lambda quantizer, codes: quantizer.from_codes(codes)[0],
        codebooks=lambda quantizer: [one.codebook.weight for one in quantizer.quantizers],
    ),
    "MimiModel": CodecLayout(
        stride=lambda facts: math.prod(facts.upsampling_ratios) * facts.latent_stride,
        depth=lambda facts: int(facts.num_quantizers),
        first=lambda facts, depth: {"num_quantizers": depth},
        least=lambda facts: facts.num_semantic_quantizers + 1,
        channels=lambda facts: int(facts.audio_channels),
        encode=lambda encoder, x: encoder(x).latents,
        codes=lambda quantizer, z: quantizer.encode(z).transpose(0, 1),
        codebooks=_mimi_codebooks,
        decode=lambda decoder, z: decoder(z).audio_values,
    ),
}
"""Class in transformers → how it is made."""
