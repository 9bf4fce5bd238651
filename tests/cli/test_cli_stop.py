"""`generate` and `restore` show their steps; Ctrl-C keeps what is finished, whole, and says so."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calling import call, done, tree
from PIL import Image
from test_cli_restore import SMALL

import modaloom.api as modaloom
from modaloom.diffusion.samplers import CODE_SAMPLERS
from modaloom.diffusion.samplers.continuous import SIGNAL_SAMPLERS
from modaloom.modalities import MODALITIES
from modaloom.progress import Progress

STEPS = 3


@pytest.fixture(scope="module")
def vary(world: Path, place: Path) -> Path:
    done("train", world, "--task", "vary", "--out", place / "stopped-vary", *SMALL)
    return place / "stopped-vary"


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two samples at a time."""
    for name in ("modaloom.loom.model.BATCH_SIZE", "modaloom.loom.jobs.BATCH_SIZE"):
        monkeypatch.setattr(name, 2)


def interrupted(fn: Callable[..., Iterator[Any]], at: int) -> Callable[..., Iterator[Any]]:
    """A sampler that is stopped by Ctrl-C in its step number `at`, counted over all calls."""
    steps = 0

    def run(*args: Any, **options: Any) -> Iterator[Any]:
        nonlocal steps
        for state in fn(*args, **options):
            steps += 1
            if steps == at:
                raise KeyboardInterrupt
            yield state

    return run


def generating(run: Path, out: Path) -> tuple[object, ...]:
    asked = ("--given", "caption=a red circle", "--want", "image", "--n", 6, "--steps", STEPS)
    return ("generate", run, *asked, "--sampler", "ancestral", "--out", out)


def test_steps_are_shown_with_the_time_that_is_left(run: Path, tmp_path: Path) -> None:
    shown = done(*generating(run, tmp_path / "out")).stderr
    assert re.search(r"^steps 1/3 · image, 0 samples$", shown, re.M)
    assert re.search(r"^steps 3/3 · [\d.]+/s · 0 s left · image, 6 samples$", shown, re.M)


def test_a_stop_within_a_step_keeps_the_samples_that_are_finished(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_batches: None
) -> None:
    """Two batches of two are, and the third is at its second step."""
    done(*generating(run, tmp_path / "whole"))
    fns = CODE_SAMPLERS["ancestral"].fns
    monkeypatch.setitem(fns, "masked", interrupted(fns["masked"], 2 * STEPS + 2))  # type: ignore[arg-type]
    result = call(*generating(run, tmp_path / "out"))
    assert result.exit_code == 130
    said = f"error: stopped; 4 finished samples are in {tmp_path / 'out'}"
    assert result.stderr.splitlines()[-1] == said
    assert result.stdout == ""
    whole, kept = tree(tmp_path / "whole"), tree(tmp_path / "out")
    assert sorted(kept) == ["0000.image.png", "0001.image.png", "0002.image.png", "0003.image.png",
                            "_provenance.jsonl"]  # fmt: skip
    lines = [(tmp_path / out / "_provenance.jsonl").read_text().splitlines() for out in ("whole", "out")]
    assert lines[0][:4] == lines[1]
    assert {name: whole[name] for name in kept if name.endswith(".png")}.items() <= kept.items()
    assert {path.name for path in tmp_path.iterdir()} == {"whole", "out"}


