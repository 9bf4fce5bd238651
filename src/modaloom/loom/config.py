"""The configuration of a Loom run: streams and their tokenizers, the network, training, sampling."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from modaloom.core.errors import BadValue, check_choice, check_range
from modaloom.diffusion import PROCESSES
from modaloom.diffusion.samplers import AUTO, CODE_SAMPLERS, resolve_sampler
from modaloom.loom.mixture import TrainingMixture
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Limits
from modaloom.runs.config import DataConfig, OptimizerConfig, RunConfig, TrainingConfig
from modaloom.runs.config_io import changed
from modaloom.tokenizers import TOKENIZERS

MAX_SETTING = 1000.0
"""Past any use; infinities and NaN would only show up in what is drawn."""


@dataclass(frozen=True)
class CodeSamplingConfig:
    """How codes are drawn."""

    sampler: str = AUTO
    """A name in CODE_SAMPLERS, or "auto": the one that suits the process."""
    steps: int = 48
    """Codes that come back in one step are drawn without looking at each other: more steps, fewer clashes."""
    guidance: float = 1.0
    """Classifier-free guidance w: 1 is the plain conditional."""
    temperature: float = 1.0
    top_p: float = 1.0
    """Codes are drawn from the likeliest that together reach this probability."""
    choice_temperature: float = 1.0
    """Of the maskgit sampler: less keeps to what is sure, more is more varied."""
    remask: float = 1.0
    """Of the remasking sampler: how far it goes back before each step, in steps."""
    unconditional_sampler: str = AUTO
    """The sampler of the first stream where nothing is given: what follows is as varied as it is."""

    def __post_init__(self) -> None:
        for name in ("sampler", "unconditional_sampler"):
            check_choice(name, getattr(self, name), (*CODE_SAMPLERS, AUTO))
        check_range("steps", self.steps, 1)
        check_range("top_p", self.top_p, 0, 1, open_low=True)
        for name in ("guidance", "temperature", "choice_temperature", "remask"):
            check_range(name, getattr(self, name), 0, MAX_SETTING)

    def check(self, process: str) -> None:
        """Raise `BadValue` for a sampler that cannot walk the process."""
        resolve_sampler(self.sampler, process)
        resolve_sampler(self.unconditional_sampler, process)


class CodeSamplingOptions(TypedDict, total=False):
    """Fields of `CodeSamplingConfig` that differ from a run's."""

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
    """Sizes of a Loom, and what it practises."""

    width: int = 128
    num_layers: int = 5
    num_heads: int = 4
    process: str = "masked"
    encoder_decoder: bool = False
    """Given tokens look only at given tokens (encoder–decoder) instead of at everything (joint)."""
    mixture: TrainingMixture = field(default_factory=TrainingMixture)
    sampling: CodeSamplingConfig = field(default_factory=CodeSamplingConfig)
    """How it draws unless asked otherwise."""

    def __post_init__(self) -> None:
        self.sampling.check(check_choice("process", self.process, PROCESSES))


