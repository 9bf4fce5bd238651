"""The same held-out samples, drawn again and again while a Loom is trained: is it learning?"""

import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from modaloom.core.frame import finished
from modaloom.core.types import Sample
from modaloom.data.atomic_io import write_json
from modaloom.data.writer import Writer, file_names
from modaloom.loom.model import Model
from modaloom.modalities.base import Value
from modaloom.runs.store import PROGRESS, RunFiles

NUM_SAMPLES, MAX_DIRECTIONS, NUM_STEPS = 6, 4, 12
"""Samples and target streams of a snapshot, and sampling steps."""
MAX_SNAPSHOTS = 12
"""When there are more, every second one is removed."""
MAX_SHARE = 0.02
"""Fraction of the training's time for snapshots."""


class Snapshots:
    """Draws the held-out samples of a run, each stream from all others, with the seed 0.

    Args:
        run: the run folder; snapshots lie in RUN/progress.
        codes: stream → int64 codes (n, L, Q) of samples that have all streams.
    """

    def __init__(self, run: Path, codes: Mapping[str, Tensor]) -> None:
        self.run, self.codes = run, {name: column[:NUM_SAMPLES] for name, column in codes.items()}
        self._start, self._spent = time.monotonic(), 0.0

    def write(self, model: Model, step: int) -> None:
        """Draw with the present weights, unless that would take more than its share of the time."""
        begun = time.monotonic()
        if self._spent > MAX_SHARE * (begun - self._start) or not len(next(iter(self.codes.values()))):
            return
        training = model.loom.training
        model.loom.eval()
        with torch.no_grad():
            self._write(model, step)
        model.loom.train(training)
        self._spent += time.monotonic() - begun

    def _write(self, model: Model, step: int) -> None:
        root = self.run / PROGRESS
        known = [one for one in RunFiles(self.run).progress().get("snapshots", []) if one["step"] < step]
        targets = list(model.wanted)[:MAX_DIRECTIONS]
        truth = [self._saved(model, root / "truth", "truth", model.values(self.codes), targets)]
        drawn: list[dict[str, Value]] = [{} for _ in range(len(next(iter(self.codes.values()))))]
        options = replace(model.loom.config.sampling, steps=NUM_STEPS)
        for want in targets:
            given = {name: column for name, column in self.codes.items() if name != want}
            made = model.values(finished(model.stream(given, [want], n=len(drawn), options=options)))
            for sample, one in zip(drawn, made):
                sample[want] = one[want]
        name = f"{step:07d}"
        files = self._saved(model, root / name, name, drawn, targets)
        kept = [*known, {"step": step, "rows": files}]
        if len(kept) > MAX_SNAPSHOTS:
            for one in kept[-2::-2]:
                shutil.rmtree(root / f"{one['step']:07d}", ignore_errors=True)
            kept = kept[-1::-2][::-1]
        write_json(root / "index.json", {"targets": targets, "truth": truth[0], "snapshots": kept})

    def _saved(
        self, model: Model, folder: Path, name: str, values: Any, targets: list[str]
    ) -> list[dict[str, str]]:
        """Write values as files; returns target → path below RUN/progress, for each sample."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        modality_of = {stream: model.streams[stream].modality for stream in targets}
        writer, rows = Writer(folder, modality_of), []
        for i, one in enumerate(values):
            sample = Sample(f"{i}", {stream: one[stream] for stream in targets})
            writer.write(sample)
            files = file_names(sample, modality_of)
            rows.append({stream: f"{name}/{file}" for stream, file in files.items()})
        return rows
