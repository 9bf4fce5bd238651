"""The clinic: diagnosis from every subset of scan, record, genes and note, beside the exact posterior.

python benchmarks/clinic.py DATA RUNS                    writes DATA if it is missing, trains RUNS/seed-0, …
python benchmarks/clinic.py DATA RUNS --minutes 20       training of each seed
python benchmarks/clinic.py DATA RUNS --scored           scores runs that are there

Everything is synthetic. The belief of a run is what `run.probabilities` says of the diagnosis. Gradient
boosting is trained on the features of each subset. Calibration error: ten groups of equally many patients by
belief, the mean difference of belief and truth in a group; that of Bayes is chance. What is missing is
imputed from all other streams, by the mean or the majority of draws.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from figures import Target, arguments, by_seed, publish
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from modaloom import api
from modaloom.core.types import Sample
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.evaluation.parsed import read_facts
from modaloom.loom.model import Model
from modaloom.loom.probabilities import distributions
from modaloom.modalities import MODALITIES
from modaloom.world.clinic import FACTS_OF
from modaloom.world.clinic.bayes import best_scores, posterior, predictive
from modaloom.world.clinic.parsers import PARSERS
from modaloom.world.clinic.patient import FACTS
from modaloom.world.clinic.streams import DIAGNOSIS
from modaloom.world.write import FACTS as FACTS_FILE

STREAMS = tuple(FACTS_OF)
SUBSETS = [names for n in range(1, 1 + len(STREAMS)) for names in combinations(STREAMS, n)]
NUM_GROUPS, BATCH = 10, 256
IMPUTED, DRAWS = 200, 8
"""Patients whose missing streams are imputed, and draws of each."""
TARGETS = (
    Target("AUROC below Bayes, worst subset", 0.02, "≤"),
    Target("Brier above Bayes, worst subset", 0.01, "≤"),
    Target("calibration error, worst subset", 0.03, "≤"),
    Target("calibration error, worst subset: Bayes, on the same patients"),
    Target("AUROC above gradient boosting, all inputs", 0.0, ">"),
    Target("AUROC, all inputs"),
    Target("AUROC, all inputs: Bayes"),
    Target("AUROC, all inputs: gradient boosting"),
    *(
        Target(f"{what}: {who}")
        for what in ("imputed facts, right", "imputed measurements, error in levels")
        for who in ("run", "Bayes", "training majority or mean")
    ),
)
Array = NDArray[np.float64]
Facts = Mapping[str, str]


def scores(beliefs: Array, truth: Array) -> tuple[float, float, float]:
    """AUROC, Brier score, calibration error."""
    groups = np.array_split(np.argsort(beliefs, kind="stable"), NUM_GROUPS)
    gaps = [abs(float(beliefs[rows].mean() - truth[rows].mean())) for rows in groups]
    return (
        float(roc_auc_score(truth, beliefs)),
        float(((beliefs - truth) ** 2).mean()),
        float(np.average(gaps, weights=[len(rows) for rows in groups])),
    )


def beliefs_of(model: Model, samples: Sequence[Sample], given: Sequence[str]) -> Array:
    """P(ill | streams) of a run."""
    rows = [{name: sample.streams[name] for name in given} for sample in samples]
    batches = (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))
    found = (
        one["diagnosis"]
        for batch in batches
        for one in distributions(model, batch, ["diagnosis"], among={}, orders=1, seed=0)
    )
    return np.array([one.probabilities[one.values.index(True)] for one in found])


def features(model: Model, samples: Sequence[Sample], given: Sequence[str]) -> Array:
    """Pixels, categories, letters and words of the given streams, side by side."""
    columns = [
        MODALITIES[model.streams[name].modality].codec.features(
            [sample.streams[name] for sample in samples], model.specs[name]
        )
        for name in given
    ]
    return torch.cat(columns, 1).double().numpy()


def imputed(
    model: Model, samples: Sequence[Sample], facts: Sequence[Facts], train: Sequence[Facts]
) -> dict[str, float]:
    """Facts of each stream by all others: of the run, of the posterior, and of the training patients."""
    found = defaultdict[str, list[float]](list)
    for want in STREAMS:
        others = [name for name in STREAMS if name != want]
        given = {name: [sample.streams[name] for sample in samples for _ in range(DRAWS)] for name in others}
        drawn = model.generate(given, [want], n=len(samples) * DRAWS, seed=0)
        parsed = [PARSERS[want](one[want]) for one in drawn]
        for name in FACTS_OF[want]:
            weights = {
                "run": np.add.reduceat(_shown(name, parsed), np.arange(0, len(parsed), DRAWS)),
                "Bayes": np.array([predictive(name, _told(one, others)) for one in facts]),
                "training majority or mean": _shown(name, train).sum(0, keepdims=True),
            }
            for who, shares in weights.items():
                what, figure = _imputation(shares, _shown(name, facts))
                found[f"{what}: {who}"].append(figure)
    return {name: float(np.mean(figures)) for name, figures in found.items()}


def _shown(name: str, facts: Sequence[Facts]) -> Array:
    """(n, values): 1 for the value that a fact has; nothing for one that cannot be read."""
    return np.array([[float(one.get(name) == value) for value in FACTS[name].values] for one in facts])


def _imputation(shares: Array, truth: Array) -> tuple[str, float]:
    """Shares of values (n or 1, values) → what is told of them, and the figure."""
    if truth.shape[1] == 2:
        return "imputed facts, right", float((shares.argmax(1) == truth.argmax(1)).mean())
    means = shares @ np.arange(truth.shape[1]) / np.maximum(1e-9, shares.sum(1))
    return "imputed measurements, error in levels", float(np.sqrt(((means - truth.argmax(1)) ** 2).mean()))


def _told(facts: Facts, streams: Sequence[str]) -> Facts:
    return {name: facts[name] for stream in streams for name in FACTS_OF[stream]}


def measure(model: Model, folder: Path, *, seed: int, most: int) -> dict[str, float]:
    """Prints a line for each subset, and returns the figures."""
    index = open_folder(folder)
    known = read_facts(folder / FACTS_FILE)
    reader = Reader(index)
    split_of: Mapping[str, str] = index.splits or {}
    train, test = (
        [reader.read(sample) for sample in index.samples if split_of[sample.key] == name]
        for name in ("train", "test")
    )
    test = test[:most]
    told = [known[sample.key] for sample in test]
    truth, learned = (
        np.array([float(sample.streams["diagnosis"][DIAGNOSIS]) for sample in samples])
        for samples in (test, train)
    )
    print(
        "| given | AUROC | of Bayes | exact | boosting | Brier | of Bayes | calibration | of Bayes |",
        flush=True,
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    found: list[dict[str, Any]] = []
    for given in SUBSETS:
        run = scores(beliefs_of(model, test, given), truth)
        best = scores(np.array([posterior(_told(one, given)) for one in told]), truth)
        trees = HistGradientBoostingClassifier(random_state=seed).fit(features(model, train, given), learned)
        boosted = scores(trees.predict_proba(features(model, test, given))[:, 1], truth)
        found.append({"run": run, "best": best, "boosted": boosted})
        exact = best_scores(tuple(given)).auroc
        figures = (run[0], best[0], exact, boosted[0], run[1], best[1], run[2], best[2])
        print(f"| {' + '.join(given)} | {' | '.join(f'{figure:.3f}' for figure in figures)} |", flush=True)
    whole = found[-1]
    return {
        "AUROC below Bayes, worst subset": max(one["best"][0] - one["run"][0] for one in found),
        "Brier above Bayes, worst subset": max(one["run"][1] - one["best"][1] for one in found),
        "calibration error, worst subset": max(one["run"][2] for one in found),
        "calibration error, worst subset: Bayes, on the same patients": max(one["best"][2] for one in found),
        "AUROC above gradient boosting, all inputs": whole["run"][0] - whole["boosted"][0],
        "AUROC, all inputs": whole["run"][0],
        "AUROC, all inputs: Bayes": whole["best"][0],
        "AUROC, all inputs: gradient boosting": whole["boosted"][0],
        **imputed(model, test[:IMPUTED], told[:IMPUTED], [known[sample.key] for sample in train]),
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--minutes", type=float, default=20, help="of each training")
    parser.add_argument("--n", type=int, default=8000, help="training patients")
    parser.add_argument("--test", type=int, default=4000, help="held-out patients")
    parser.add_argument("--scored", action="store_true", help="score runs that are there")
    options = parser.parse_args()
    if not options.data.exists():
        api.world(options.data, n=options.n, held_out=options.test, world="clinic")
    found = {}
    for seed in options.seeds:
        out = options.runs / f"seed-{seed}"
        if not options.scored:
            api.train(options.data, out=out, minutes=options.minutes, seed=seed)
        found[seed] = measure(api.load(out).model, options.data, seed=seed, most=options.test)
    publish(TARGETS, by_seed(found), options.json)


if __name__ == "__main__":
    main()
