"""Every command, end to end, on a tiny world."""

import json
import re
import shlex
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from calling import done, tree
from typer.testing import Result

from modaloom import __version__
from modaloom.api import CodeSamplingConfig
from modaloom.bench import BENCHES, BenchmarkResult
from modaloom.cli import COMMANDS


def test_help_needs_no_torch() -> None:
    code = "import sys, modaloom.cli; print(any(m in sys.modules for m in ('torch', 'rich', 'pydantic')))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_version_and_help() -> None:
    assert done("--version").stdout == f"modaloom {__version__}\n"
    verbs = (
        "demo inspect shard train generate probabilities restore tokenize detokenize cut evaluate audit "
        "explain chat report export world bench"
    )
    listed = done().stdout.split("Commands:")[1]
    assert [line.split()[0] for line in listed.strip().splitlines()] == verbs.split()


def test_no_help_shows_the_code_behind_it() -> None:
    for verb in COMMANDS:
        assert not re.search(r"(options|printing)\.\w", done(verb.__name__, "--help").stdout), verb


def test_every_field_of_sampling_is_an_option() -> None:
    text = " ".join(done("generate", "--help").stdout.split())
    for name in vars(CodeSamplingConfig()):
        assert re.search(rf"--{name.replace('_', '-')} <\w+> [^\[]*\[default: the run's\]", text), name


def test_world_is_reproducible(world: Path, tmp_path: Path) -> None:
    done("world", tmp_path / "same", "--n", 40, "--streams", "image,caption", "--seed", 0)
    done("world", tmp_path / "other", "--n", 40, "--streams", "image,caption", "--seed", 1)
    assert tree(tmp_path / "same") == tree(world) != tree(tmp_path / "other")


def test_world_with_a_fixed_factor(tmp_path: Path) -> None:
    words = ("--fix", "motion=left slow", "--fix", "shape=star")
    done("world", tmp_path / "w", "--n", 20, "--streams", "caption", *words)
    texts = [path.read_text() for path in (tmp_path / "w").rglob("*.caption.txt")]
    assert len(texts) == 100
    assert all("star" in text and "slowly" in text for text in texts)


def test_inspect(world: Path) -> None:
    found = json.loads(done("inspect", world, "--json").stdout)
    assert found["samples"] == 120
    assert found["splits"]["train"] == 40
    assert found["streams"]["image"]["modality"] == "image"
    lines = done("inspect", world).stdout.splitlines()
    assert lines[0] == f"{world}: 120 samples"
    assert any(re.match(r"caption +text +120 +0\.0% +0 ", line) for line in lines)


def test_train_ends_with_what_to_do_next(trained: Result, run: Path, world: Path) -> None:
    lines = trained.stdout.splitlines()
    assert any(line.startswith("image->caption on seen combinations: ") for line in lines)
    assert f"model: {run / 'model'}" in lines
    assert f"report: {run / 'report.html'}" in lines
    assert (run / "report.html").stat().st_size > 10_000
    told = json.loads((run / "information.json").read_text())["pairs"]
    assert {(pair["given"], pair["want"]) for pair in told} == {("image", "caption"), ("caption", "image")}
    for said in json.loads((run / "scores.json").read_text())["diagnosis"]:
        assert f"{said['row']}: {said['sentence']}" in lines
    commands = [shlex.split(line) for line in lines if line.startswith("  modaloom ")]
    assert [words[1] for words in commands] == ["generate", "generate", "evaluate"]
    for words in commands[:2]:  # each uses a held-out file and runs as it stands
        _, path = words[words.index("--given") + 1].split("=@")
        assert Path(path).is_relative_to(world)
        assert Path(path).parent.name.startswith("test")
        done(*words[1:])


def test_train_reports_progress_on_stderr(trained: Result) -> None:
    assert re.search(r"^loom 3/3 · [\d.]+/s · 0 s left · loss \d+\.\d+$", trained.stderr, re.M)
    assert "loss" not in trained.stdout


def test_train_reproduces_from_the_saved_configuration(run: Path, tmp_path: Path, trained: Result) -> None:
    (line,) = (line for line in trained.stdout.splitlines() if line.startswith("reproduce with: modaloom "))
    words = shlex.split(line)[3:]
    words[words.index("--out") + 1] = str(tmp_path / "again")
    done(*words)
    first, again = tree(run / "model"), tree(tmp_path / "again" / "model")
    assert {name: digest for name, digest in again.items() if "README" not in name} == {
        name: digest for name, digest in first.items() if "README" not in name
    }


