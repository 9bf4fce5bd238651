"""Example commands that are shown after the training of a Restorer run."""

import shlex
from pathlib import Path

import torch

from modaloom.core.errors import ModaloomError
from modaloom.evaluation.held_out import split_of
from modaloom.modalities.unit import from_unit
from modaloom.restorer.restoration import RestoredRun, RestoreOptions
from modaloom.runs.store import RunFiles

PROBE_SIDE = 16
"""Side length, in positions, of the blank signal that probes whether a task needs further inputs."""


def restored_examples(trained: RestoredRun) -> list[str]:
    """Returns shell commands: restore a held-out file if the task needs no other input, evaluate, report."""
    folder, path = RunFiles(trained.path).data()["folder"], trained.path
    free = trained.restoration.task.unconditional
    held_out = None if free or not _needs_nothing(trained) else _held_out(trained, Path(folder))
    words = [["evaluate", str(path), folder], ["report", str(path)]]
    if free:
        words.insert(0, ["restore", str(path), "--n", "4", "--out", f"{path}-drawn"])
    if held_out is not None:
        words.insert(0, ["restore", str(path), str(held_out), "--out", f"{path}-restored"])
    return [shlex.join(["modaloom", *one]) for one in words]


def _needs_nothing(trained: RestoredRun) -> bool:
    plan = trained.restoration.plan
    zeros, facts = torch.zeros(plan.signal_channels, *[PROBE_SIDE] * plan.axes), plan.facts(plan.streams[0])
    blank = from_unit(trained.modality, facts, zeros)
    try:
        trained.restore(blank, RestoreOptions(sampling={"steps": 1}))
    except ModaloomError:
        return False
    return True


def _held_out(trained: RestoredRun, folder: Path) -> Path | None:
    """Returns a held-out file of the input stream, or None."""
    index = trained.run.data.open(folder)
    stream = trained.restoration.plan.streams[0]
    of = split_of(trained.run.data, index)
    files = [s.streams.get(stream) for s in index.samples if of[s.key] != "train"]
    return next((file for file in files if isinstance(file, Path)), None)
