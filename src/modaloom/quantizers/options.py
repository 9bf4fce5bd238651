"""Options of quantizers other than name, width, size and depth."""

from dataclasses import dataclass, field, fields

from modaloom.core.errors import BadValue, check_range


@dataclass(frozen=True)
class GrowthConfig:
    """Growth of a codebook during training (`growing.py`)."""

    initial_codes: int = 0
    """Number of codes at the start; 0: all, without growth."""
    doubling_steps: int = 100
    """Batches in which the number of codes doubles."""
    target_distortion: float = 0.0
    """Relative distortion at which growth stops early."""
    error_weight: float = 0.25
    """Which codes are split first, 0–1. 1: those of the largest squared error (least distortion, uneven
    usage); 0: those with the most assignments (even usage)."""

    def __post_init__(self) -> None:
        check_range("growth.error_weight", self.error_weight, 0, 1)
        check_range("growth.initial_codes", self.initial_codes, 0)
        check_range("growth.doubling_steps", self.doubling_steps, 1)
        check_range("growth.target_distortion", self.target_distortion, 0)


@dataclass(frozen=True)
class QuantizerConfig:
    """Options of all quantizers; each uses some of them (`QUANTIZERS`), the last three apply to all."""

    commitment: float = 1.0
    """Commitment weight β in β‖z − sg[e]‖², the mean over values; at least 0."""
    codebook: str = "ema"
    """vq: ema | gradient | sphere (unit vectors) | sim (one linear map of fixed random vectors)."""
    codebook_dim: int = 0
    """vq: width of the codes, between linear projections; 0: that of the vectors, without projections."""
    normalize: bool = False
    """vq: quantize only the direction; the length becomes a running mean."""
    decay: float = 0.99
    """vq, bsq: decay of the moving averages per batch, 0–1."""
    dead_code_threshold: float = 0.1
    """vq: a code is dead below this fraction of the mean number of assignments, 0–1."""
    max_restart_fraction: float = 0.05
    """vq: at most this fraction of the codes is restarted per batch, 0–1."""
    growth: GrowthConfig = field(default_factory=GrowthConfig)
    """vq: growth of the codebook."""
    levels: tuple[int, ...] = ()
    """fsq: levels of each channel, whose product is the codebook size; empty: chosen by the size."""
    entropy: float = 0.1
    """lfq, bsq: weight of the entropy loss, at least 0."""
    temperature: float = 1.0
    """lfq, bsq: temperature of the soft assignment in the entropy loss, more than 0."""
    gradient_estimator: str = "straight_through"
    """vq, and any residual: straight_through | rotation."""
    groups: int = 1
    """Product quantization: slices of the vector, each with its own quantizer."""
    dropout: float = 0.0
    """Quantizer dropout: probability that a training sample keeps only its first depths, 0–1."""
    beam_width: int = 1
    """Sums of codes that encoding keeps after each depth, at least 1: more find nearer ones; training is
    greedy. Not with `growth`, nor with an adaptive depth."""
    adaptive_distortion: float = 0.0
    """Adaptive rate: relative squared error at which a position uses no further depth; 0: off."""

    def __post_init__(self) -> None:
        for name in ("commitment", "codebook_dim", "entropy", "adaptive_distortion"):
            check_range(name, getattr(self, name), 0)
        for name in ("decay", "dead_code_threshold", "max_restart_fraction", "dropout"):
            check_range(name, getattr(self, name), 0, 1)
        check_range("temperature", self.temperature, 0, open_low=True)
        check_range("groups", self.groups, 1)
        check_range("beam_width", self.beam_width, 1)
        if self.beam_width > 1 and (self.growth.initial_codes or self.adaptive_distortion):
            raise BadValue(
                "beam_width needs whole codebooks of fixed depth; give 1 with growth or adaptive_distortion"
            )

    def changed(self) -> set[str]:
        """The names of the options that differ from their defaults."""
        default = QuantizerConfig()
        return {f.name for f in fields(QuantizerConfig) if getattr(self, f.name) != getattr(default, f.name)}
