"""The nearest training sample by codes, beside a search over all of them in plain Python."""

import json

import numpy as np
import pytest
from toy_tokens import SHAPES, codes, model

from modaloom.loom import neighbours as module
from modaloom.loom.neighbours import Neighbours
from modaloom.runs.caches import CACHE, KEYS

N = 23
NAMES = ("short", "long")


@pytest.fixture(params=["uint8", "uint16", "int32"])
def run(tmp_path, request):
    """A run's caches in which every third row is of another split."""
    (tmp_path / CACHE).mkdir()
    splits = ["val" if i % 3 == 0 else "train" for i in range(N)]
    facts = {"keys": [f"k{i:02d}" for i in range(N)], "splits": splits}
    (tmp_path / CACHE / KEYS).write_text(json.dumps(facts))
    for name in NAMES:
        np.save(
            tmp_path / CACHE / f"codes.{name}-{'0' * 16}.npy", codes(N)[name].numpy().astype(request.param)
        )
    return tmp_path


@pytest.mark.parametrize("chunk", [1, 5, 4096])
def test_the_nearest_has_the_largest_share_of_equal_codes(run, chunk, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_SIZE", chunk)
    layout, found, drawn = model().loom.layout, Neighbours.of(run), codes(9, seed=1)
    for i in range(9):
        shares = {
            f"k{row:02d}": sum(
                float((drawn[name][i] == codes(N)[name][row]).float().sum()) / SHAPES[name].num_codes
                for name in NAMES
            )
            for row in range(N)
            if row % 3
        }
        assert shares[found.nearest(layout, {name: drawn[name][i] for name in NAMES})] == pytest.approx(
            max(shares.values())
        )


def test_caches_of_other_samples_name_nobody(run):
    for name in NAMES:
        np.save(run / CACHE / f"codes.{name}-{'0' * 16}.npy", codes(3)[name].numpy())
    assert Neighbours.of(run).nearest(model().loom.layout, {"short": codes(1)["short"][0]}) is None


def test_a_run_without_caches_names_nobody(tmp_path):
    assert Neighbours.of(tmp_path).nearest(model().loom.layout, {"short": codes(1)["short"][0]}) is None
