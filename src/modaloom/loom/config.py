"""Configuration of a Loom run: streams and their tokenizers, network, training, sampling."""

from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self, TypedDict

from modaloom.core.errors import BadValue, check_choice, check_range
from modaloom.diffusion import PROCESSES
from modaloom.diffusion.samplers import AUTO, CODE_SAMPLERS, resolve_sampler
from modaloom.diffusion.samplers.maskgit import CHOICE_TEMPERATURE
from modaloom.loom.mixture import TrainingMixture
from modaloom.modalities import MODALITIES
from modaloom.runs.config import DataConfig, OptimizerConfig, RunConfig, TrainingConfig
from modaloom.runs.config_io import changed
from modaloom.tokenizers import TOKENIZERS

MAX_SETTING = 1000.0
"""Upper bound of the sampling options; rejects infinity and NaN before they reach the samples."""


@dataclass(frozen=True)
class CodeSamplingConfig:
    """Options of code sampling."""

    sampler: str = AUTO
    """A name in CODE_SAMPLERS, or "auto": the default for the process."""
    steps: int = 48
    """Codes unmasked in one step are sampled independently: more steps, fewer inconsistencies. ≥ 1."""
    guidance: float = 1.0
    """Classifier-free guidance scale w, in [0, 1000]; 1 is the conditional model without guidance."""
    temperature: float = 1.0
    top_p: float = 1.0
    """Nucleus sampling: keep the most probable codes that together reach this probability, in (0, 1]."""
    choice_temperature: float = CHOICE_TEMPERATURE
    """maskgit sampler: temperature of the Gumbel noise on confidences; higher is more diverse."""
    remask: float = 1.0
    """remasking sampler: how far t is increased before each step, in steps."""
    unconditional_sampler: str = AUTO
    """Sampler of the first stream when no stream is given; its diversity bounds that of all later streams."""

    def __post_init__(self) -> None:
        for name in ("sampler", "unconditional_sampler"):
            check_choice(name, getattr(self, name), (*CODE_SAMPLERS, AUTO))
        check_range("steps", self.steps, 1)
        check_range("top_p", self.top_p, 0, 1, open_low=True)
        for name in ("guidance", "temperature", "choice_temperature", "remask"):
            check_range(name, getattr(self, name), 0, MAX_SETTING)

    def check(self, process: str) -> None:
        """Raise `BadValue` for a sampler that does not support the process."""
        resolve_sampler(self.sampler, process)
        resolve_sampler(self.unconditional_sampler, process)


class CodeSamplingOptions(TypedDict, total=False):
    """Overrides of a run's `CodeSamplingConfig`."""

    sampler: str
    steps: int
    guidance: float
    temperature: float
    top_p: float
    choice_temperature: float
    remask: float
    unconditional_sampler: str


@dataclass(frozen=True)
class LoomConfig:
    """Hyperparameters of a Loom: network size, diffusion process, training mixture, default sampling."""

    width: int = 128
    num_layers: int = 5
    num_heads: int = 4
    process: str = "masked"
    encoder_decoder: bool = False
    """Given tokens attend to given tokens only (encoder–decoder) instead of to all tokens (joint)."""
    mixture: TrainingMixture = field(default_factory=TrainingMixture)
    sampling: CodeSamplingConfig = field(default_factory=CodeSamplingConfig)
    """Default sampling options."""

    def __post_init__(self) -> None:
        self.sampling.check(check_choice("process", self.process, PROCESSES))
        sizes = {"width": self.width, "num_layers": self.num_layers, "num_heads": self.num_heads}
        for name, size in sizes.items():
            check_range(name, size, 1)
        if self.width % self.num_heads:
            raise BadValue(f"width is {self.width}; it must be a multiple of num_heads, {self.num_heads}")