def test_generate_writes_a_dataset(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("generate", run, "--given", "caption=a small red circle", "--want", "image", "--n", 3)
    done(*words, "--out", tmp_path / "drawn")
    assert sorted(p.name for p in (tmp_path / "drawn").iterdir() if p.suffix == ".png") == [
        f"000{i}.image.png" for i in range(3)
    ]
    assert json.loads(done("inspect", tmp_path / "drawn", "--json").stdout)["streams"]["image"]["count"] == 3
    text = (tmp_path / "drawn" / "_provenance.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["key"] for line in lines] == ["0000", "0001", "0002"]
    assert all(line["nearest"].startswith("train/") for line in lines)
    monkeypatch.chdir(tmp_path)
    done(*shlex.split(lines[0]["command"])[1:])
    assert _drawn(tmp_path / "generated") == _drawn(tmp_path / "drawn")


def test_the_same_seed_gives_the_same_files_at_any_n(run: Path, tmp_path: Path) -> None:
    for out, n, seed in (("a", 2, 7), ("b", 5, 7), ("c", 2, 8)):
        done("generate", run, "--want", "image,caption", "--n", n, "--seed", seed, "--out", tmp_path / out)
    a, b, c = (_drawn(tmp_path / out) for out in "abc")
    assert len(a) == 4
    assert a == {name: b[name] for name in a} != c


def test_generate_over_a_folder_keeps_its_keys(run: Path, world: Path, tmp_path: Path) -> None:
    some = _some(world, tmp_path / "some", "image", 3)
    result = done("generate", run, some, "--want", "caption", "--out", tmp_path / "out")
    assert [*_drawn(tmp_path / "out")] == [f"00000{i}.caption.txt" for i in (1, 2, 3)]
    assert "note: no better than its baseline: image->caption" in result.stderr


def test_want_missing_fills_the_gaps(run: Path, world: Path, tmp_path: Path) -> None:
    gaps = _some(world, tmp_path / "gaps", "image", 2)
    (gaps / "000002.caption.txt").write_text("a large blue square\n")
    (gaps / "000003.caption.txt").write_text("a large blue square\n")
    done("generate", run, gaps, "--want", "missing", "--out", tmp_path / "out")
    assert [*_drawn(tmp_path / "out")] == ["000001.caption.txt", "000003.image.png"]


def test_codes_and_back(run: Path, world: Path, tmp_path: Path) -> None:
    some = _some(world, tmp_path / "some", "caption", 5)
    assert done("tokenize", run, some, "--out", tmp_path / "codes").stdout.startswith("5 samples")
    done("detokenize", run, tmp_path / "codes", "--out", tmp_path / "back")
    assert {p.name: p.read_bytes() for p in (tmp_path / "back").iterdir()} == {
        p.name: p.read_bytes() for p in some.iterdir()
    }


def test_evaluate(run: Path, world: Path, tmp_path: Path) -> None:
    result = done("evaluate", run, world, "--n", 5, "--json", tmp_path / "rows.json")
    rows = json.loads((tmp_path / "rows.json").read_text())
    columns = [
        "row",
        "split",
        "metric",
        "value",
        "low",
        "high",
        "floor",
        "baseline",
        "retrieval",
        "ceiling",
        "n",
    ]
    assert all(list(row) == columns for row in rows)
    assert {row["split"] for row in rows} == {"seen", "level1", "level2"}
    head, *lines = result.stdout.splitlines()
    assert head.split() == columns
    (bits,) = (i for i, line in enumerate(lines) if line.startswith("mutual information (bits"))
    assert bits == len(rows)
    assert lines[bits + 1].split() == ["given", "->", "caption", "->", "image"]
    assert re.match(r"image +-?\d+\.\d+ \(.* to .*; exact \d+\.\d+\)$", lines[bits + 2])
    assert lines[0].split()[:3] == [rows[0]["row"], rows[0]["split"], rows[0]["metric"]]
    assert lines[0].split()[3] == f"{rows[0]['value']:.3f}"
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)


def test_evaluate_says_what_the_report_shows_beside_scores(run: Path) -> None:
    scores, information = (
        json.loads((run / f"{name}.json").read_text()) for name in ("scores", "information")
    )
    words = {
        title: shlex.split(unescape(re.findall(r'class="command"><code>modaloom (.*?)</code>', part)[-1]))
        for title, part in re.findall(
            r"<section.*?<h2>(.*?)</h2>(.*?)</section>", (run / "report.html").read_text(), re.S
        )
    }
    found = done(*words["Diagnosis"], "--json", run.parent / "rows.json")
    assert json.loads((run.parent / "rows.json").read_text()) == scores["rows"]
    for one in scores["diagnosis"]:
        assert f"{one['row']}: {one['sentence']}" in found.stdout.splitlines()
    assert words["Warnings"] == words["Diagnosis"]
    assert [
        line.removeprefix("note: ") for line in found.stderr.splitlines() if "note: no better" in line
    ] == [sentence for sentence in scores["warnings"] if sentence.startswith("no better")]
    done(*words["Information"], "--json", run.parent / "told.json")
    assert json.loads((run.parent / "told.json").read_text()) == information["pairs"]


def test_evaluate_chosen_rows(run: Path, world: Path, tmp_path: Path) -> None:
    done("evaluate", run, world, "--n", 2, "--rows", "caption->image", "--json", tmp_path / "rows.json")
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert {row["row"] for row in rows} == {"caption->image"}


def test_report_with_and_without_samples(run: Path) -> None:
    page = Path(done("report", run).stdout.strip())
    with_samples = page.stat().st_size
    done("report", run, "--no-samples")
    assert page == run / "report.html"
    assert page.stat().st_size < with_samples
    done("report", run)


def _some(world: Path, folder: Path, stream: str, n: int) -> Path:
    """A folder with the first n held-out values of one stream."""
    folder.mkdir()
    for path in sorted((world / "test-seen").glob(f"*.{stream}.*"))[:n]:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def _drawn(folder: Path) -> dict[str, str]:
    """The files but the provenance, which names its command."""
    return {name: digest for name, digest in tree(folder).items() if name != "_provenance.jsonl"}


def test_bench_prints_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [
        BenchmarkResult("lookup", 2.0, 6.0, 1.0, "ms"),
        BenchmarkResult("bound", 3e-7, None, 1e-6, "nats"),
    ]
    monkeypatch.setitem(BENCHES, "quantizer", lambda device: iter(cases))
    result = done("bench", "quantizer", "--json")
    assert json.loads(result.stdout) == [case.to_dict() for case in cases]
    assert "lookup: 2" in result.stderr
    table = done("bench", "quantizer").stdout
    assert re.search(r"lookup +2.000 +6.000 +3.000 +1.000 +ms", table)
    assert re.search(r"bound +3e-07 +– +– +1e-06 +nats", table)
