"""Sample gallery of the report: generated samples for the first held-out samples, and the worst ones."""

import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modaloom.core.json_text import from_json
from modaloom.core.results import Results
from modaloom.core.types import Sample
from modaloom.data.atomic_io import write_json
from modaloom.data.folder import Folder
from modaloom.data.writer import PROVENANCE, file_names, writing
from modaloom.evaluation.budget import Budget
from modaloom.evaluation.choice import judge_of
from modaloom.evaluation.directions import all_directions, most_wanted
from modaloom.evaluation.judge import Judge
from modaloom.evaluation.plain import compared_whole
from modaloom.evaluation.rows import Direction
from modaloom.evaluation.worst import lowest, score_answers
from modaloom.loom.evaluation.folder import FolderReading, held_out
from modaloom.loom.generation import generate
from modaloom.loom.run import TrainedRun
from modaloom.modalities.base import Value
from modaloom.runs.store import INDEX, SAMPLES

NUM_DRAWS = 48
"""Held-out samples per direction that are generated for, once each, if time permits."""
NUM_SHOWN, NUM_WORST = 16, 8
"""Number of first samples and of worst samples that are shown."""

Values = Mapping[int, Mapping[str, Value]]
"""Index among a direction's samples → stream → value."""
Files = Mapping[int, Mapping[str, str]]
"""Index among a direction's samples → stream → path below RUN/samples."""


def write_gallery(trained: TrainedRun, folder: str, *, minutes: float | None = None) -> None:
    """Write generated samples of what is wanted most to RUN/samples, and `index.json` for the report.

    The conditions are the first samples of the last test split (the hardest one of a world) and the seed is
    0, so nothing is cherry-picked. After `minutes`, only `NUM_SHOWN` samples are generated per direction. The
    worst samples are those with the lowest individual scores of the judge; samples that score as high as the
    ground truth are excluded. Values are written with the model's limits applied. Each direction has a
    folder: `given` and `drawn` are the input and output of its command; `truth` and `nearest` (the nearest
    training sample) have the same keys.

    Raises the errors of reading the folder and of `generate`.
    """
    index = trained.run.data.open(Path(folder))
    budget, by_split = Budget.of(minutes), held_out(trained, index)
    if not by_split:
        return
    split, samples = [*by_split.items()][-1]
    whole = [name for name, modality in trained.modality_of.items() if compared_whole(modality)]
    streams = [name for name in whole if name in index.modality_of]
    train = FolderReading(trained, index, streams).read(("train",)).get("train", [])
    judge = judge_of(index.path, train, {split: samples}, trained.modality_of, trained.model.specs)
    root = trained.path / SAMPLES
    shutil.rmtree(root, ignore_errors=True)
    every = all_directions(list(trained.model.streams), judge, trained.model.wanted)
    directions = most_wanted(every, trained.model.sizes)
    directions.sort(key=lambda direction: (not direction.given, len(direction.given)))
    blocks = [
        _block(
            _SampleGrid(trained, root, direction),
            index,
            judge,
            samples,
            NUM_SHOWN if budget.over else NUM_DRAWS,
        )
        for direction in directions
    ]
    shown = {"split": split.removeprefix("test-"), "blocks": [block for block in blocks if block]}
    write_json(root / INDEX, shown)


@dataclass(frozen=True)
class _SampleGrid:
    """Files of the samples of one direction."""

    trained: TrainedRun
    root: Path
    direction: Direction

    @property
    def folder(self) -> Path:
        return self.root / f"{'+'.join(self.direction.given) or 'nothing'}-to-{'+'.join(self.direction.want)}"

    def write(self, role: str, values: Values) -> Files:
        """Write values as plain files of the data contract."""
        if any(values.values()):
            with writing(self.folder / role, self.trained.modality_of) as writer:
                for place, streams in values.items():
                    writer.write(Sample(_key(place), streams))
        return self.files(role, values)

    def files(self, role: str, values: Values) -> Files:
        """Paths of written values, relative to RUN/samples."""
        stem = f"{self.folder.name}/{role}"
        return {
            place: {
                stream: f"{stem}/{name}"
                for stream, name in file_names(Sample(_key(place), streams), self.trained.modality_of).items()
            }
            for place, streams in values.items()
        }

    def generate(self, n: int) -> Values:
        """Generate one sample per condition in folder `given`; unconditionally, n samples."""
        given = self.folder / "given" if self.direction.given else None
        frames = generate(
            self.trained, given, want=self.direction.want, out=self.folder / "drawn", n=None if given else n
        )
        return {int(sample.key): sample.streams for sample in Results(frames)}

    def command(self, n: int) -> str:
        """Command that reproduces the generated samples."""
        source = [str(self.folder / "given")] if self.direction.given else ["--n", str(n)]
        words = ["generate", str(self.trained.path), *source, "--want", ",".join(self.direction.want)]
        return shlex.join(["modaloom", *words, "--out", "drawn"])

    def nearest(self, index: Folder) -> Values:
        """Nearest training sample of each generated sample, from its provenance, where known."""
        lines = (self.folder / "drawn" / PROVENANCE).read_text(encoding="utf-8").splitlines()
        key_of = {int(line["key"]): line["nearest"] for line in map(from_json, lines)}
        source_of = {sample.key: sample for sample in index.samples}
        reader = FolderReading(self.trained, index, self.direction.want).reader
        return {
            place: reader.read(source_of[key]).streams for place, key in key_of.items() if key in source_of
        }


def _block(
    grid: _SampleGrid, index: Folder, judge: Judge, samples: Sequence[Sample], most: int
) -> dict[str, Any] | None:
    """The entry of `index.json` for a direction; None if no sample has its streams."""
    ask = grid.direction
    whole = [s for s in samples if all(name in s.streams for name in ask.streams)][:most]
    if not whole:
        return None
    given = grid.write("given", {i: _some(sample, ask.given) for i, sample in enumerate(whole)})
    drawn = grid.generate(len(whole))
    marked = score_answers(judge, ask, drawn, whole)
    worst, first = lowest(marked, NUM_WORST), [*drawn][:NUM_SHOWN]
    shown = {*first, *worst}
    roles = {
        "given": given,
        "wanted": grid.files("drawn", drawn),
        "truth": grid.write("truth", {i: _some(whole[i], ask.want if ask.given else ()) for i in shown}),
        "nearest": grid.write("nearest", _at(shown, grid.nearest(index))),
    }

    def row(place: int) -> dict[str, Any]:
        """Role → stream → file."""
        return {role: files.get(place, {}) for role, files in roles.items()}

    return {
        "given": ask.given,
        "want": ask.want,
        "drawn": len(drawn),
        "command": grid.command(len(whole)),
        "rows": [row(place) for place in first],
        "worst": [{**row(place), "note": marked[place].note} for place in worst],
    }


def _key(place: int) -> str:
    return f"{place:04d}"


def _some(sample: Sample, names: Iterable[str]) -> dict[str, Value]:
    return {name: sample.streams[name] for name in names}


def _at(places: Iterable[int], values: Values) -> Values:
    return {place: values[place] for place in places if place in values}