@dataclass(frozen=True)
class LoomTrainingConfig(TrainingConfig):
    """Training settings: duration, optimizers, checkpoints."""

    start: str = ""
    """A run whose Loom's weights are the start, as far as they fit; empty: random weights."""
    replay: float = 0.5
    """Fraction of a batch that the run at `start` has drawn, which keeps what it knows; 0: none."""
    interpolation: float = 0.85
    """With `start`, weight of the trained Loom against the one at the start in the finished model; 1: all."""
    tokenizer_share: float = 0.4
    """Maximum fraction of the time budget for all trainable tokenizers together."""
    min_tokenizer_share: float = 0.2
    """Minimum fraction of the time budget for them, even if their validation error is small or has flattened
    before."""
    augment: dict[str, float] = field(default_factory=dict)
    """Augmentation of the training samples → its strength, in [0, 1]; 0: off. For pictures `shift`, the
    longest translation as a fraction of the side, and `flip`, the probability of a mirror image; for images
    `brightness`, the largest relative change; for texts `dropout`, the probability of leaving out a merge."""
    variants: int = 8
    """Variants of each augmented sample that the Loom is trained on, the sample itself among them; ≥ 1."""
    tokenizer: OptimizerConfig = field(default_factory=lambda: OptimizerConfig(learning_rate=3e-3))
    loom: OptimizerConfig = field(
        default_factory=lambda: OptimizerConfig(
            learning_rate=1e-2, matrix_learning_rate=6e-3, max_batch_elements=2**17
        )
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("replay", "interpolation"):
            check_range(name, getattr(self, name), 0, 1)
        check_range("tokenizer_share", self.tokenizer_share, 0, 1)
        check_range("min_tokenizer_share", self.min_tokenizer_share, 0, self.tokenizer_share)
        known = {name for modality in MODALITIES.values() for name in modality.codec.augmentations}
        for name, strength in self.augment.items():
            check_range(f"augment.{check_choice('augmentation', name, known)}", strength, 0, 1)
        check_range("variants", self.variants, 1)


@dataclass(frozen=True)
class TokenizerChoice:
    """Tokenizer settings of one stream."""

    kind: str
    """A name in TOKENIZERS."""
    options: Any
    """An instance of the kind's `Config`."""
    source: str = ""
    """Run, or directory of a pretrained part, whose tokenizer initializes this one; empty: random."""
    frozen: bool = False
    """Whether the tokenizer is excluded from training."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """The stream's own options, beside a `source`."""


@dataclass(frozen=True, kw_only=True)
class LoomRunConfig(RunConfig):
    """Complete configuration of a Loom run."""

    engine: Literal["loom"] = "loom"
    tokenizers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Modality → overrides of its tokenizer's default options."""
    streams: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Stream → overrides of its modality's settings: `tokenizer` (a kind), `tokenizer.from` (a run),
    `tokenizer.frozen`, `tokenizer.OPTION`."""
    loom: LoomConfig = field(default_factory=LoomConfig)
    training: LoomTrainingConfig = field(default_factory=LoomTrainingConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        for modality in self.tokenizers:
            kind = MODALITIES[check_choice("modality", modality, MODALITIES)].tokenizer
            self._options(modality, kind, {})
        for stream, settings in self.streams.items():
            _check_stream(stream, settings)

    def portable(self) -> Self:
        streams = {
            stream: {key: Path(value).name if key == FROM else value for key, value in flat(settings).items()}
            for stream, settings in self.streams.items()
        }
        training = replace(self.training, start=Path(self.training.start).name)
        return replace(self, streams=streams, training=training)

    def adapted(self) -> Self:
        kinds = {stream: flat(settings).get(KIND) for stream, settings in self.streams.items()}
        return replace(self, streams={stream: {KIND: kind} for stream, kind in kinds.items() if kind})

    def tokenizer_of(self, stream: str, modality: str) -> TokenizerChoice:
        """Tokenizer settings of a stream. Raises `BadValue` for options that the kind does not have."""
        own = flat(self.streams.get(stream, {}))
        default = MODALITIES[modality].tokenizer
        kind = check_choice("tokenizer", own.pop(KIND, default), TOKENIZERS)
        source, frozen = own.pop(FROM, ""), own.pop(FROZEN, False)
        if frozen and not source:
            raise BadValue(
                f"streams.{stream}.{FROZEN} needs streams.{stream}.{FROM}=RUN: a trained tokenizer"
            )
        changes = {key.removeprefix(f"{KIND}."): value for key, value in own.items()}
        options = self._options(modality, kind, {} if source else changes)
        return TokenizerChoice(kind, options, source, frozen, changes if source else {})

    def _options(self, modality: str, kind: str, changes: Mapping[str, Any]) -> Any:
        """Options in increasing precedence: the kind's defaults, the modality's, the run's, the stream's."""
        shared = [MODALITIES[modality].tokenizer_options, self.tokenizers.get(modality, {})]
        own = [flat(options) for options in shared if kind == MODALITIES[modality].tokenizer]
        try:
            return changed(TOKENIZERS[kind].Config(), ChainMap(dict(changes), *own[::-1]).items())
        except BadValue as error:
            raise BadValue(f"tokenizers.{modality}: {error}") from error


KIND, FROM, FROZEN = "tokenizer", "tokenizer.from", "tokenizer.frozen"
"""Settings of a stream that are not options of its tokenizer."""
_TYPES: Mapping[str, type] = {KIND: str, FROM: str, FROZEN: bool}


def _check_stream(stream: str, settings: Mapping[str, Any]) -> None:
    """Raise `BadValue` for an unknown setting of a stream, or a value of the wrong type."""
    for key, value in flat(settings).items():
        if not (key == KIND or key.startswith(f"{KIND}.")):
            raise BadValue(f"unknown setting 'streams.{stream}.{key}'; allowed: {KIND} and {KIND}.OPTION")
        expected = _TYPES.get(key)
        if expected is not None and type(value) is not expected:
            raise BadValue(f"streams.{stream}.{key} is {value!r}; give a {expected.__name__}")


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables → one table with dotted keys."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


SHARP: Mapping[str, Any] = {"feature_weight": 1.0, "start": 0.3}
"""Perceptual loss of pictures of 64 px: as near as with squared error alone, and sharper, at equal time."""


def pictures(**settings: Any) -> dict[str, dict[str, Any]]:
    """The same settings for every modality of pictures."""
    return {name: dict(settings) for name in ("image", "raster")}


def _limits(side: int, tokens: int, bins: int) -> dict[str, dict[str, Any]]:
    sides = {**pictures(max_side=side), "video": {"max_side": side}, "volume": {"max_side": side}}
    lengths = {"text": {"max_tokens": tokens}, "sequence": {"max_letters": 2 * tokens}}
    return {**sides, **lengths, "record": {"max_bins": bins}}


def tiny() -> LoomRunConfig:
    """Images and clips up to 32 px: minutes on two CPU cores."""
    return LoomRunConfig()


def small() -> LoomRunConfig:
    """Images and clips up to 64 px: an hour on one GPU."""
    sizes = {"widths": [64, 128, 256], "num_res_blocks": 2, "codebook_size": 1024}
    return LoomRunConfig(
        data=DataConfig(limits=_limits(64, 128, 64)),
        tokenizers={
            **pictures(code_grid=8, adversary=SHARP, **sizes),
            "video": sizes,
            "volume": sizes,
            "text": {"vocab_size": 4096},
        },
        loom=LoomConfig(width=384, num_layers=8, num_heads=6),
    )


def base() -> LoomRunConfig:
    """Images and clips up to 128 px: a day on a few GPUs."""
    sizes = {"widths": [96, 192, 384], "num_res_blocks": 2, "latent_dim": 64, "codebook_size": 4096}
    return LoomRunConfig(
        data=DataConfig(limits=_limits(128, 256, 64)),
        tokenizers={
            **pictures(code_grid=16, **sizes),
            "video": sizes,
            "volume": sizes,
            "text": {"vocab_size": 16384},
        },
        loom=LoomConfig(width=768, num_layers=12, num_heads=12),
    )


PRESETS: dict[str, Callable[[], LoomRunConfig]] = {"tiny": tiny, "small": small, "base": base}
