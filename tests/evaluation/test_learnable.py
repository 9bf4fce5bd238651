"""What a few samples can teach, against refitting without each sample."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import modaloom.api as modaloom
from modaloom.core.rng import generator
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.evaluation.baselines import RIDGE_PENALTY
from modaloom.evaluation.learnable import few_samples, link


def left_out(x: np.ndarray, y: np.ndarray) -> float:
    """Oracle: ridge regression, fitted anew without each row, with a constant feature of large weight."""
    scale = np.square(x).sum(1).mean()

    def error(x: np.ndarray) -> float:
        total = 0.0
        for i in range(len(x)):
            rest = np.arange(len(x)) != i
            a = x[rest].T @ x[rest] + RIDGE_PENALTY * scale * np.eye(x.shape[1])
            total += np.square(y[i] - x[i] @ np.linalg.solve(a, x[rest].T @ y[rest])).sum()
        return total

    constant = np.full((len(x), 1), np.sqrt(1e3 * scale))
    return 1 - error(np.hstack([x, constant])) / error(constant)


def test_the_explained_variance_is_that_of_refitting() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(30, 5))
    y = x[:, :2] @ random.normal(size=(2, 3)) + random.normal(size=(30, 3)) + 7
    explained, p = link(torch.from_numpy(x), torch.from_numpy(y), generator(0))
    assert explained == pytest.approx(left_out(x, y), abs=1e-6)
    assert p == pytest.approx(1 / 200)


def test_independent_streams_are_found_at_the_level_of_the_test() -> None:
    random = np.random.default_rng(1)
    ps = [
        link(*(torch.from_numpy(random.normal(size=(20, 4))) for _ in range(2)), generator(i))[1]
        for i in range(200)
    ]
    assert np.mean(np.array(ps) <= 0.05) < 0.1  # 0.05 expected; a binomial of 200 exceeds 0.1 in 1 of 500
    assert 0.4 < np.mean(ps) < 0.6


def test_a_constant_stream_is_no_finding() -> None:
    x, y = torch.randn(20, 3, generator=generator(0)), torch.zeros(20, 2)
    assert link(x, y, generator(0))[1] == 1


def folder(root: Path, n: int) -> Path:
    """Pictures whose colour has a name, and a text of its own that says nothing."""
    root.mkdir()
    random = np.random.default_rng(0)
    for i in range(n):
        red = bool(random.integers(2))
        Image.new("RGB", (8, 8), (200 if red else 20, 30, 60)).save(root / f"{i:03d}.image.png")
        (root / f"{i:03d}.name.txt").write_text("red" if red else "dark")
        (root / f"{i:03d}.note.txt").write_text(" ".join(random.choice([*"abcdefgh"], 6)))
    return root


def test_inspect_says_what_is_linked_and_what_is_not(tmp_path: Path) -> None:
    advice = modaloom.inspect(folder(tmp_path / "few", 60)).advice
    (linked,) = [one for one in advice if "can be learned" in one]
    (chance,) = [one for one in advice if "no more than chance" in one]
    assert "image->name" in linked
    assert "name->image" in linked
    assert "note" not in linked
    for name in ("image->note", "note->image", "name->note", "note->name"):
        assert name in chance
    assert advice[-1].startswith("Train with")


@pytest.mark.parametrize("n", [6, 320])
def test_too_few_and_enough_samples_say_nothing(tmp_path: Path, n: int) -> None:
    advice = modaloom.inspect(folder(tmp_path / "data", n)).advice
    assert not any("samples, each predicted" in one for one in advice)


def test_a_part_of_the_files_says_nothing_of_all(tmp_path: Path) -> None:
    advice = modaloom.inspect(folder(tmp_path / "data", 60), limit=40).advice
    assert not any("samples, each predicted" in one for one in advice)


def test_many_findings_are_bounded(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    for i in range(30):
        for name in ("a", "b", "c", "d"):
            (root / f"{i:02d}.{name}.txt").write_text("red" if i % 2 else "blue")
    (linked,) = [one for one in modaloom.inspect(root).advice if "can be learned" in one]
    assert linked.endswith("and 7 more")


def test_one_stream_has_no_links(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    for i in range(30):
        (root / f"{i}.txt").write_text(f"{i}")
    index = open_folder(root)
    assert few_samples(Reader(index), index.samples) == []
