"""Everything that can be chosen about a quantizer beside its name, width, size and depth."""

from dataclasses import dataclass, field, fields

from modaloom.core.errors import check_range


@dataclass(frozen=True)
class GrowthConfig:
    """How the number of codes rises while training."""

    initial_codes: int = 0
    """Codes at first; 0: all of them, nothing grows."""
    doubling_steps: int = 100
    """Batches in which the number doubles."""
    target_distortion: float = 0.0
    """Relative distortion at which it stops growing before all codes are there."""
    error_weight: float = 0.25
    """What splits first. 1: the codes with the most squared error, for the least distortion, though rare ones
    then outnumber common ones; 0: those most chosen, for codes in equal use."""

    def __post_init__(self) -> None:
        check_range("growth.error_weight", self.error_weight, 0, 1)
        check_range("growth.initial_codes", self.initial_codes, 0)
        check_range("growth.doubling_steps", self.doubling_steps, 1)
        check_range("growth.target_distortion", self.target_distortion, 0)


@dataclass(frozen=True)
class QuantizerConfig:
    """Of the quantizers (a kind takes some of them), and of what stands around them (for every kind)."""

    commitment: float = 1.0
    """β in β‖z − sg[e]‖², the mean over values."""
    codebook: str = "ema"
    """Of vq: ema | gradient | sphere (unit vectors) | sim (one linear map of fixed random vectors)."""
    codebook_dim: int = 0
    """Of vq: width of the codes, between a linear map down and one up; 0: the vectors' own, without maps."""
    normalize: bool = False
    """Of vq: only the direction of a vector is quantized; its length becomes a running mean."""
    decay: float = 0.99
    """Of vq: of the moving averages, per batch."""
    dead_code_threshold: float = 0.1
    """Of vq: a code is dead below this share of the mean number of choices."""
    max_restart_fraction: float = 0.05
    """Of vq: the most codes, as a share of all, that come back to life in one batch."""
    growth: GrowthConfig = field(default_factory=GrowthConfig)
    """Of vq."""
    levels: tuple[int, ...] = ()
    """Of fsq: values of each channel, their product being the size; empty: from the size."""
    entropy: float = 0.1
    """Of lfq and bsq: weight of the entropies in the loss."""
    temperature: float = 1.0
    """Of lfq and bsq: of the soft codes whose entropies those are."""
    gradient_estimator: str = "straight_through"
    """Of vq and of a depth: straight_through | rotation."""
    groups: int = 1
    """Slices of the vector, each with its own quantizer."""
    dropout: float = 0.0
    """Probability that a training sample keeps only the first of its depths."""
    adaptive_distortion: float = 0.0
    """Relative squared error at which a position takes no further depth; 0: all take every depth."""

    def __post_init__(self) -> None:
        for name in ("commitment", "codebook_dim", "entropy", "adaptive_distortion"):
            check_range(name, getattr(self, name), 0)
        for name in ("decay", "dead_code_threshold", "max_restart_fraction", "dropout"):
            check_range(name, getattr(self, name), 0, 1)
        check_range("temperature", self.temperature, 0, open_low=True)
        check_range("groups", self.groups, 1)

    def changed(self) -> set[str]:
        """The names of what is not at its default."""
        plain = QuantizerConfig()
        return {f.name for f in fields(QuantizerConfig) if getattr(self, f.name) != getattr(plain, f.name)}
