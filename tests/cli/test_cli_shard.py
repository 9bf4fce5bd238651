"""Tar shards instead of the folder that they were written from; the folder is the oracle."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from calling import SMALL, Call, call, done, tree


@pytest.fixture(scope="module")
def shards(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shard") / "shards"
    assert done("shard", world, "--out", out, "--samples", 16).stdout == f"11 shards in {out}\n"
    return out


def seen(folder: Path) -> dict[str, Any]:
    found = json.loads(done("inspect", folder, "--json").stdout)
    streams = {name: {**facts, "example": ""} for name, facts in found["streams"].items()}
    return {**{name: found[name] for name in ("samples", "splits", "fixed", "problems")}, "streams": streams}


def test_they_hold_what_the_folder_holds(world: Path, shards: Path) -> None:
    assert seen(shards) == seen(world)
    first = json.loads(done("inspect", shards, "--json").stdout)["streams"]["caption"]["example"]
    assert re.search(r"\.tar/\d{6}\.caption\.txt$", first)


def test_a_run_encodes_audits_and_fills_them_alike(
    run: Path, world: Path, shards: Path, tmp_path: Path
) -> None:
    for name, folder in (("files", world), ("shards", shards)):
        done("tokenize", run, folder, "--out", tmp_path / name)
        done("audit", run, folder, "--n", 8, "--json", tmp_path / f"{name}.json")
    assert tree(tmp_path / "files") == tree(tmp_path / "shards")
    files, packed = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("files", "shards"))
    assert packed["suspects"] == files["suspects"]
    assert packed["duplicates"] == files["duplicates"]


def test_a_training_has_the_same_bits(run: Path, shards: Path, tmp_path: Path) -> None:
    """Keys, splits and order are the folder's: so is every batch. The commands at its end can be run."""
    result = done("train", shards, "--out", tmp_path / "run", "--steps", 3, "--seed", 5, *SMALL)
    assert (
        tree(tmp_path / "run" / "model").items()
        >= {
            name: content for name, content in tree(run / "model").items() if name.endswith(".safetensors")
        }.items()
    )
    assert f"modaloom generate {tmp_path / 'run'} {shards} --want" in result.stdout


def test_what_is_refused(world: Path, tmp_path: Path, refused: Call) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("precious\n")
    refused("shard", world, "--out", "full", names="full exists and is not empty")
    refused("shard", world, "--out", "out", "--samples", 0, names="samples is 0")
    refused("shard", world, "--out", "out", "--megabytes", 0, names="megabytes is 0")
    refused("shard", "full", "--out", "out", "--layout", "folder", names="did you mean 'folders'?")
    (tmp_path / "0.tar").write_bytes(b"\x1f\x8b")
    assert "is compressed (gzip)" in call("inspect", tmp_path).stderr
