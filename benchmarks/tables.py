"""Tables with a fifth of the cells missing: labels and cells, beside gradient boosting and usual imputers.

python benchmarks/tables.py DATA [--tables breast_cancer,wine] [--minutes 4 | --steps N] [--seeds 0,1,2]

DATA gets what examples/tables.py writes, a table for each seed, unless it is there. One run tells all: the
probability of each label, and of each missing cell, from the cells that a row has; no test label is given.
Gradient boosting takes missing cells as they are; it and the imputers see the training and the validation
rows. Errors of cells are in standard deviations of the column's values there.
"""

import runpy
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from figures import Figures, Target, arguments, over_seeds, publish, words
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.metrics import roc_auc_score

from modaloom import api

EXAMPLE = Path(__file__).parents[1] / "examples" / "tables.py"
TABLES = ("breast_cancer", "wine")
SETTINGS = ("data.limits.record.max_bins=16",)
"""Bins of numbers: about 20 training rows in each."""
MODEL, BOOSTED = "modaloom", "gradient boosting"
MEDIAN, NEIGHBOURS = "median", "kNN"
Array = NDArray[np.float64]


def targets(table: str) -> list[Target]:
    return [
        Target(f"{table}: AUROC above gradient boosting", -0.01),
        Target(f"{table}: accuracy above gradient boosting", -0.01),
        Target(f"{table}: error of missing cells / the better imputer's", 1.0, "≤"),
        *(
            Target(f"{table}: {what}, {who}")
            for what in ("AUROC", "accuracy", "Brier")
            for who in (MODEL, BOOSTED)
        ),
        *(Target(f"{table}: error of cells, {who}") for who in (MODEL, MEDIAN, NEIGHBOURS)),
    ]


def label_scores(p: Array, truth: NDArray[np.int64]) -> dict[str, float]:
    """Probabilities (rows, labels) → scores; AUROC of each label against the others, and the mean."""
    shown = np.eye(p.shape[1])[truth]
    return {
        "AUROC": float(np.mean([roc_auc_score(shown[:, i], p[:, i]) for i in range(p.shape[1])])),
        "accuracy": float((p.argmax(1) == truth).mean()),
        "Brier": float(((p - shown) ** 2).sum(1).mean()),
    }


def cell_error(filled: Array, rows: Any, spread: Array) -> float:
    """Root mean square error of the missing cells of the test rows, in standard deviations."""
    test = rows.splits == "test"
    errors = ((filled - rows.whole[test]) / spread)[rows.missing[test]]
    return float(np.sqrt((errors**2).mean()))


def boosted(rows: Any, labels: Array, seed: int) -> Array:
    """Probabilities of gradient boosting for the test rows."""
    test = rows.splits == "test"
    trees = HistGradientBoostingClassifier(random_state=seed).fit(rows.known[~test], labels[~test])
    return np.asarray(trees.predict_proba(rows.known[test]))


def imputed(rows: Any, spread: Array) -> dict[str, Array]:
    """Imputer → its test rows, whole."""
    test = rows.splits == "test"
    median = SimpleImputer(strategy="median").fit(rows.known[~test])
    neighbours = KNNImputer().fit(rows.known[~test] / spread)
    return {
        MEDIAN: median.transform(rows.known[test]),
        NEIGHBOURS: neighbours.transform(rows.known[test] / spread) * spread,
    }


def of_run(run: api.TrainedRun, rows: Any, names: list[str]) -> tuple[Array, Array]:
    """Probabilities of the labels, and whole test rows: missing cells are the mean of their distribution."""
    labels, filled = [], rows.known[rows.splits == "test"]
    for row in filled:
        known = {name: float(x) for name, x in zip(rows.columns, row) if not np.isnan(x)}
        found = run.probabilities({"features": known}, ["label", "features"], among={"label": names})
        labels.append(found["label"].probabilities)
        for i, name in enumerate(rows.columns):
            if name not in known:
                cell = found[f"features.{name}"]
                row[i] = np.dot(cell.values, cell.probabilities)
    return np.array(labels), filled


def figures_of(rows: Any, run: api.TrainedRun, seed: int) -> Figures:
    names = sorted(set(rows.labels.tolist()))
    labels = np.array([names.index(label) for label in rows.labels])
    test = rows.splits == "test"
    spread = np.nanstd(rows.known[~test], 0)
    p, filled = of_run(run, rows, names)
    scores = {
        MODEL: label_scores(p, labels[test]),
        BOOSTED: label_scores(boosted(rows, labels, seed), labels[test]),
    }
    errors = {
        name: cell_error(one, rows, spread) for name, one in {MODEL: filled, **imputed(rows, spread)}.items()
    }
    return {
        **{
            f"{what} above gradient boosting": scores[MODEL][what] - scores[BOOSTED][what]
            for what in ("AUROC", "accuracy")
        },
        "error of missing cells / the better imputer's": errors[MODEL]
        / min(errors[MEDIAN], errors[NEIGHBOURS]),
        **{f"{what}, {who}": value for who, own in scores.items() for what, value in own.items()},
        **{f"error of cells, {who}": value for who, value in errors.items()},
    }


def measured(data: Path, tables: Sequence[str], minutes: float, steps: int | None, seed: int) -> Figures:
    """The figures of all tables, named by them."""
    budget = {"minutes": minutes} if steps is None else {"steps": steps}
    own = {table: of_table(data, table, budget=budget, seed=seed) for table in tables}
    return {f"{table}: {name}": value for table, found in own.items() for name, value in found.items()}


def of_table(data: Path, table: str, *, budget: Mapping[str, Any], seed: int) -> Figures:
    folder, example = data / f"{table}-{seed}", runpy.run_path(str(EXAMPLE))
    if not folder.exists():
        example["write_table"](table, folder, seed)
    with tempfile.TemporaryDirectory() as place:
        run = api.train(
            folder, out=Path(place) / "run", preset="tiny", seed=seed, samples=1, settings=SETTINGS, **budget
        )
        return figures_of(example["rows_of"](table, seed), run, seed)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--tables", type=words, default=TABLES, help="which, such as wine")
    parser.add_argument("--minutes", type=float, default=4, help="of each training")
    parser.add_argument("--steps", type=int, help="of each training, instead")
    options = parser.parse_args()
    chosen = [target for table in options.tables for target in targets(table)]
    publish(chosen, over_seeds(measured, options), options.json)


if __name__ == "__main__":
    main()
