"""Which training belongs to which engine."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from modaloom.data.folder import Folder
from modaloom.data.reader import Reader
from modaloom.runs.model import Part
from modaloom.runs.store import RunFolder
from modaloom.training.engine import Engine
from modaloom.training.fit import Fit
from modaloom.training.loop import Step
from modaloom.training.restoring import RestorerFit


class Trains(Protocol):
    """A training in progress. Iterate over `steps`; then `parts` is whole."""

    @property
    def stages(self) -> list[str]:
        """The names of the stages, in order."""

    @property
    def reader(self) -> Reader:
        """What read the folder, and knows what it skipped."""

    def steps(self) -> Iterator[Step]:
        """Train every stage, yielding after each step."""

    def parts(self) -> dict[str, Part]:
        """The finished model's, for its folder."""

    def usage(self) -> dict[str, dict[str, Any]]:
        """Learned tokenizer → how often each code of each depth stands in the training codes."""


class Makes(Protocol):
    """What begins one."""

    def __call__(
        self, run: RunFolder, folder: Folder, engine: Engine, *, tell: Callable[[str], None]
    ) -> Trains: ...


FITS: Mapping[str, Makes] = {"loom": Fit, "restorer": RestorerFit}
"""By `Run.engine`."""
