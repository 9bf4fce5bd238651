"""Writes one of scikit-learn's tables of measurements as a folder, with a fifth of the numbers left out.

`breast_cancer` has 569 rows of 30 numbers and a diagnosis, `wine` 178 rows of 13 and a cultivar. A sample is
a record of the numbers that are known, `0001.features.json`, and a word, `0001.label.txt`; of each label 65%
are in `train`, 5% in `val`, 30% in `test`. What is left out, and which rows are where, depends on the seed
alone.
"""

import argparse
import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.model_selection import train_test_split

from modaloom.core.errors import ModaloomError
from modaloom.data.atomic_io import new_folder

TABLES = {"breast_cancer": load_breast_cancer, "wine": load_wine}
MISSING, VAL, TEST = 0.2, 0.05, 0.3
"""Shares of the cells, and of the rows."""


@dataclass(frozen=True)
class Rows:
    """A table of which some cells are unknown."""

    columns: tuple[str, ...]
    """Names of the numbers."""
    whole: NDArray[np.float64]
    """(rows, columns), all of them."""
    missing: NDArray[np.bool_]
    """Which are left out."""
    labels: NDArray[np.str_]
    splits: NDArray[np.str_]
    """Of each row: train, val, test."""

    @property
    def known(self) -> NDArray[np.float64]:
        """The cells that are told; NaN for the others."""
        return np.where(self.missing, np.nan, self.whole)


def rows_of(name: str, seed: int = 0) -> Rows:
    """A table with its holes; name: one of `TABLES`."""
    data, random = TABLES[name](), np.random.default_rng(seed)
    missing = random.random(data.data.shape) < MISSING
    splits = np.full(len(data.data), "train")
    rest, test = train_test_split(
        np.arange(len(splits)), test_size=TEST, stratify=data.target, random_state=seed
    )
    _, val = train_test_split(rest, test_size=VAL / (1 - TEST), stratify=data.target[rest], random_state=seed)
    splits[test], splits[val] = "test", "val"
    columns = tuple(map(str, data.feature_names))
    return Rows(columns, data.data, missing, data.target_names[data.target], splits)


def write_table(name: str, folder: Path, seed: int = 0) -> None:
    """Write the folder atomically. Raises `BadFolder` if it is not empty."""
    rows = rows_of(name, seed)
    with new_folder(folder) as root:
        for split in sorted(set(rows.splits)):
            (root / split).mkdir()
        for i, (numbers, label, split) in enumerate(zip(rows.known, rows.labels, rows.splits)):
            known = {name: float(x) for name, x in zip(rows.columns, numbers) if not np.isnan(x)}
            (root / split / f"{i:04d}.features.json").write_text(f"{json.dumps(known)}\n")
            (root / split / f"{i:04d}.label.txt").write_text(f"{label}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=[*TABLES])
    parser.add_argument("folder", type=Path, help="a new folder, such as wine")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        write_table(options.table, options.folder, options.seed)
    except ModaloomError as error:
        parser.error(str(error))
    folder = shlex.quote(str(options.folder))
    print(f"next: modaloom train {folder} --out runs/{options.table} --minutes 4")


if __name__ == "__main__":
    main()
