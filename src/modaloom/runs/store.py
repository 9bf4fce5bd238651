"""Run folder with a single writer, concurrent readers and atomic file updates."""

import fcntl
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Generic, Self, TypeVar

from modaloom.core.errors import BadRun, BadValue, WorkFailed
from modaloom.core.json_text import from_json, to_json
from modaloom.data.atomic_io import NEW, make_folder, sweep, write_file, write_json
from modaloom.runs.config import VERSION, RunConfig
from modaloom.runs.config_io import from_plain, to_plain

CONFIG, DATA, METRICS, LOCK = "config.json", "data.json", "metrics.jsonl", ".lock"
SCORES, USAGE, INFORMATION = "scores.json", "usage.json", "information.json"
SAMPLES, INDEX, ATLAS = "samples", "index.json", "atlas.json"
PROGRESS = "progress"
"""File names in a run folder; `INDEX` and `ATLAS` are in `SAMPLES`, and an `INDEX` is in `PROGRESS`."""

C = TypeVar("C", bound=RunConfig)

Record = dict[str, Any]
"""One line of metrics.jsonl."""


class RunFiles:
    """Engine-independent read access to a run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def has_data(self) -> bool:
        """Whether `save_data` was called."""
        return (self.path / DATA).exists()

    def data(self) -> Mapping[str, Any]:
        """Content of data.json: streams, specs, split. Raises `BadRun`."""
        return read_json(self.path, DATA)

    def progress(self) -> dict[str, Any]:
        """The index of the samples drawn during training; empty if there is none."""
        try:
            found: dict[str, Any] = from_json((self.path / PROGRESS / INDEX).read_bytes())
            return found
        except (OSError, ValueError):
            return {}

    def metrics(self) -> list[Record]:
        """Records of metrics.jsonl, without incomplete lines."""
        try:
            lines = (self.path / METRICS).read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return []
        return [record for line in lines if (record := _parse(line)) is not None]

    def checkpoints(self, stage: str) -> Path:
        """Folder of a stage's checkpoints."""
        return self.path / "checkpoints" / stage

    @property
    def model(self) -> Path:
        """Folder of the finished model."""
        return self.path / "model"