@dataclass(frozen=True)
class LoomTrainingConfig(TrainingConfig):
    """How long, how fast, how safe."""

    tokenizer_share: float = 0.5
    """Of the minutes, what the trainable tokenizers take together at most."""
    min_tokenizer_share: float = 0.2
    """And at least, also when they no longer improve."""
    tokenizer: OptimizerConfig = field(default_factory=lambda: OptimizerConfig(learning_rate=3e-3))
    loom: OptimizerConfig = field(
        default_factory=lambda: OptimizerConfig(learning_rate=1e-2, matrix_learning_rate=6e-3)
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("tokenizer_share", self.tokenizer_share, 0, 1)
        check_range("min_tokenizer_share", self.min_tokenizer_share, 0, self.tokenizer_share)


@dataclass(frozen=True)
class TokenizerChoice:
    """How one stream is tokenized."""

    kind: str
    """A name in TOKENIZERS."""
    options: Any
    """The kind's `Config`."""
    source: str = ""
    """A run whose tokenizer this one starts as; empty: it starts from scratch."""
    frozen: bool = False
    """Whether it stays as it starts."""


@dataclass(frozen=True, kw_only=True)
class LoomRunConfig(RunConfig):
    """The whole configuration of a Loom run."""

    engine: Literal["loom"] = "loom"
    tokenizers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Modality → options of its tokenizer that differ from the defaults of its kind."""
    streams: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Stream → what differs for it from its modality's: `tokenizer` (a kind), `tokenizer.from` (a run),
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

    def tokenizer_of(self, stream: str, modality: str) -> TokenizerChoice:
        """How a stream of a modality is tokenized. Raises `BadValue` for options that the kind has not."""
        own = _flat(self.streams.get(stream, {}))
        default = MODALITIES[modality].tokenizer
        kind = check_choice("tokenizer", own.pop(KIND, default), TOKENIZERS)
        source, frozen = own.pop(FROM, ""), own.pop(FROZEN, False)
        if frozen and not source:
            raise BadValue(
                f"streams.{stream}.{FROZEN} needs streams.{stream}.{FROM}=RUN: a trained tokenizer"
            )
        changes = {key.removeprefix(f"{KIND}."): value for key, value in own.items()}
        if source and changes:
            raise BadValue(
                f"streams.{stream} starts as the tokenizer of {source}; leave out {', '.join(own)}"
            )
        return TokenizerChoice(kind, self._options(modality, kind, changes), source, frozen)

    def _options(self, modality: str, kind: str, changes: Mapping[str, Any]) -> Any:
        """The kind's options: its defaults, then the modality's (of its own kind), then a stream's."""
        shared = self.tokenizers.get(modality, {}) if kind == MODALITIES[modality].tokenizer else {}
        try:
            return changed(TOKENIZERS[kind].Config(), [*_flat(shared).items(), *changes.items()])
        except BadValue as error:
            raise BadValue(f"tokenizers.{modality}: {error}") from error


KIND, FROM, FROZEN = "tokenizer", "tokenizer.from", "tokenizer.frozen"
"""A stream's settings that are not options of its tokenizer."""
_TYPES: Mapping[str, type] = {KIND: str, FROM: str, FROZEN: bool}


def _check_stream(stream: str, settings: Mapping[str, Any]) -> None:
    """Raise `BadValue` for a setting that a stream has not, or of a wrong type."""
    for key, value in _flat(settings).items():
        if not (key == KIND or key.startswith(f"{KIND}.")):
            raise BadValue(f"unknown setting 'streams.{stream}.{key}'; allowed: {KIND} and {KIND}.OPTION")
        expected = _TYPES.get(key)
        if expected is not None and type(value) is not expected:
            raise BadValue(f"streams.{stream}.{key} is {value!r}; give a {expected.__name__}")


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables → one with dotted keys."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


def tiny() -> LoomRunConfig:
    """Pictures up to 32 px: minutes on two CPU cores."""
    return LoomRunConfig()


def small() -> LoomRunConfig:
    """Pictures up to 64 px: an hour on one GPU."""
    image = {"code_grid": 8, "widths": [64, 128, 256], "num_res_blocks": 2, "codebook_size": 1024}
    return LoomRunConfig(
        data=DataConfig(limits=Limits(max_side=64, max_tokens=128, max_bins=64)),
        tokenizers={"image": image, "text": {"vocab_size": 4096}},
        loom=LoomConfig(width=384, num_layers=8, num_heads=6),
    )


def base() -> LoomRunConfig:
    """Pictures up to 128 px: a day on a few GPUs."""
    image = {
        "code_grid": 16,
        "widths": [96, 192, 384],
        "num_res_blocks": 2,
        "latent_dim": 64,
        "codebook_size": 4096,
    }
    return LoomRunConfig(
        data=DataConfig(limits=Limits(max_side=128, max_tokens=256, max_bins=64)),
        tokenizers={"image": image, "text": {"vocab_size": 16384}},
        loom=LoomConfig(width=768, num_layers=12, num_heads=12),
    )


PRESETS: dict[str, Callable[[], LoomRunConfig]] = {"tiny": tiny, "small": small, "base": base}
