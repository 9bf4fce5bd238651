"""Arrays of different sizes come back as they went in, once made."""

import numpy as np
import pytest

from modaloom.core.errors import BadFolder
from modaloom.data.ragged import open_ragged

ROWS = [np.arange(24, dtype=np.uint8).reshape(2, 3, 4), None, np.full((1, 1, 5), 7, np.uint8)]


def test_rows_come_back_and_are_made_once(tmp_path):
    found = open_ragged(tmp_path, "a", "0" * 16, 3, lambda: iter(ROWS))
    for again in (found, open_ragged(tmp_path, "a", "0" * 16, 3, lambda: pytest.fail("made again"))):
        assert again.present.tolist() == [True, False, True]
        assert all(np.array_equal(again[i], row) for i, row in enumerate(ROWS) if row is not None)
        assert not again[0].flags.writeable


def test_the_type_comes_back(tmp_path):
    waves = [np.arange(n, dtype=np.int16)[None] * 1000 for n in (3, 7)]
    found = open_ragged(tmp_path, "a", "0" * 16, 2, lambda: iter(waves))
    assert found[1].dtype == np.int16
    assert all(np.array_equal(found[i], wave) for i, wave in enumerate(waves))


def test_a_damaged_or_another_one_is_made_anew(tmp_path):
    open_ragged(tmp_path, "a", "0" * 16, 3, lambda: iter(ROWS))
    raw = tmp_path / f"a-{'0' * 16}.raw"
    raw.write_bytes(raw.read_bytes()[:-1])
    assert np.array_equal(open_ragged(tmp_path, "a", "0" * 16, 3, lambda: iter(ROWS))[2], ROWS[2])
    other = open_ragged(tmp_path, "a", "1" * 16, 1, lambda: iter(ROWS[:1]))
    assert np.array_equal(other[0], ROWS[0])
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".npy", ".raw"]


def test_nothing_present_is_refused(tmp_path):
    with pytest.raises(BadFolder, match="no sample has"):
        open_ragged(tmp_path, "a", "0" * 16, 1, lambda: iter([None]))
