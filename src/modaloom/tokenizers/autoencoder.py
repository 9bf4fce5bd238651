"""Autoencoders of pictures in the layouts of diffusers as tokenizers: `AutoencoderKL` and `VQModel`.

The means of an AutoencoderKL (Rombach et al. 2022, arXiv 2112.10752) are quantized by residual codebooks that
are learned by gradient; a VQModel (van den Oord et al. 2017; VQGAN, 2012.09841) brings its own codebook.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor, nn

from modaloom.core.errors import BadFile, BadValue, check_choice, first_line
from modaloom.modalities.base import DataSpec, Modality
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.quantizers import assemble
from modaloom.tokenizers.vqvae import VQVAETokenizer
from modaloom.tokenizers.vqvae_config import VQVAEConfig
from modaloom.tokenizers.vqvae_networks import Networks

WEIGHTS = "diffusion_pytorch_model.safetensors"
CODEBOOK = "quantize.embedding.weight"


@dataclass(frozen=True)
class AutoencoderConfig(VQVAEConfig):
    """Options of a pretrained autoencoder."""

    linear_start: bool = False
    network: dict[str, Any] = field(default_factory=dict)
    """Its configuration, as diffusers writes it."""
    network_frozen: bool = False
    """Whether encoder and decoder stay as they are."""


class Encoder(nn.Module):
    """Pictures → latents; of an AutoencoderKL their means."""

    def __init__(self, network: Any, dim: int) -> None:
        super().__init__()
        self.encoder, self.quant_conv, self.dim = network.encoder, network.quant_conv, dim

    def forward(self, x: Tensor) -> Tensor:
        h = self.encoder(x)
        latents: Tensor = (h if self.quant_conv is None else self.quant_conv(h))[:, : self.dim]
        return latents


class Decoder(nn.Module):
    """Latents → pictures."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.post_quant_conv, self.decoder = network.post_quant_conv, network.decoder

    def forward(self, z: Tensor) -> Tensor:
        signal: Tensor = self.decoder(z if self.post_quant_conv is None else self.post_quant_conv(z))
        return signal


def _build(codec: SignalCodec, channels: int, strides: Sequence[int], config: AutoencoderConfig) -> Networks:
    try:
        import diffusers
    except ImportError as error:
        raise BadValue("autoencoders need diffusers: pip install 'modaloom[pretrained]'") from error
    name = check_choice("autoencoder", config.network["_class_name"], NETWORKS)
    try:
        made = getattr(diffusers, name).from_config(config.network)
    except Exception as error:  # the library checks little, and raises nearly anything
        raise BadValue(f"diffusers builds no {name} of its config.json ({first_line(error)})") from error
    dim = config.latent_dim
    quantizer = assemble(config.quantizer, dim, config.codebook_size, config.num_quantizers, config)
    networks = Networks(Encoder(made, dim), quantizer, Decoder(made))
    for network in (networks.encoder, networks.decoder):
        network.requires_grad_(not config.network_frozen)
    return networks


class AutoencoderTokenizer(VQVAETokenizer):
    """Encoder and decoder of diffusers around a quantizer of this project."""

    Config = AutoencoderConfig
    networks = staticmethod(_build)  # type: ignore[assignment]

    def __init__(self, modality: Modality, spec: DataSpec, config: AutoencoderConfig) -> None:
        if not modality.signal.is_8_bit or len(spec["size"]) != 2:
            raise BadValue(f"{modality.name} is no picture of 8 bits, which autoencoders of diffusers are of")
        super().__init__(modality, {**spec, "channels": config.network["in_channels"]}, config)

    @property
    def pretrained_names(self) -> Sequence[str]:
        own = "quantizer." if self.config.num_quantizers == 1 else "encoder."
        return [name for name in self.state_dict() if name.startswith(("encoder.", "decoder.", own))]

    def load_pretrained(self, directory: Path) -> None:
        """The network's weights, and its codebook, if it has one."""
        path = directory / WEIGHTS
        try:
            found = safetensors.load(path.read_bytes())
            codebook = found.pop(CODEBOOK, None)
            owner = {"encoder": "encoder", "quant_conv": "encoder"}
            state = {f"{owner.get(name.partition('.')[0], 'decoder')}.{name}": t for name, t in found.items()}
            for end in ("encoder", "decoder"):
                part = {name[len(end) + 1 :]: t for name, t in state.items() if name.startswith(f"{end}.")}
                self.get_submodule(end).load_state_dict(part)
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = first_line(error)
            raise BadFile(path, f"does not hold the weights of its configuration ({reason})") from error
        own: Any = self.quantizer
        asked = [*own.codebook.vectors.shape] if self.config.num_quantizers == 1 else None
        there = None if codebook is None else [*codebook.shape]
        if asked != there:
            raise BadFile(path, f"has a codebook {CODEBOOK} of {there}; its configuration asks for {asked}")
        if codebook is not None:
            own.codebook.set_vectors(torch.arange(len(codebook)), codebook, torch.ones(len(codebook)))
            own.codebook.started.fill_(True)


def autoencoder_config(network: Mapping[str, Any], *, frozen: bool) -> AutoencoderConfig:
    """The options of a network of diffusers.

    Raises `BadValue` for one that reduces pictures by nothing, and `KeyError` for a setting that it lacks.
    """
    stride = 2 ** max(0, len(network["block_out_channels"]) - 1)
    if stride == 1 or not network["in_channels"]:
        raise BadValue("the autoencoder has a single block, so a code for every pixel; give one of more")
    return NETWORKS[network["_class_name"]](dict(network), frozen, (stride, stride))


def _continuous(network: dict[str, Any], frozen: bool, strides: tuple[int, ...]) -> AutoencoderConfig:
    return AutoencoderConfig(
        strides=strides,
        latent_dim=network["latent_channels"],
        codebook="gradient",
        network=network,
        network_frozen=frozen,
    )


def _discrete(network: dict[str, Any], frozen: bool, strides: tuple[int, ...]) -> AutoencoderConfig:
    if (norm := network.get("norm_type", "group")) != "group":
        raise BadValue(f"the VQModel has norm_type {norm}; give one of norm_type group")
    return AutoencoderConfig(
        strides=strides,
        latent_dim=network.get("vq_embed_dim") or network["latent_channels"],
        codebook_size=network["num_vq_embeddings"],
        num_quantizers=1,
        network=network,
        network_frozen=frozen,
    )


NETWORKS: dict[str, Callable[[dict[str, Any], bool, tuple[int, ...]], AutoencoderConfig]] = {
    "AutoencoderKL": _continuous,
    "VQModel": _discrete,
}
"""Class in diffusers → options."""
