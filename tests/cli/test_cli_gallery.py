"""The examples of a report: what stands beside what, and the command that draws them again."""

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calling import SMALL, done

from modaloom import api
from modaloom.loom.samples import NUM_DRAWS


@pytest.fixture(scope="module")
def index(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "samples" / "index.json").read_text())
    return found


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def block(index: dict[str, Any], given: list[str], want: list[str]) -> dict[str, Any]:
    (found,) = (b for b in index["blocks"] if (b["given"], b["want"]) == (given, want))
    return found


def test_every_direction_has_a_block_the_simplest_first(index: dict[str, Any]) -> None:
    assert index["split"] == "level2"
    assert [(b["given"], b["want"]) for b in index["blocks"]] == [
        (["image"], ["caption"]),
        (["caption"], ["image"]),
        ([], ["caption", "image"]),
    ]


@pytest.mark.parametrize(
    ("given", "want"), [(["image"], ["caption"]), (["caption"], ["image"]), ([], ["caption", "image"])]
)
def test_the_command_draws_the_same_again(
    run: Path, index: dict[str, Any], here: Path, given: list[str], want: list[str]
) -> None:
    program, *words = shlex.split(block(index, given, want)["command"])
    assert program == "modaloom"
    done(*words)
    hung = run / "samples" / f"{'+'.join(given) or 'nothing'}-to-{'+'.join(want)}" / "drawn"
    names = sorted(path.name for path in hung.iterdir() if not path.name.startswith("_"))
    assert len(names) == block(index, given, want)["drawn"] * len(want) > 0
    for name in names:
        assert (here / "drawn" / name).read_bytes() == (hung / name).read_bytes()


def test_the_first_samples_of_the_hardest_split_hang_beside_their_truth(
    run: Path, world: Path, index: dict[str, Any]
) -> None:
    first = sorted((world / "test-level2").glob("*.caption.txt"))[:NUM_DRAWS]
    rows = block(index, ["caption"], ["image"])["rows"]
    assert 0 < len(rows) <= 16
    for row, path in zip(rows, first):
        given, truth = run / "samples" / row["given"]["caption"], run / "samples" / row["truth"]["image"]
        assert given.read_text().strip() == path.read_text().strip()
        image = path.with_name(path.name.replace("caption.txt", "image.png"))
        assert api.load(run).value("image", truth).tobytes() == api.load(run).value("image", image).tobytes()


def test_the_nearest_training_sample_is_the_one_that_generate_names(
    run: Path, world: Path, index: dict[str, Any]
) -> None:
    lines = (run / "samples" / "image-to-caption" / "drawn" / "_provenance.jsonl").read_text().splitlines()
    nearest = {line["key"]: line["nearest"] for line in map(json.loads, lines)}
    rows = block(index, ["image"], ["caption"])["rows"]
    assert rows
    for i, row in enumerate(rows):
        source = world / f"{nearest[f'{i:04d}']}.caption.txt"
        assert source.parent.name == "train"
        assert (run / "samples" / row["nearest"]["caption"]).read_text() == source.read_text()


def test_the_worst_are_marked_and_come_lowest_first(index: dict[str, Any]) -> None:
    worst = [row["note"] for b in index["blocks"] for row in b["worst"]]
    assert worst
    for b in index["blocks"]:
        values = [float(row["note"].split()[1].rstrip(",")) for row in b["worst"]]
        assert values == sorted(values)
        assert len(values) <= 8


def test_report_makes_the_atlas_again(run: Path) -> None:
    sheets = [run / "samples" / name for name in ("atlas.json", "atlas.image.png")]
    before = [path.read_bytes() for path in sheets]
    for path in sheets:
        path.unlink()
    done("report", run)
    assert [path.read_bytes() for path in sheets] == before
    entry = json.loads(before[0])["image"]
    assert entry["shares"] == sorted(entry["shares"], reverse=True)
    assert sum(entry["shares"]) == pytest.approx(1)
    assert len(set(entry["codes"])) == len(entry["codes"]) == entry["used"]


def test_a_tint_has_a_sheet_of_its_own(world: Path, tmp_path: Path) -> None:
    done(
        "train",
        world,
        "--out",
        tmp_path / "run",
        "--steps",
        1,
        *SMALL,
        "--set",
        "tokenizers.image.global_codes=1",
    )
    samples = tmp_path / "run" / "samples"
    found = json.loads((samples / "atlas.json").read_text())
    entries = {name: entry for name, entry in found.items() if "file" in entry}
    assert entries.keys() == {"image", "image, tint"}
    assert entries["image, tint"]["whole"]
    assert sum(entries["image, tint"]["shares"]) == pytest.approx(1)
    assert len({(samples / entry["file"]).read_bytes() for entry in entries.values()}) == 2
