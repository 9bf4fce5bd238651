"""Directions and score rows of an evaluation."""

import html
from dataclasses import asdict, dataclass, fields

from modaloom.core.errors import BadValue


@dataclass(frozen=True)
class Direction:
    """Input streams and target stream; without inputs, there may be several targets."""

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
        """All streams, inputs first."""
        return self.given + self.want


@dataclass(frozen=True)
class ScoreRow:
    """One metric of one direction on one split, with its baselines; None: not applicable.

    All values are over the same `n` samples.
    """

    row: str
    """Name of the direction."""
    split: str
    metric: str
    value: float
    low: float | None = None
    """Lower end of the 95% interval of `value` over samples."""
    high: float | None = None
    """Upper end of it."""
    floor: float | None = None
    """Prediction without the inputs."""
    baseline: float | None = None
    """Linear probe of the inputs."""
    retrieval: float | None = None
    """Nearest training sample."""
    ceiling: float | None = None
    """Ground truth, encoded and decoded by the tokenizer."""
    n: int = 0

    def to_dict(self) -> dict[str, object]:
        """Returns a line of `modaloom evaluate --json`."""
        return asdict(self)


class ScoreRows(list[ScoreRow]):
    """Scores, which notebooks show as a table."""

    def _repr_html_(self) -> str:
        names = [field.name for field in fields(ScoreRow)]
        lines = [names, *([_cell(getattr(row, name)) for name in names] for row in self)]
        cells = ("".join(f"<td>{html.escape(cell)}</td>" for cell in line) for line in lines)
        return f"<table>{''.join(f'<tr>{line}</tr>' for line in cells)}</table>"


def _cell(value: object) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
