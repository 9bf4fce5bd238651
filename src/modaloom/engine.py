"""Interface of an engine: configuration, training, loading and evaluation of one type of model.

`engines.py` has the registry.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from modaloom.core.defaults import DEVICE, EVALUATION_SAMPLES, SEED
from modaloom.core.errors import BadValue
from modaloom.core.graph import Graph
from modaloom.data.folder import Folder
from modaloom.data.notices import Notify, silent
from modaloom.data.reader import Reader
from modaloom.evaluation.mutual_information import MutualInformation
from modaloom.evaluation.rows import ScoreRow
from modaloom.runs.card import PIPELINE
from modaloom.runs.config import RunConfig
from modaloom.runs.model import Part
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Step

FROM_SCRATCH = "Trained from scratch on the data above and nothing else; outside of it, it guesses."
"""A limitation of every model, for the model card."""


class FinishedRun(Protocol):
    """A finished run, loaded on a device."""

    @property
    def path(self) -> Path:
        """The run folder."""

    @property
    def run(self) -> RunConfig:
        """Its configuration; `engine` is a name in ENGINES."""

    @property
    def hash(self) -> str:
        """Hash of the model's weights and state."""

    @property
    def device(self) -> str:
        """Device type of the weights: cpu, cuda or mps."""


@dataclass(frozen=True)
class EvaluationOptions:
    """How a run is scored."""

    rows: Sequence[str] = ()
    """Names of rows; empty: all."""
    n: int = EVALUATION_SAMPLES
    """Maximum number of samples per row and split, at least 1."""
    seed: int = SEED
    """Seed of samples and intervals."""
    sampling: Mapping[str, Any] | None = None
    """Sampling settings that differ from the run's; None: none."""
    minutes: float | None = None
    """Approximate time budget; if it is short, fewer samples are scored. None: unlimited."""
    most: int | None = None
    """Maximum number of directions, those that are wanted most; None: all."""
    on_row: Callable[[ScoreRow], None] = lambda row: None
    """Gets each row as soon as it is computed."""
    notify: Notify = silent
    """Gets messages about unreadable files, short time and directions that are left out."""


@dataclass(frozen=True)
class Exportable:
    """A model as graphs, and what a program without torch needs beside them."""

    graphs: Mapping[str, Graph]
    facts: Mapping[str, Any]
    """JSON-serializable, for model.json."""
    program: Path
    """Folder of the program's files."""


class Trainer(Protocol):
    """Trains a model. Iterate over `steps`; afterwards `parts` returns the trained model."""

    @property
    def stages(self) -> list[str]:
        """Names of the stages, in order."""

    @property
    def reader(self) -> Reader:
        """The folder's reader, which lists skipped files."""

    def steps(self) -> Iterator[Step]:
        """Trains every stage and yields after each step."""

    def parts(self) -> dict[str, Part]:
        """Returns the parts of the trained model."""

    def usage(self) -> Mapping[str, Any]:
        """Tokenizer → counts of each code at each depth in the training codes; empty without codes."""


C = TypeVar("C", bound=RunConfig)
R = TypeVar("R", bound=FinishedRun)