class RunFolder(RunFiles, Generic[C]):
    """Folder of a run of one engine. Constructed by `create`, `resume` or, read-only, `open`.

    `create` and `resume` lock the run until `close`; use them in a `with` statement. `follow` is for ranks
    that train beside the one that has the lock.

    Args:
        path: the folder.
        config_type: class of the run's configuration, for `run` and `save_run`.
        lock: the locked lock file, or None for read-only access.
        follows: whether another rank writes; what is written here is dropped.
    """

    def __init__(
        self, path: Path, config_type: type[C], lock: IO[str] | None = None, *, follows: bool = False
    ) -> None:
        super().__init__(path)
        self.config_type, self.follows, self._lock = config_type, follows, lock

    @classmethod
    def create(cls, path: Path, run: C) -> Self:
        """Create a run in a missing or empty folder. Raises `BadRun`."""
        try:
            make_folder(path)
        except OSError as error:
            raise BadRun(
                f"{path} cannot be made a run folder ({error.strerror}); choose another --out"
            ) from error
        lock = _acquire(path)
        if any(entry.name not in (LOCK, NEW + CONFIG) for entry in path.iterdir()):
            lock.close()
            raise BadRun(
                f"{path} exists and is not empty; choose another --out, or go on with it by --resume"
            )
        folder = cls(path, type(run), lock)
        folder.save_run(run)
        return folder

    @classmethod
    def resume(cls, path: Path, config_type: type[C]) -> Self:
        """Open an existing run for writing. Raises `BadRun`, also if another process has the lock."""
        cls.open(path, config_type)
        folder = cls(path, config_type, _acquire(path))
        sweep(path)
        return folder

    @classmethod
    def follow(cls, path: Path, config_type: type[C]) -> Self:
        """Open a run that rank 0 writes. Raises `BadRun`."""
        folder = cls(path, config_type, follows=True)
        folder.run()
        return folder

    @classmethod
    def open(cls, path: Path, config_type: type[C]) -> Self:
        """Open an existing run for reading. Raises `BadRun` if missing, damaged or of an unknown version."""
        folder = cls(path, config_type)
        folder.run()
        return folder

    def run(self) -> C:
        """Read the configuration. Raises `BadRun`."""
        try:
            return from_plain(self.config_type, read_config(self.path))
        except BadValue as error:
            raise BadRun(f"{self.path / CONFIG} is damaged or was edited: {error}") from error

    def save_run(self, run: C) -> None:
        """Write the configuration. Raises `WorkFailed`."""
        self.write(CONFIG, to_plain(run))

    def save_data(self, facts: Mapping[str, Any]) -> None:
        """Write data.json from JSON-serializable facts. Raises `WorkFailed`."""
        self.write(DATA, facts)

    def log(self, record: Mapping[str, Any]) -> None:
        """Append a line to metrics.jsonl. Raises `WorkFailed`."""
        if not self._writes():
            return
        try:
            with (self.path / METRICS).open("a", encoding="utf-8") as file:
                file.write(to_json(record) + "\n")
        except OSError as error:
            raise WorkFailed(f"{self.path / METRICS} could not be written ({error.strerror})") from error

    def rewind(self, stage: str, step: int) -> None:
        """Delete a stage's log records after `step`, before these steps are repeated."""

        def stays(record: Record) -> bool:
            return record.get("stage") != stage or record.get("step", 0) <= step

        self._keep(stays)

    def close(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _keep(self, stays: Callable[[Record], bool]) -> None:
        if not self._writes():
            return
        lines = [to_json(record) + "\n" for record in self.metrics() if stays(record)]
        write_file(self.path / METRICS, "".join(lines).encode())

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a JSON file of the run. Raises `WorkFailed`."""
        if self._writes():
            write_json(self.path / name, value)

    def _writes(self) -> bool:
        assert self.follows or self._lock is not None, "this run folder is open for reading"
        return not self.follows


def read_config(path: Path) -> dict[str, Any]:
    """Read the configuration of a run folder as plain data.

    Raises `BadRun` if it is missing, damaged or of another version; for version 1 with instructions.
    """
    plain = read_json(path, CONFIG)
    version = plain.get("version")
    if version == 1:
        folder = _data_folder(path)
        raise BadRun(
            f"{path} is a run of version 1, whose settings have other names; this modaloom reads version "
            f"{VERSION}: train it again (modaloom train {folder} --out NEW), or use it with modaloom 0.1"
        )
    if version is None:
        raise BadRun(f"{path} is no run of modaloom: its {CONFIG} is of another program")
    if version != VERSION:
        raise BadRun(f"{path} is a run of version {version}; this modaloom reads version {VERSION}")
    return plain


def read_json(path: Path, name: str) -> dict[str, Any]:
    """Read a JSON object of a run folder. Raises `BadRun` if it is missing or damaged."""
    try:
        plain = from_json((path / name).read_bytes())
    except OSError as error:
        raise BadRun(f"{path} is no run folder: {name} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise BadRun(f"{path / name} is damaged ({error})") from error
    if not isinstance(plain, dict):
        raise BadRun(f"{path / name} is damaged (no JSON object)")
    return plain


def _data_folder(path: Path) -> str:
    """Data folder recorded in the run, or a placeholder."""
    try:
        return str(read_json(path, DATA)["folder"])
    except (BadRun, LookupError):
        return "FOLDER"


def _acquire(path: Path) -> IO[str]:
    """Lock a run folder; the operating system releases the lock when the process ends. Raises `BadRun`."""
    try:
        lock = (path / LOCK).open("w")
    except OSError as error:
        raise BadRun(f"{path} cannot be written to ({error.strerror})") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise BadRun(f"{path} is being written by another process; wait for it or stop it") from error
    return lock


def _parse(line: str) -> Record | None:
    try:
        record = from_json(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
