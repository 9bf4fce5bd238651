"""The run folder: one writer, any number of readers, and every file whole at any moment."""

import fcntl
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from modaloom.core.errors import BadRun, BadValue, WorkFailed
from modaloom.runs.atomic_io import NEW, make_folder, sweep, write_file, write_json
from modaloom.runs.config import VERSION, Run, from_dict, to_dict

CONFIG, DATA, METRICS, LOCK = "config.json", "data.json", "metrics.jsonl", ".lock"

Record = dict[str, Any]
"""A line of metrics.jsonl."""


class RunFolder:
    """A folder that holds a run. Made by `create`, `resume` or, to read only, `open`.

    The first two hold the run's lock until `close`; use them in a `with`.
    """

    def __init__(self, path: Path, lock: IO[str] | None = None) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def create(cls, path: Path, run: Run) -> Self:
        """A new run in a folder that is absent or empty. Raises `BadRun`."""
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
        folder = cls(path, lock)
        folder.save_run(run)
        return folder

    @classmethod
    def resume(cls, path: Path) -> Self:
        """An existing run, to write to. Raises `BadRun`, also while another process writes to it."""
        cls.open(path)
        folder = cls(path, _acquire(path))
        sweep(path)
        return folder

    @classmethod
    def open(cls, path: Path) -> Self:
        """An existing run, to read. Raises `BadRun` if it is missing, damaged or of an unknown version."""
        folder = cls(path)
        folder.run()
        return folder

    def run(self) -> Run:
        """The configuration. Raises `BadRun`."""
        plain = self._read(CONFIG)
        version = plain.get("version")
        if version != VERSION:
            raise BadRun(f"{self.path} is a run of version {version}; this modaloom reads version {VERSION}")
        try:
            return from_dict(plain)
        except BadValue as error:
            raise BadRun(f"{self.path / CONFIG} is damaged or was edited: {error}") from error

    def save_run(self, run: Run) -> None:
        """Write the configuration. Raises `WorkFailed`."""
        self._write(CONFIG, to_dict(run))

    def has_data(self) -> bool:
        """Whether `save_data` was reached."""
        return (self.path / DATA).exists()

    def data(self) -> Mapping[str, Any]:
        """What `save_data` wrote: streams, specs, split. Raises `BadRun`."""
        return self._read(DATA)

    def save_data(self, facts: Mapping[str, Any]) -> None:
        """Write JSON-able facts about the data. Raises `WorkFailed`."""
        self._write(DATA, facts)

    def log(self, record: Mapping[str, Any]) -> None:
        """Append a line to metrics.jsonl. Raises `WorkFailed`."""
        self._check_writer()
        try:
            with (self.path / METRICS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise WorkFailed(f"{self.path / METRICS} could not be written ({error.strerror})") from error

    def metrics(self) -> list[Record]:
        """The lines of metrics.jsonl; a line that a kill cut short is not one."""
        try:
            lines = (self.path / METRICS).read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return []
        return [record for line in lines if (record := _parse(line)) is not None]

    def rewind(self, stage: str, step: int) -> None:
        """Forget what the log says of a stage after `step`: it is about to happen again."""

        def stays(record: Record) -> bool:
            return record.get("stage") != stage or record.get("step", 0) <= step

        self._keep(stays)

    def checkpoints(self, stage: str) -> Path:
        """Where a stage's checkpoints lie."""
        return self.path / "checkpoints" / stage

    @property
    def model(self) -> Path:
        """Where the finished model lies."""
        return self.path / "model"

    def close(self) -> None:
        """Let another writer in."""
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
        self._check_writer()
        lines = [json.dumps(record) + "\n" for record in self.metrics() if stays(record)]
        write_file(self.path / METRICS, "".join(lines).encode())

    def _check_writer(self) -> None:
        assert self._lock is not None, "this run folder is open for reading"

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        self._check_writer()
        write_json(self.path / name, value)

    def _read(self, name: str) -> dict[str, Any]:
        path = self.path / name
        try:
            plain = json.loads(path.read_bytes())
        except OSError as error:
            raise BadRun(f"{self.path} is no run folder: {name} cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise BadRun(f"{path} is damaged ({error})") from error
        if not isinstance(plain, dict):
            raise BadRun(f"{path} is damaged (no JSON object)")
        return plain


def _acquire(path: Path) -> IO[str]:
    """Take the lock of a run folder; the system drops it when the process ends, however it ends."""
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
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
