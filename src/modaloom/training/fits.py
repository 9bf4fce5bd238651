"""Which training belongs to which accelerator."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from modaloom.data.folder import Folder
from modaloom.data.reader import Reader
from modaloom.loom.trainer import LoomTrainer
from modaloom.restorer.trainer import RestorerTrainer
from modaloom.runs.model import Part
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Step


class Trainer(Protocol):
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


class TrainerFactory(Protocol):
    """What begins one."""

    def __call__(
        self, run: RunFolder, folder: Folder, accelerator: Accelerator, *, notify: Callable[[str], None]
    ) -> Trainer: ...


TRAINERS: Mapping[str, TrainerFactory] = {"loom": LoomTrainer, "restorer": RestorerTrainer}
"""By `Run.engine`."""
