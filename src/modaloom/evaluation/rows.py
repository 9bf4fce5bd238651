"""What evaluation asks, and what it answers."""

from dataclasses import asdict, dataclass

from modaloom.core.errors import BadValue


@dataclass(frozen=True)
class Direction:
    """Which streams are given, and which one is wanted; without a given stream, several may be."""

    given: tuple[str, ...]
    want: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.want or (self.given and len(self.want) > 1):
            raise BadValue(f"{self.name!r} cannot be scored; want one stream, or several and give none")

    @property
    def name(self) -> str:
        """`image+question->answer`, `->image+caption`."""
        return f"{'+'.join(self.given)}->{'+'.join(self.want)}"

    @property
    def streams(self) -> tuple[str, ...]:
        """All that a sample must have."""
        return self.given + self.want


@dataclass(frozen=True)
class ScoreRow:
    """One figure of one direction on one split, beside what it has to be compared with; None: not applicable.

    All are of the same `n` samples.
    """

    row: str
    """The direction's name."""
    split: str
    metric: str
    value: float
    low: float | None = None
    """The 95% interval of `value` over samples, from here …"""
    high: float | None = None
    """… to there."""
    floor: float | None = None
    """Without looking at what is given."""
    baseline: float | None = None
    """A linear readout of what is given."""
    retrieval: float | None = None
    """The nearest training sample."""
    ceiling: float | None = None
    """The truth, through the tokenizer and back."""
    n: int = 0

    def to_dict(self) -> dict[str, object]:
        """A line of `modaloom evaluate --json`."""
        return asdict(self)
