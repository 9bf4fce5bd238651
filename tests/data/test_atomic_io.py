"""Writes against kills at every system call, and against a disk that is full."""

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modaloom.core.errors import WorkFailed
from modaloom.data.atomic_io import (
    all_or_none,
    new_file,
    stoppable_folder,
    sweep,
    write_file,
    write_folder,
    write_output,
)

CALLS = ("fsync", "replace", "mkdir", "unlink")
"""What a write asks of the system, besides the write itself."""

OLD_FILES, NEW_FILES = {"a": b"old", "b": b"old too"}, {"a": b"new", "c": b"new too"}


class Killed(BaseException):
    """No handler of ours may catch it, as none runs after SIGKILL."""


@contextmanager
def failing(
    monkeypatch: pytest.MonkeyPatch, at: int, make: Callable[[], BaseException]
) -> Iterator[list[str]]:
    """Let the system call number `at` fail; yields the calls so far."""
    calls: list[str] = []

    def guard(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            calls.append(name)
            if len(calls) == at + 1:
                raise make()
            return real(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, guard(name, getattr(os, name)))
        yield calls


def content(path: Path) -> object:
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir()}
    return path.read_bytes()


WRITES: dict[str, tuple[Callable[[Path], None], Callable[[Path], None], object, object]] = {
    "file": (lambda p: write_file(p, b"old"), lambda p: write_file(p, b"new"), b"old", b"new"),
    "folder": (
        lambda p: write_folder(p, OLD_FILES),
        lambda p: write_folder(p, NEW_FILES),
        OLD_FILES,
        NEW_FILES,
    ),
}


def disk_full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("at", range(12))
def test_killed_at_any_call(kind: str, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, old, new = WRITES[kind]
    path = tmp_path / "x"
    first(path)
    finished = False
    with failing(monkeypatch, at, Killed):
        try:
            second(path)
            finished = True
        except Killed:
            pass
    sweep(tmp_path)
    assert content(path) in ([new] if finished else [old, new])
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("at", range(12))
def test_disk_full_at_any_call(kind: str, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, old, new = WRITES[kind]
    path = tmp_path / "x"
    first(path)
    said = None
    with failing(monkeypatch, at, disk_full):
        try:
            second(path)
        except WorkFailed as error:
            said = str(error)
    assert content(path) in (old, new)
    if said is None:
        assert content(path) == new
    else:
        assert "No space left" in said
        assert str(path) in said
    sweep(tmp_path)
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("kind", WRITES)
def test_the_system_itself_refuses_to_write(kind: str, tmp_path: Path) -> None:
    """A limit on the size of files fails in `write`, as a full disk does."""
    first, _, old, _ = WRITES[kind]
    path = tmp_path / "x"
    first(path)
    big = b"x" * 100_000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(WorkFailed, match="too large"):
            write_file(path, big) if kind == "file" else write_folder(path, {"a": b"fits", "b": big})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert content(path) == old
    assert os.listdir(tmp_path) == ["x"]


def test_order_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Content, then the name, then the folder of the name: anything else can lose data to a power cut."""
    for kind, order in (("file", "fsync replace fsync"), ("folder", "mkdir fsync fsync fsync replace fsync")):
        with failing(monkeypatch, 10**6, Killed) as calls:
            WRITES[kind][0](tmp_path / kind)
        assert [name for name in calls if name != "unlink"] == order.split()


def test_new_folders_on_the_way_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with failing(monkeypatch, 10**6, Killed) as calls:
        write_file(tmp_path / "a" / "b" / "x", b"new")
    assert [name for name in calls if name != "unlink"][:4] == ["mkdir", "fsync", "mkdir", "fsync"]


def test_sweep_gives_back_what_lost_its_successor(tmp_path: Path) -> None:
    write_folder(tmp_path / "x", OLD_FILES)
    (tmp_path / "x").rename(tmp_path / ".old-x")
    (tmp_path / ".new-x").mkdir()
    (tmp_path / ".new-x" / "a").write_bytes(b"half")
    sweep(tmp_path)
    assert content(tmp_path / "x") == OLD_FILES
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("no")])
def test_what_stops_a_write_leaves_the_old_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    """At once, without a sweep."""
    write_file(tmp_path / "x", b"old")
    with pytest.raises(type(error)), new_file(tmp_path / "x") as file:  # noqa: PT012 - after a write
        file.write(b"half")
        raise error
    assert content(tmp_path / "x") == b"old"
    assert os.listdir(tmp_path) == ["x"]


def test_nobody_elses_unfinished_work_is_touched(tmp_path: Path) -> None:
    """A failed write undoes itself alone."""
    (tmp_path / ".new-other").write_bytes(b"being written")
    with pytest.raises(KeyboardInterrupt), new_file(tmp_path / "x"):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == [".new-other"]


def test_an_output_keeps_links_and_pipes(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_output(tmp_path / "link", b"through the link")
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "file") == b"through the link"
    os.mkfifo(tmp_path / "pipe")
    end = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_output(tmp_path / "pipe", b"into the pipe")
    assert os.read(end, 100) == b"into the pipe"
    os.close(end)
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
def test_a_stopped_folder_keeps_its_whole_files(tmp_path: Path, error: type[BaseException]) -> None:
    def write(name: str, n: int) -> None:
        with stoppable_folder(tmp_path / name, "files", lambda: n) as root:
            for i in range(n):
                (root / f"{i}").write_text("whole")
            with all_or_none(root / "half", root / "never"):
                (root / "half").write_text("ha")
                raise error

    for name, n in (("some", 2), ("none", 0)):
        with pytest.raises(error) as stopped:
            write(name, n)
        if error is KeyboardInterrupt:
            said = f"2 finished files are in {tmp_path / name}" if n else "no finished files are kept"
            assert str(stopped.value) == said
    assert content(tmp_path / "some") == {"0": b"whole", "1": b"whole"}
    assert [path.name for path in tmp_path.iterdir()] == ["some"]


def test_a_folder_that_is_stopped_while_it_takes_its_name_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And does not say otherwise."""

    def write() -> None:
        with stoppable_folder(tmp_path / "out", "files", lambda: 1) as root:
            (root / "a").write_text("whole")

    with (
        failing(monkeypatch, 1, KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt, match="no finished files"),
    ):
        write()
    assert not [*tmp_path.iterdir()]


def test_other_errors_leave_nothing_in_a_stoppable_folder(tmp_path: Path) -> None:
    def write() -> None:
        with stoppable_folder(tmp_path / "out", "files", lambda: 1) as root:
            (root / "a").write_text("whole")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert not [*tmp_path.iterdir()]
