"""One benchmark result, with that of a peer library and a limit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BenchmarkResult:
    """One result; lower is better in `ours` and `peer`, unless the unit says otherwise."""

    case: str
    ours: float
    peer: float | None
    """The same work by another library in the same run, if there is one."""
    limit: float | None
    """A bound that no implementation can beat, or that must not be exceeded, if there is one."""
    unit: str

    @property
    def ratio(self) -> float | None:
        """peer / ours: the factor of improvement."""
        return None if self.peer is None or self.ours == 0 else self.peer / self.ours

    def to_dict(self) -> dict[str, str | float | None]:
        """The row that `modaloom bench --json` prints."""
        return {
            "case": self.case,
            "ours": self.ours,
            "peer": self.peer,
            "ratio": self.ratio,
            "limit": self.limit,
            "unit": self.unit,
        }
