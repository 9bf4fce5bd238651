"""VAE, GAN, VQ + prior and diffusion at equal parameters and minutes: quality, diversity and cost.

python benchmarks/families.py [--minutes 0.5 | --steps N] [--seeds 0,1,2,3,4] [--json F] [--plot P]

On a grid of 25 normal distributions and on handwritten digits. Finished cases are kept in the JSON file.
KID: unbiased, between generated and held-out rows; its floor is the KID of two random halves of the real
rows. Modes: those with at least 1% of their expected rows. Quality: the share of rows that belong to a mode.
Novelty: distance to the nearest training row over that of held-out rows; 0 is a copy.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

import torch
from budget import Budget, parameters
from chart import Scale, chart
from figures import Figures, Target, arguments, medians, table
from kept import Kept
from rivals import RIVALS, sized
from rivals.subjects import SUBJECTS, Subject
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.evaluation.nearest import nearest
from modaloom.metrics.kid import kid
from modaloom.report.plots import Line

PARAMETERS = 200_000
"""Of every model."""
DUE = 0.01
"""Share of its expected rows from which a mode counts as covered."""
HALVES = 20
"""Random halves of the real rows that the floor of KID is taken over."""
KID, QUALITY, COST = "KID", "quality", "sampling, ms a row"
FIGURES = (KID, "modes", QUALITY, "novelty", "parameters", "steps", "training, seconds", COST)
SPREAD = " (spread)"
"""Suffix: maximum minus minimum over the seeds."""


def judged(subject: Subject, rows: Tensor) -> Figures:
    """Figures of generated rows."""
    held, train = subject.held, subject.train
    mode = subject.mode(rows)
    counts = torch.bincount(mode[mode >= 0], minlength=subject.modes)
    return {
        KID: distance(subject, rows, held),
        "modes": float((counts >= DUE * len(rows) / subject.modes).sum()),
        QUALITY: quality(mode),
        "novelty": _near(rows, train) / _near(held, train),
    }


def _near(rows: Tensor, train: Tensor) -> float:
    """The median distance to the nearest training row."""
    return float(nearest(rows, train).distance.median())


def distance(subject: Subject, a: Tensor, b: Tensor) -> float:
    """KID of two sets of rows."""
    return kid(subject.features(a).numpy(), subject.features(b).numpy())


def real(subject: Subject, n: int) -> Figures:
    """Figures of held-out rows; as KID, the root mean square over random halves of all real rows.

    Quality is that of the training rows, as the held-out ones define the modes.
    """
    whole = torch.cat([subject.train, subject.held])
    halves = [whole[torch.randperm(len(whole), generator=generator(i, "half"))] for i in range(HALVES)]
    found = [distance(subject, *half[: 2 * n].chunk(2)) for half in halves]
    return {
        **judged(subject, subject.held),
        KID: fmean(value**2 for value in found) ** 0.5,
        QUALITY: quality(subject.mode(subject.train)),
    }


def quality(mode: Tensor) -> float:
    """The share of rows that belong to a mode."""
    return float((mode >= 0).float().mean())


def measure(subject: Subject, family: str, budget: Budget, *, n: int, seed: int) -> Figures:
    """Train one model and score n of its samples."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = sized(family, subject.train.shape[1], PARAMETERS)
    start = time.perf_counter()
    steps = model.learn(subject.train, budget, seed=seed)
    trained = time.perf_counter()
    rows = model.sample(n, generator=generator(seed, "sample"))
    drawn = time.perf_counter()
    return {
        **judged(subject, rows),
        "parameters": parameters(model),
        "steps": steps,
        "training, seconds": trained - start,
        COST: 1000 * (drawn - trained) / n,
    }


def columns(found: Mapping[str, Sequence[Figures]]) -> dict[str, Figures]:
    """Family → medians over the seeds, and the spread of what is not a cost."""
    return {
        family: {
            **medians(runs),
            **{
                name + SPREAD: max(r[name] for r in runs) - min(r[name] for r in runs) for name in FIGURES[:4]
            },
        }
        for family, runs in found.items()
    }


def shown(name: str, found: Mapping[str, Sequence[Figures]], floor: Figures) -> str:
    """A subject's table."""
    names = [line for figure in FIGURES for line in (figure, figure + SPREAD)]
    there = columns(found)
    targets = [Target(line) for line in names if any(line in figures for figures in there.values())]
    return f"{name}\n\n{table(targets, {**there, 'real': floor})}\n"


def curves(found: Mapping[str, Sequence[Figures]]) -> list[Line]:
    """Family → its seeds, quality over the cost of a row."""
    return [Line(name, sorted((run[COST], run[QUALITY]) for run in runs)) for name, runs in found.items()]


def main() -> None:
    parser = arguments(__doc__)
    parser.set_defaults(seeds=[0, 1, 2, 3, 4], json=Path("runs/families.json"))
    parser.add_argument("--minutes", type=float, default=0.5, help="of every training")
    parser.add_argument("--steps", type=int, help="instead of minutes")
    parser.add_argument("--n", type=int, default=2000, help="rows that are scored")
    parser.add_argument("--plot", type=Path, default="families.png", help="where the picture goes")
    run(parser.parse_args())


def run(options: argparse.Namespace) -> None:
    """Train, score, print and plot."""
    options.json.parent.mkdir(parents=True, exist_ok=True)
    budget = Budget(60 * options.minutes, options.steps)
    kept = Kept(options.json, {"minutes": options.minutes, "steps": options.steps, "n": options.n})
    panels = {}
    for name, make in SUBJECTS.items():
        subject, found = make(), {}
        for family in RIVALS:
            found[family] = [
                kept.case(
                    f"{name}, {family}, seed {seed}",
                    lambda: measure(subject, family, budget, n=options.n, seed=seed),  # noqa: B023
                )
                for seed in options.seeds
            ]
        print(shown(name, found, kept.case(f"{name}, real", lambda: real(subject, options.n))))  # noqa: B023
        panels[name] = curves(found)
    chart(panels, options.plot, x=Scale(COST, log=True), y=Scale(QUALITY), joined=False)


if __name__ == "__main__":
    main()
