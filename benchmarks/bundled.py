"""The bundled run: trains the demo for longer, scores it and exports it into the package.

python benchmarks/bundled.py [--minutes 30] [--seed 0] [--out runs/bundled/demo] [--json F]

An interrupted run is resumed; a finished one is reused.
"""

import argparse
import json
import shutil
from pathlib import Path

from figures import Figures, Target, publish

from modaloom import api
from modaloom.data.atomic_io import write_json
from modaloom.recipes.demo import DemoWorld
from modaloom.runs.resolve import ROOT

NUM_SAMPLES = 500
"""Samples a direction and split."""
WORST = {"seen": 0.97, "level1": 0.95}
"""Split → target of the worst slot relative to its ceiling."""
BOTH = ("image->caption", "caption->image")
SIZE = "size, MB"
TARGETS = [
    *(
        Target(f"{name}, {split}: worst slot / ceiling", bound)
        for name in BOTH
        for split, bound in WORST.items()
    ),
    Target(SIZE, 5, "≤"),
]


def figures(folder: Path) -> Figures:
    """Of an exported run: its scores and its size."""
    rows = json.loads((folder / "scores.json").read_text(encoding="utf-8"))["rows"]
    worst = {(row["row"], row["split"]): row for row in rows if row["metric"] == "slot.worst"}
    found = {
        f"{name}, {split}: worst slot / ceiling": worst[name, split]["value"] / worst[name, split]["ceiling"]
        for name in BOTH
        for split in WORST
    }
    return {**found, SIZE: sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="of training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default="runs/bundled/demo", help="where the run goes")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    api.demo(
        out=options.out,
        minutes=options.minutes,
        streams=DemoWorld.streams,
        seed=options.seed,
        samples=NUM_SAMPLES,
    )
    made = api.export(options.out, out=options.out.with_name(f"{options.out.name}-small"))
    rescore(made, options.out.with_name(f"{options.out.name}-world"))
    shutil.rmtree(ROOT / "demo", ignore_errors=True)
    shutil.move(made, ROOT / "demo")
    publish(TARGETS, {f"seed {options.seed}": figures(ROOT / "demo")}, options.json)


def rescore(made: Path, world: Path) -> None:
    """Replace the scores by those of the smaller weights."""
    path = made / "scores.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    rows = [row.to_dict() for row in api.evaluate(made, world, n=NUM_SAMPLES)]
    write_json(path, {**kept, "rows": rows})


if __name__ == "__main__":
    main()
