"""The run folder: made once, written by one, read by any, and honest about what it is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modaloom.core.errors import BadRun
from modaloom.loom.config import LoomRunConfig
from modaloom.runs.config_io import override
from modaloom.runs.store import RunFolder


def test_there_and_back(tmp_path: Path) -> None:
    run = override(LoomRunConfig(), ["seed=4"])
    with RunFolder.create(tmp_path / "deep" / "run", run) as folder:
        folder.save_data({"streams": ["image"]})
    again = RunFolder.open(tmp_path / "deep" / "run", LoomRunConfig)
    assert again.run() == run
    assert again.data() == {"streams": ["image"]}
    assert again.metrics() == []


def test_an_out_that_exists(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(BadRun, match=r"not empty.*--out.*--resume"):
        RunFolder.create(tmp_path, LoomRunConfig())
    assert (tmp_path / "mine.txt").read_text() == "precious"
    assert not (tmp_path / "config.json").exists()
    with pytest.raises(BadRun, match="choose another --out"):
        RunFolder.create(tmp_path / "mine.txt", LoomRunConfig())


def test_a_creation_that_was_killed_can_be_repeated(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    (tmp_path / ".new-config.json").write_text("{")
    RunFolder.create(tmp_path, LoomRunConfig()).close()
    assert RunFolder.open(tmp_path, LoomRunConfig).run() == LoomRunConfig()


def test_two_writers(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, LoomRunConfig()):
        with pytest.raises(BadRun, match="another process"):
            RunFolder.resume(tmp_path, LoomRunConfig)
        assert RunFolder.open(tmp_path, LoomRunConfig).run() == LoomRunConfig()
    RunFolder.resume(tmp_path, LoomRunConfig).close()


def test_a_writer_in_another_process_and_its_death(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, LoomRunConfig()).close()
    lock = str(tmp_path / ".lock")
    code = f"import fcntl, time; f = open({lock!r}); fcntl.flock(f, 2); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(BadRun, match="another process"):
            RunFolder.resume(tmp_path, LoomRunConfig)
        other.kill()
        other.wait()
    RunFolder.resume(tmp_path, LoomRunConfig).close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, LoomRunConfig()).close()
    for write in (lambda f: f.log({}), lambda f: f.save_run(LoomRunConfig()), lambda f: f.rewind("loom", 0)):
        with pytest.raises(AssertionError):
            write(RunFolder.open(tmp_path, LoomRunConfig))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "config.json cannot be read"),
        ("{", "damaged"),
        ("\x00\xff", "damaged"),
        ("[]", "damaged"),
        ('{"version": 3}', "version 3"),
        ('{"version": 1}', r"version 1.*reads version 2: train it again \(modaloom train FOLDER --out NEW\)"),
        ("{}", "another program"),
        ('{"version": 2, "sed": 3}', "sed.*seed"),
        ('{"version": 2, "seed": "3"}', "seed"),
    ],
)
def test_what_is_no_run(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content, encoding="latin-1")
    for way in (RunFolder.open, RunFolder.resume):
        with pytest.raises(BadRun, match=words):
            way(tmp_path, LoomRunConfig)


def test_rewinding_keeps_the_log_truthful(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, LoomRunConfig()) as folder:
        lines = [("tokenizer", 10), ("tokenizer", 20), ("loom", 10), ("loom", 20), ("loom", 30)]
        for stage, step in lines:
            folder.log({"stage": stage, "step": step})
        folder.log({"note": "no stage"})
        with (tmp_path / "metrics.jsonl").open("a") as file:
            file.write('{"stage": "loom", "st')
        assert len(RunFolder.open(tmp_path, LoomRunConfig).metrics()) == 6
        folder.rewind("loom", 20)
        folder.log({"stage": "loom", "step": 30})
    kept = [(r.get("stage"), r.get("step")) for r in RunFolder.open(tmp_path, LoomRunConfig).metrics()]
    assert kept == [*lines[:4], (None, None), ("loom", 30)]
    text = (tmp_path / "metrics.jsonl").read_text()
    assert [json.loads(line) for line in text.splitlines()] == RunFolder.open(
        tmp_path, LoomRunConfig
    ).metrics()


def test_resuming_sweeps(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, LoomRunConfig()).close()
    (tmp_path / ".new-data.json").write_text("{")
    RunFolder.resume(tmp_path, LoomRunConfig).close()
    assert sorted(os.listdir(tmp_path)) == [".lock", "config.json"]
