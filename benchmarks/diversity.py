"""Accuracy against diversity, over guidance and temperature.

python benchmarks/diversity.py RUN WORLD [--guidance 1,1.5,2,3] [--temperature 0.7,0.9,1.1] [--n 200]
                               [--rows "caption->image,…"] [--plot diversity.png] [--json F]

For every direction its headline metric and its diversity: the difference of two samples from one condition,
relative to two real samples (`diversity.…`); the entropy of unconditional samples (`entropy.mean`); for any
data the share of real samples with a generated one near them (`coverage.…`); of texts, records and sequences
the share of the different held-out values that are drawn (`covered.…`), one draw for each. Other settings are
the run's.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from chart import Scale, chart
from figures import Figures, Target, arguments, numbers, publish

from modaloom import api
from modaloom.core.types import Sample
from modaloom.evaluation import ScoreRow, headlines
from modaloom.loom.evaluation.folder import held_out
from modaloom.modalities import MODALITIES
from modaloom.report.plots import Line

COVERED = "covered."
VARIED = ("diversity.", "entropy.mean", "coverage.", COVERED)
"""Prefixes of diversity metrics; the first that a direction has is plotted."""


@dataclass(frozen=True)
class Grid:
    """The settings that are tried."""

    guidance: Sequence[float]
    temperature: Sequence[float]

    @staticmethod
    def name(guidance: float, temperature: float) -> str:
        """A column of the table."""
        return f"w {guidance:g}, T {temperature:g}"


def measure(run: api.TrainedRun, folder: Path, grid: Grid, *, rows: str, n: int) -> dict[str, list[ScoreRow]]:
    """Setting → its rows."""
    directions, found = [name for name in rows.split(",") if name], {}
    held = {
        split.removeprefix("test-"): samples
        for split, samples in held_out(run, run.run.data.open(folder)).items()
    }
    for w, t in product(grid.guidance, grid.temperature):
        sampling = {"guidance": w, "temperature": t}
        scores = api.evaluate(run, folder, rows=directions, n=n, sampling=sampling)
        places = dict.fromkeys((row.row, row.split) for row in scores)
        more = (covered(run, name, split, held.get(split, ())[:n], sampling) for name, split in places)
        found[grid.name(w, t)] = [*scores, *filter(None, more)]
    return found


def covered(
    run: api.TrainedRun, name: str, split: str, samples: Sequence[Sample], sampling: Mapping[str, float]
) -> ScoreRow | None:
    """`covered.…` of a direction; None where the values of its target are never equal."""
    given, want = (side.split("+") if side else [] for side in name.split("->"))
    whole = [one for one in samples if {*given, *want} <= one.streams.keys()]
    codec = MODALITIES[run.modality_of[want[0]]].codec
    if len(want) > 1 or codec.continuous or not whole:
        return None
    shown = {stream: [one.streams[stream] for one in whole] for stream in given}
    drawn = run.model.generate(shown, want, n=len(whole), options=run.sampling(sampling))
    real, made = (
        {*codec.identity_keys([values[want[0]] for values in column], run.model.specs[want[0]])}
        for column in ([one.streams for one in whole], drawn)
    )
    return ScoreRow(name, split, f"{COVERED}{want[0]}", len(real & made) / len(real), n=len(whole))


def figures(rows: Sequence[ScoreRow]) -> Figures:
    """Direction, split and metric → value: the headline, and all diversity metrics."""
    varied = [row for row in rows if row.metric.startswith(VARIED)]
    return {f"{row.row}, {row.split}: {row.metric}": row.value for row in [*headlines(rows), *varied]}


def curves(found: Mapping[str, Sequence[ScoreRow]], grid: Grid) -> dict[str, list[Line]]:
    """Direction and split → a line per temperature through all guidances, by rising diversity."""
    first = next(iter(found.values()))
    places = dict.fromkeys((row.row, row.split) for row in first if row.metric.startswith(VARIED))
    return {
        f"{place[0]}, {place[1]}": [
            Line(f"T {t:g}", sorted(_point(found[grid.name(w, t)], place) for w in grid.guidance))
            for t in grid.temperature
        ]
        for place in places
    }


def _point(rows: Sequence[ScoreRow], place: tuple[str, str]) -> tuple[float, float]:
    here = [row for row in rows if (row.row, row.split) == place]
    (accuracy,) = headlines(here)
    variety = next(row for start in VARIED for row in here if row.metric.startswith(start))
    return variety.value, accuracy.value


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path, help="held-out data with the run's streams")
    parser.add_argument("--guidance", type=numbers, default=[1.0, 1.5, 2.0, 3.0], help="such as 1,2")
    parser.add_argument("--temperature", type=numbers, default=[0.7, 0.9, 1.1], help="such as 0.8,1")
    parser.add_argument("--n", type=int, default=200, help="samples a direction and split")
    parser.add_argument("--rows", default="", help="directions; default all")
    parser.add_argument("--plot", type=Path, help="where a picture goes")
    run(parser.parse_args())


def run(options: argparse.Namespace) -> None:
    """Measure, print and plot."""
    grid = Grid(options.guidance, options.temperature)
    found = measure(api.load(options.run), options.folder, grid, rows=options.rows, n=options.n)
    columns = {name: figures(rows) for name, rows in found.items()}
    publish([Target(name) for name in next(iter(columns.values()))], columns, options.json)
    if options.plot:
        chart(curves(found, grid), options.plot, x=Scale("variety"), y=Scale("accuracy"))


if __name__ == "__main__":
    main()
