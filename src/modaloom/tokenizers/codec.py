"""Codecs of sounds in the layouts of transformers as tokenizers: `EncodecModel`, `DacModel`, `MimiModel`.

Codes and waveforms are those of the library, of each sound by itself. Encoder and codebooks stay as they are;
the decoder may be trained on.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import BadFile, BadValue, bounded, check_choice, check_range, first_line
from modaloom.core.graph import Graph
from modaloom.core.types import Quantized
from modaloom.modalities.base import DataSpec, Modality
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.quantizers import Quantizer
from modaloom.tokenizers.codec_layouts import CODECS, CodecLayout
from modaloom.tokenizers.file_codec import FileCodec
from modaloom.tokenizers.lengths import join_lengths
from modaloom.tokenizers.vqvae_networks import Networks
from modaloom.tokenizers.waveform import WaveformConfig, WaveformTokenizer

WEIGHTS = "model.safetensors"
CROP = 8192
"""Samples that training sees, about."""


@dataclass(frozen=True)
class CodecConfig(WaveformConfig):
    """Options of a pretrained codec."""

    any_stride: ClassVar[bool] = True
    network: dict[str, Any] = field(default_factory=dict)
    """Its configuration, as transformers writes it."""
    network_frozen: bool = False
    """Whether the decoder stays as it is, too."""


class Encoder(nn.Module):
    """Samples (B, C, n) → latents (B, D, T)."""

    def __init__(self, network: nn.Module, layout: CodecLayout, stride: int) -> None:
        super().__init__()
        self.network, self.layout, self.stride = network, layout, stride

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        missing = -x.shape[-1] % self.stride if self.layout.whole else 0
        return self.layout.encode(self.network, F.pad(x, (0, missing)))


class Codebooks(Quantizer):
    """Codebooks that stay as they are."""

    def __init__(self, network: nn.Module, layout: CodecLayout) -> None:
        super().__init__()
        self.network, self.layout = network, layout

    def forward(
        self,
        z: Tensor,
        *,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> Quantized:
        codes = self.layout.codes(self.network, z.movedim(-1, 1)).movedim(1, -1)
        return Quantized(self.decode(codes), codes, z.new_zeros(()))

    def decode(self, codes: Tensor) -> Tensor:
        return self.layout.latents(self.network, codes.movedim(-1, 1)).movedim(1, -1)

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return tuple(map(len, self.layout.codebooks(self.network)))

    @property
    def vectors(self) -> Tensor:
        return torch.stack([*self.layout.codebooks(self.network)]).detach()


class Decoder(nn.Module):
    """Latents (B, D, T) → samples (B, C, T · stride); what a network lacks at the end is silence."""

    def __init__(self, network: nn.Module, layout: CodecLayout, stride: int) -> None:
        super().__init__()
        self.network, self.layout, self.stride = network, layout, stride

    def forward(self, z: Tensor) -> Tensor:
        made = self.layout.decode(self.network, z)
        return F.pad(made, (0, z.shape[-1] * self.stride - made.shape[-1]))


def _build(codec: SignalCodec, channels: int, strides: Sequence[int], config: CodecConfig) -> Networks:
    (name, *_), (stride,) = config.network["architectures"], strides
    layout, facts = CODECS[check_choice("codec", name, CODECS)], _facts(config.network)
    check_range("num_quantizers", config.num_quantizers, layout.least(facts), layout.depth(facts))
    fewer = {**config.network, **layout.first(facts, config.num_quantizers)}
    with _explained(name):
        made = _model(name)(_facts(fewer))
    made.requires_grad_(False)
    made.decoder.requires_grad_(not config.network_frozen)
    ends = Encoder(made.encoder, layout, stride), Decoder(made.decoder, layout, stride)
    return Networks(ends[0], Codebooks(made.quantizer, layout), ends[1])


def as_it_is(signal: Tensor, strides: Sequence[int]) -> Tensor:
    """Nothing is added to a sound before the encoder sees it."""
    return signal


class CodecTokenizer(WaveformTokenizer):
    """The networks and codebooks of a codec of transformers."""

    Config = CodecConfig
    networks = staticmethod(_build)  # type: ignore[assignment]
    pad = staticmethod(as_it_is)  # type: ignore[assignment]

    def __init__(self, modality: Modality, spec: DataSpec, config: CodecConfig) -> None:
        self.codec_of(modality)
        _check_form(spec, config.network)
        super().__init__(modality, spec, config)
        self.name, *_ = config.network["architectures"]

    def encode_prepared(self, rows: Sequence[NDArray[Any]]) -> Tensor:
        """Each by itself: codes do not depend on what else is encoded, nor on what would follow a sound."""
        codes = [self.encode_batch(torch.from_numpy(np.stack([row])))[0] for row in rows]
        return join_lengths(codes, self.shape)

    @property
    def files(self) -> FileCodec | None:
        """None: a code may depend on all that comes before it."""
        return None

    @property
    def graphs(self) -> Mapping[str, Graph]:
        """Raises `BadValue`: the library's modules are not exported."""
        raise BadValue("sounds of a pretrained codec are not exported as ONNX")

    @property
    def pretrained_names(self) -> Sequence[str]:
        return [*self.state_dict()]

    def load_pretrained(self, directory: Path) -> None:
        """The weights of the networks, and of as many codebooks as there are here."""
        path = directory / WEIGHTS
        try:
            with _quiet():
                found, report = _model(self.name).from_pretrained(
                    directory,
                    use_safetensors=True,
                    local_files_only=True,
                    ignore_mismatched_sizes=True,
                    output_loading_info=True,
                )
        except Exception as error:  # the library raises nearly anything
            raise BadFile(path, f"cannot be read by transformers ({first_line(error)})") from error
        _check_report(path, report)
        for part in ("encoder", "quantizer", "decoder"):
            own, theirs = self.get_submodule(f"{part}.network"), found.get_submodule(part).state_dict()
            own.load_state_dict({key: theirs[key] for key in own.state_dict()})