class Engine(ABC, Generic[C, R]):
    """A type of model: configuration, training, loading, evaluation and samples of its runs."""

    config: ClassVar[type[RunConfig]]
    """Configuration class; its `engine` is the name in ENGINES."""
    presets: ClassVar[Mapping[str, Callable[[], RunConfig]]]
    """Preset → complete configuration; all engines have the same presets."""
    tasks: ClassVar[Collection[str]] = ()
    """Values of `--task`; without a task, the first engine in ENGINES is trained."""
    limits: ClassVar[Sequence[str]] = (FROM_SCRATCH,)
    """Limitations, as sentences for the model card."""
    max_scored: ClassVar[int] = 1_000_000
    """Maximum number of samples per row in the evaluation at the end of a training."""

    def choose(
        self,
        folder: Folder,
        complete: Callable[[C], C],
        minutes: float,
        accelerator: Accelerator,
        *,
        notify: Notify,
    ) -> C:
        """Returns the configuration of the preset "auto" for data, device and time; by default the first.

        Args:
            folder: the data.
            complete: applies the user's own settings to a preset's configuration.
            minutes: time budget of the training, > 0.
            accelerator: device and precision.
            notify: gets a sentence that says what was chosen and why.

        Raises:
            ModaloomError: unusable data or settings.
        """
        first: Callable[[], Any] = next(iter(self.presets.values()))
        return complete(first())

    def with_start(self, config: C, folder: Folder, *, tokenizers: str = "", weights: str = "") -> C:
        """Returns the configuration of a training that starts from other runs.

        Args:
            config: the configuration.
            folder: the data.
            tokenizers: a run whose tokenizers are taken as they are.
            weights: a run whose tokenizers and other weights are the start.

        Raises:
            BadRun: a run that does not fit.
            BadValue: by default: this kind of model starts from no other run.
        """
        if weights:
            raise BadValue("this kind of model starts from no other run; leave --from out")
        return config

    @abstractmethod
    def trainer(
        self, run: RunFolder[C], folder: Folder, accelerator: Accelerator, *, notify: Notify
    ) -> Trainer:
        """Starts or resumes a training.

        Args:
            run: the run folder.
            folder: the data.
            accelerator: device and precision.
            notify: gets messages about the data and the training.

        Raises:
            ModaloomError: unusable data.
        """

    @abstractmethod
    def load(self, path: Path, *, device: str = DEVICE) -> R:
        """Loads a finished run. Raises `BadRun` and `BadValue`."""

    @abstractmethod
    def evaluate(self, run: R, folder: Path, options: EvaluationOptions) -> list[ScoreRow]:
        """Scores a run on held-out samples, with baselines.

        Raises:
            BadFolder: no held-out data, or a missing stream.
            BadValue: an unknown row, or an option out of its range.
        """

    def mutual_information(
        self,
        run: R,
        folder: Path,
        *,
        n: int,
        seed: int = SEED,
        on_pair: Callable[[MutualInformation], None] = lambda mi: None,
    ) -> list[MutualInformation]:
        """Returns the mutual information of every pair of streams; empty for a model without likelihoods.

        Args:
            run: the run.
            folder: the data.
            n: maximum number of samples per pair.
            seed: seed of samples and masks.
            on_pair: gets each estimate as soon as it is computed.
        """
        return []

    def write_snapshot(self, trainer: Trainer, step: Step) -> None:
        """Writes fixed held-out samples of the model at this step of its training, for the report."""

    def write_samples(self, run: R, folder: Path, *, minutes: float | None = None) -> None:
        """Writes samples for the report to RUN/samples; fewer if `minutes` are short. None: unlimited."""

    def refresh_samples(self, run: R) -> None:
        """Rewrites those files of RUN/samples that need no data."""

    def with_task(self, config: C, task: str, tokenizers: str) -> C:
        """Returns the configuration for a task and another run's tokenizers.

        Args:
            config: the configuration.
            task: one of `tasks`; empty: unchanged.
            tokenizers: a run folder; empty: unchanged.

        Raises:
            BadValue: the task takes no tokenizers.
        """
        if tokenizers:
            raise BadValue("tokenizers are for a task that refines what they make; add --task refine")
        return config

    def pipeline(self, parts: Mapping[str, Part]) -> str:
        """Returns the hub's name of what a model does (https://huggingface.co/tasks), for its card."""
        return PIPELINE

    def exportable(self, run: R) -> Exportable:
        """Returns a run for export as ONNX. Raises `BadValue`; by default, no run of this engine is."""
        raise BadValue(f"{run.path} is a run of the {run.run.engine}, which is not exported as ONNX")

    def commands(self, run: R) -> list[str]:
        """Returns up to three example commands that are shown after a training."""
        return []
