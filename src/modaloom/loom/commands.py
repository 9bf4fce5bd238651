"""Example commands printed after training; they refer to held-out samples of the training folder."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from modaloom.core.types import Sample
from modaloom.data.folder import Folder
from modaloom.evaluation.held_out import split_of
from modaloom.evaluation.scores import scores, sides
from modaloom.loom.command_line import command_word
from modaloom.loom.run import TrainedRun
from modaloom.modalities.files import File
from modaloom.runs.store import RunFiles


def examples(trained: TrainedRun) -> list[str]:
    """Three commands: generate in one direction, generate in the reverse direction, and evaluate.

    For a single stream: generate, evaluate, report.
    """
    folder, path = RunFiles(trained.path).data()["folder"], trained.path
    index = trained.run.data.open(Path(folder))
    drawn = [_generate(path, folder, sample, *pair) for sample, pair in _asked(trained, index)]
    others = [["evaluate", str(path), folder], ["report", str(path)]]
    if not drawn:
        (want, *_) = trained.model.streams
        drawn = [["generate", str(path), "--want", want, "--n", "4", "--out", f"{path}-{want}"]]
    return [shlex.join(["modaloom", *words]) for words in [*drawn, *others][:3]]


def _asked(trained: TrainedRun, index: Folder) -> list[tuple[Sample, tuple[str, str]]]:
    """An evaluated direction and its reverse, each with a held-out sample that has both streams."""
    split = split_of(trained.run.data, index)
    held_out = [s for s in index.samples if split[s.key].startswith("test")]
    held_out += [s for s in index.samples if split[s.key] == "val"]
    pairs = _pairs(trained.path)
    chosen = next((p for p in pairs if p[::-1] in pairs), pairs[0] if pairs else None)
    found = ((next((s for s in held_out if set(p) <= set(s.streams)), None), p) for p in _both(chosen))
    return [(sample, pair) for sample, pair in found if sample is not None]


def _both(pair: tuple[str, str] | None) -> list[tuple[str, str]]:
    return [pair, (pair[1], pair[0])] if pair else []


def _pairs(run: Path) -> list[tuple[str, str]]:
    """(given, target) of every evaluated direction from one stream to one stream."""
    found = dict.fromkeys(sides(row) for row in scores(run))
    return [(given[0], want[0]) for given, want in found if len(given) == len(want) == 1]


def _generate(run: Path, folder: str, sample: Sample, given: str, want: str) -> Sequence[str]:
    """Of one sample; of all where it is in an archive, which no option names."""
    out, source = f"{run}-{given}-to-{want}", sample.streams[given]
    if isinstance(source, File) and not isinstance(source, Path):
        return ["generate", str(run), folder, "--want", want, "--out", out]
    return ["generate", str(run), "--given", f"{given}={command_word(source)}", "--want", want, "--out", out]