def codec_config(network: Mapping[str, Any], *, frozen: bool) -> CodecConfig:
    """The options of a codec of transformers. Raises `BadValue` for one that has more than codes."""
    (name, *_), facts = network["architectures"], _facts(network)
    layout = CODECS[name]
    if layout.has_more(facts):
        raise BadValue(
            f"the {name} has normalize or chunk_length_s, so that sounds are more than codes; give another"
        )
    stride = layout.stride(facts)
    return CodecConfig(
        strides=(stride,),
        crop_size=(-(-CROP // stride) * stride,),
        codebook_size=facts.codebook_size,
        num_quantizers=layout.depth(facts),
        dropout=0.0,
        linear_start=False,
        network=dict(network),
        network_frozen=frozen,
    )


def _check_form(spec: DataSpec, network: Mapping[str, Any]) -> None:
    """Raise `BadValue` for sounds of another rate, or of other channels."""
    (name, *_), facts = network["architectures"], _facts(network)
    here, there = (spec["rate"], spec["tracks"]), (facts.sampling_rate, CODECS[name].channels(facts))
    if here != there:
        read, asked = (f"{rate:,} Hz and channels: {tracks}" for rate, tracks in (here, there))
        raise BadValue(
            f"sounds are read as {read}; the {name} is of {asked}. Give such sounds, and set "
            f"data.limits.audio.max_rate={there[0]} and data.limits.audio.max_channels={there[1]}"
        )


def _check_report(path: Path, report: Mapping[str, Any]) -> None:
    """Raise `BadFile` unless the weights are those of the configuration, all of them and no others."""
    sizes = [name for name, *_ in report["mismatched_keys"]]
    for names, why in (
        (sizes, "has tensors of other sizes than its configuration asks for"),
        (report["missing_keys"], "lacks tensors that its configuration asks for"),
        (report["unexpected_keys"], "has tensors that its configuration does not have"),
    ):
        if names:
            raise BadFile(path, f"{why}: {bounded(sorted(names))}")


def _library() -> Any:
    try:
        return import_module("transformers")
    except ImportError as error:
        raise BadValue("pretrained codecs need transformers: pip install 'modaloom[pretrained]'") from error


def _model(name: str) -> Any:
    return getattr(_library(), name)


def _facts(network: Mapping[str, Any]) -> Any:
    """The library's configuration."""
    name, *_ = network["architectures"]
    with _explained(name):
        return _model(name).config_class.from_dict(dict(network))


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except BadValue:
        raise
    except Exception as error:  # the library raises nearly anything
        raise BadValue(f"transformers builds no {name} of its config.json ({first_line(error)})") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No bars and reports of the library: what is wrong is an error here."""
    library = _library().utils.logging
    level, bars = library.get_verbosity(), library.is_progress_bar_enabled()
    library.set_verbosity_error()
    library.disable_progress_bar()
    try:
        yield
    finally:
        library.set_verbosity(level)
        if bars:
            library.enable_progress_bar()