def test_a_stop_between_two_steps_keeps_them_too(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_batches: None
) -> None:
    """Ctrl-C while the progress is shown: outside of the work, which is told of it."""

    def show(self: Progress, name: str, done: int, *rest: object) -> None:
        if done == 2 * STEPS + 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "show", show)
    result = call(*generating(run, tmp_path / "out"))
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == f"error: stopped; 4 finished samples are in {tmp_path / 'out'}"
    assert len([*(tmp_path / "out").glob("*.png")]) == 4
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_a_stop_before_anything_is_finished_leaves_nothing(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fns = CODE_SAMPLERS["ancestral"].fns
    monkeypatch.setitem(fns, "masked", interrupted(fns["masked"], 2))  # type: ignore[arg-type]
    result = call(*generating(run, tmp_path / "out"))
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "error: stopped; no finished samples are kept"
    assert not [*tmp_path.iterdir()]


def test_a_stop_while_a_sample_is_written_leaves_no_part_of_it(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_batches: None
) -> None:
    """The third picture is half written, its caption not at all."""
    image, written = MODALITIES["image"], []

    def write(value: Any, path: Path) -> None:
        written.append(path)
        image.write(value, path)
        if len(written) == 3:
            path.write_bytes(path.read_bytes()[:40])
            raise KeyboardInterrupt

    monkeypatch.setitem(MODALITIES, "image", replace(image, write=write))
    words = ("generate", run, "--want", "image,caption", "--n", 6, "--steps", 2, "--out", tmp_path / "out")
    result = call(*words)
    assert result.exit_code == 130
    assert f"stopped; 2 finished samples are in {tmp_path / 'out'}" in result.stderr
    names = [f"000{i}.{name}" for i in (0, 1) for name in ("caption.txt", "image.png")]
    assert sorted(tree(tmp_path / "out")) == [*names, "_provenance.jsonl"]


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    rng, folder = np.random.default_rng(0), tmp_path / "in"
    folder.mkdir()
    for i in range(4):
        Image.fromarray(rng.integers(0, 256, (9, 14, 3), np.uint8)).save(folder / f"{i}.png")
    return sorted(folder.iterdir())


def test_restore_shows_steps_and_keeps_what_is_finished(
    vary: Path, pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("restore", vary, *pictures, "--steps", STEPS, "--sampler", "euler", "--out")
    shown = done(*asked, tmp_path / "whole").stderr
    assert re.search(r"^steps 1/12 · image, 0 files$", shown, re.M)
    assert re.search(r"^steps 12/12 · [\d.]+/s · 0 s left · image, 4 files$", shown, re.M)
    euler = SIGNAL_SAMPLERS["euler"]
    monkeypatch.setitem(SIGNAL_SAMPLERS, "euler", replace(euler, fn=interrupted(euler.fn, 2 * STEPS + 2)))
    result = call(*asked, tmp_path / "out")
    assert result.exit_code == 130
    said = f"error: stopped; 2 finished files are in {tmp_path / 'out'}"
    assert result.stderr.splitlines()[-1] == said
    whole = tree(tmp_path / "whole")
    assert tree(tmp_path / "out") == {name: whole[name] for name in ("0.png", "1.png")}
    assert {path.name for path in tmp_path.iterdir()} == {"in", "whole", "out"}


def test_results_that_are_closed_keep_what_is_finished(
    run: Path, tmp_path: Path, small_batches: None
) -> None:
    """And a stream that was never begun writes nothing."""
    asked: dict[str, Any] = {"given": {"caption": "a red circle"}, "want": "image", "n": 6}
    results = modaloom.generate(run, **asked, out=tmp_path / "out", sampling={"steps": 2})
    assert next(results).key == "0000"
    results.close()
    assert [*results] == []
    assert sorted(tree(tmp_path / "out"))[:2] == ["0000.image.png", "0001.image.png"]
    modaloom.generate(run, **asked, out=tmp_path / "never").close()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_is_counted_before_it_is_read(run: Path, world: Path, tmp_path: Path) -> None:
    """Of three pictures without captions one cannot be read; a caption lacks its picture."""
    gaps = tmp_path / "gaps"
    gaps.mkdir()
    picture = (world / "test-seen" / "000001.image.png").read_bytes()
    for name, content in {"a": picture, "b": b"no picture", "c": picture}.items():
        (gaps / f"{name}.image.png").write_bytes(content)
    (gaps / "d.caption.txt").write_text("a large blue square\n")
    results = modaloom.generate(run, gaps, want="missing", out=tmp_path / "out", sampling={"steps": 2})
    frames: list[tuple[str, int, int, list[str]]] = []
    with pytest.raises(modaloom.PartlyFailed, match=r"b\.image\.png"):
        frames.extend(
            (frame.stream, frame.step, frame.total, [s.key for s in frame.result or ()])
            for frame in results.frames
        )
    assert frames == [
        ("caption", 1, 4, []),
        ("caption", 2, 4, ["a", "c"]),
        ("image", 3, 4, []),
        ("image", 4, 4, ["d"]),
    ]


def test_sigint_to_the_process(run: Path, tmp_path: Path) -> None:
    """As a terminal sends it, at the first step that is shown. A shell's background job would ignore it."""
    words = ("generate", run, "--want", "image,caption", "--n", 5000, "--out", tmp_path / "out")
    command = [sys.executable, "-m", "modaloom", *map(str, words)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as child:
        assert child.stderr is not None
        while not (line := child.stderr.readline()).startswith("steps "):
            assert line, "it ended before its first step"
        child.send_signal(signal.SIGINT)
        out, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert out == ""
    (said,) = (line for line in errors.splitlines() if line.startswith("error: stopped; "))
    assert "Traceback" not in errors
    pictures = [*(tmp_path / "out").glob("*.image.png")] if (tmp_path / "out").exists() else []
    assert said.startswith(f"error: stopped; {len(pictures) or 'no'} ")
    for path in pictures:
        Image.open(path).load()
    assert {path.name for path in tmp_path.iterdir()} <= {"out"}
