"""One tiny world and one tiny run for all tests of the command line."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from calling import SMALL, Call, call, done, tree
from typer.testing import Result


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the world and the run lie."""
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="session")
def world(place: Path) -> Path:
    done("world", place / "world", "--n", 40, "--streams", "image,caption")
    return place / "world"


@pytest.fixture(scope="session")
def trained(place: Path, world: Path) -> Result:
    """What `train` printed."""
    return done("train", world, "--out", place / "run", "--steps", 3, "--seed", 5, *SMALL)


@pytest.fixture(scope="session")
def run(place: Path, trained: Result) -> Path:
    return place / "run"


@pytest.fixture
def refused(tmp_path: Path) -> Iterator[Call]:
    """A call that has to be refused: exit code 2, one line, and nothing written under tmp_path."""

    def check(*words: object, names: str) -> Result:
        before, here = tree(tmp_path), Path.cwd()
        os.chdir(tmp_path)
        try:
            result = call(*words)
        finally:
            os.chdir(here)
        assert result.exit_code == 2, result.output
        first, *rest = result.stderr.splitlines()
        assert first.startswith("error: ")
        assert names in first
        assert all(line.startswith("  ") for line in rest), result.stderr  # a list of files may follow
        assert result.stdout == ""
        assert tree(tmp_path) == before
        return result

    return check
