"""A measured figure beside a peer's and beside what can be reached at all."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BenchmarkResult:
    """Less is better in `ours` and `peer`, unless the unit says otherwise."""

    case: str
    ours: float
    peer: float | None
    """The same work by another library in the same run; None where there is none."""
    limit: float | None
    """What no implementation can beat, or what must not be passed; None where there is none."""
    unit: str

    @property
    def ratio(self) -> float | None:
        """peer / ours: how many times better."""
        return None if self.peer is None or self.ours == 0 else self.peer / self.ours

    def to_dict(self) -> dict[str, str | float | None]:
        """As `modaloom bench --json` prints it."""
        return {
            "case": self.case,
            "ours": self.ours,
            "peer": self.peer,
            "ratio": self.ratio,
            "limit": self.limit,
            "unit": self.unit,
        }
