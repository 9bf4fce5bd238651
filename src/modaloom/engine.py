"""The contract of an engine: a kind of model with all that a run of it needs. `engines.py` has the table."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from modaloom.core.errors import BadValue
from modaloom.data.folder import Folder
from modaloom.data.notices import Notify, silent
from modaloom.data.reader import Reader
from modaloom.evaluation.mutual_information import MutualInformation
from modaloom.evaluation.rows import ScoreRow
from modaloom.runs.config import RunConfig
from modaloom.runs.model import Part
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Step

FROM_SCRATCH = "Trained from scratch on the data above and nothing else; outside of it, it guesses."
"""A limit of every model here, for its card."""


class FinishedRun(Protocol):
    """A run folder with a model, opened on a device."""

    @property
    def path(self) -> Path:
        """The run folder."""

    @property
    def run(self) -> RunConfig:
        """Its configuration; `engine` names its kind."""

    @property
    def hash(self) -> str:
        """Names exactly this model."""

    @property
    def device(self) -> str:
        """Where it works: cpu, cuda or mps."""


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

    def usage(self) -> Mapping[str, Any]:
        """Tokenizer → how often each code of each depth occurs in the training codes; empty without codes."""


C = TypeVar("C", bound=RunConfig)
R = TypeVar("R", bound=FinishedRun)


class Engine(ABC, Generic[C, R]):
    """A kind of model: how a run of it is configured, trained, opened, scored and shown."""

    config: ClassVar[type[RunConfig]]
    """The class of its configuration, whose `engine` is its name in the table."""
    presets: ClassVar[Mapping[str, Callable[[], RunConfig]]]
    """Name → a whole configuration; all engines have the same names."""
    tasks: ClassVar[Collection[str]] = ()
    """Names that `--task` may give; without a task the first engine of the table is trained."""
    limits: ClassVar[Sequence[str]] = (FROM_SCRATCH,)
    """Sentences for the model's card."""
    max_scored: ClassVar[int] = 1_000_000
    """Most samples of each row that a training ends with."""

    @abstractmethod
    def trainer(
        self, run: RunFolder[C], folder: Folder, accelerator: Accelerator, *, notify: Notify
    ) -> Trainer:
        """Begin a training, or go on with one. Raises `ModaloomError` for data that it cannot use."""

    @abstractmethod
    def load(self, path: Path, *, device: str = "auto") -> R:
        """Open a finished run. Raises `BadRun` and `BadValue`."""

    @abstractmethod
    def evaluate(
        self,
        run: R,
        folder: Path,
        *,
        rows: Sequence[str] = (),
        n: int,
        seed: int = 0,
        sampling: Mapping[str, Any] | None = None,
        minutes: float | None = None,
        on_row: Callable[[ScoreRow], None] = lambda row: None,
        notify: Notify = silent,
    ) -> list[ScoreRow]:
        """Scores on held-out samples, beside what they must beat; fewer than `n` where `minutes` are short.

        Raises `BadFolder` and `BadValue`.
        """

    def mutual_information(
        self,
        run: R,
        folder: Path,
        *,
        n: int,
        seed: int = 0,
        on_pair: Callable[[MutualInformation], None] = lambda mi: None,
    ) -> list[MutualInformation]:
        """Of every pair of streams; none where there is no likelihood."""
        return []

    def write_samples(self, run: R, folder: Path, *, minutes: float | None = None) -> None:
        """Fill RUN/samples with examples for the report, if there are any; with less where time is short."""

    def refresh_samples(self, run: R) -> None:
        """Make what of RUN/samples needs no data anew."""

    def with_task(self, config: C, task: str, tokenizers: str) -> C:
        """A configuration for one of its tasks, and for the tokenizers of another run where one takes them.

        Args:
            task: one of `tasks`, or empty: as the configuration says.
            tokenizers: a run folder, or empty.

        Raises `BadValue` for tokenizers that are of no use.
        """
        if tokenizers:
            raise BadValue("tokenizers are for a task that refines what they make; add --task refine")
        return config

    def portable(self, config: C) -> C:
        """A configuration without the names of places on this machine, for an exported run."""
        return config

    def commands(self, run: R) -> list[str]:
        """Up to three commands to paste after a training."""
        return []
