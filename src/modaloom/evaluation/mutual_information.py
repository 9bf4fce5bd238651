"""Pairwise mutual information between streams."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

Exact = Callable[[str, str], float | None]
"""Two streams → their exact mutual information in bits, or None if unknown."""


@dataclass(frozen=True)
class MutualInformation:
    """Estimated mutual information between two streams, in bits per sample."""

    given: str
    want: str
    bits: float
    """Mean of bound(want) − bound(want | given): an estimate of mutual information, not a bound on it."""
    low: float
    high: float
    """95% interval over samples and masks; it does not include the gap between bounds and entropies."""
    entropy: float
    """Mean of bound(want): an upper bound on the entropy of the target's codes."""
    exact: float | None
    n: int

    def to_dict(self) -> dict[str, object]:
        """Returns an entry of information.json."""
        return asdict(self)
