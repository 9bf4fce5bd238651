"""The pictures of the report: what the model makes of the first held-out samples, beside the truth."""

import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modaloom.api.judge import held_out
from modaloom.api.trained import TrainedRun
from modaloom.core.types import Sample
from modaloom.data.folder import open_folder
from modaloom.evaluation.choice import judge_of
from modaloom.evaluation.directions import all_directions
from modaloom.evaluation.rows import Direction
from modaloom.modalities import MODALITIES
from modaloom.runs.durable import write_json

SHOWN = 8
"""Held-out samples a direction."""
DRAWS = 3
"""Draws a sample: they should differ in what is left open."""


def write_gallery(trained: TrainedRun, folder: str) -> None:
    """Fill RUN/samples with draws for every direction, and `index.json`, which the report reads.

    The samples are the first ones of the last test split (the hardest of a world) and the seed is 0: nothing
    is picked.
    """
    index = open_folder(Path(folder))
    by_split = held_out(trained, index)
    if not by_split:
        return
    split, samples = [*by_split.items()][-1]
    root = trained.path / "samples"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    judge = judge_of(index.path, samples, {}, trained.modality_of)
    directions = all_directions(list(trained.model.streams), judge, trained.model.wanted)
    blocks = [
        _block(trained, root, number, direction, split, samples)
        for number, direction in enumerate(directions)
    ]
    write_json(root / "index.json", {"blocks": [block for block in blocks if block]})


def _block(
    trained: TrainedRun,
    root: Path,
    number: int,
    direction: Direction,
    split: str,
    samples: Sequence[Sample],
) -> dict[str, Any] | None:
    whole = [s for s in samples if all(name in s.streams for name in direction.streams)][:SHOWN]
    if not whole:
        return None
    rows = []
    draws = [_draw(trained, direction, whole, i) for i in range(DRAWS)]
    for n, sample in enumerate(whole):
        stem = f"{number:02d}-{n:02d}"
        truth = _some(sample, direction.want if direction.given else ())
        rows.append(
            {
                "key": sample.key if direction.given else str(n),
                "given": _write(
                    trained, root, f"{stem}-given", {g: sample.streams[g] for g in direction.given}
                ),
                "wanted": {
                    name: [
                        _write(trained, root, f"{stem}-{i}", {name: draw[n][name]})[name]
                        for i, draw in enumerate(draws)
                    ]
                    for name in direction.want
                },
                "truth": _write(trained, root, f"{stem}-truth", truth),
            }
        )
    title = f"{' + '.join(direction.given) or 'nothing'} → {' + '.join(direction.want)}"
    words = ["modaloom", "generate", str(trained.path), "FOLDER", "--want", ",".join(direction.want)]
    return {"title": f"{title}, {split}", "command": shlex.join(words), "rows": rows}


def _draw(
    trained: TrainedRun, direction: Direction, samples: Sequence[Sample], number: int
) -> list[dict[str, Any]]:
    given = {name: [sample.streams[name] for sample in samples] for name in direction.given}
    names = [f"{sample.key}-{number}" for sample in samples]
    return trained.model.generate(given, direction.want, n=len(samples), seed=0, names=names)


def _write(trained: TrainedRun, root: Path, stem: str, values: Mapping[str, Any]) -> dict[str, str]:
    files = {}
    for name, value in values.items():
        modality = MODALITIES[trained.model.streams[name].modality]
        files[name] = f"{stem}.{name}.{modality.suffixes[0]}"
        modality.write(value, root / files[name])
    return files


def _some(sample: Sample, names: Sequence[str]) -> dict[str, Any]:
    return {name: sample.streams[name] for name in names}
