"""Mutual information of two streams, as it is reported."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

Exact = Callable[[str, str], float | None]
"""Two streams → their mutual information in bits where it is known."""


@dataclass(frozen=True)
class MutualInformation:
    """What one stream tells about another, all in bits a sample."""

    given: str
    want: str
    bits: float
    """Mean of bound(want) − bound(want | given): an estimate of mutual information, not a bound on it."""
    low: float
    high: float
    """Its 95% interval over samples and masks; how far the bounds are from the truth is not in it."""
    entropy: float
    """Mean of bound(want): an upper bound on the entropy of its codes."""
    exact: float | None
    n: int

    def to_dict(self) -> dict[str, object]:
        """An entry of information.json."""
        return asdict(self)
