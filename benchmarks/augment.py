"""Augmentation at a tenth of the training data: held-out scores with and without, at equal steps.

python examples/digits.py digits
python examples/emoji.py emoji
python benchmarks/augment.py digits emoji [--cases digits,names,pictures] [--seeds 0,1,2] [--json FILE]

digits: handwritten digits and their words. pictures: emoji of 16 px and their group. names: English names of
emoji and their group. Every tenth training sample is used, and all test samples. Finished cases are kept in
the JSON file.
"""

import argparse
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean, median

import digits
import torch
from figures import Figures, Target, arguments, table
from kept import Kept

from modaloom.core.types import Sample
from modaloom.data.atomic_io import new_folder
from modaloom.data.folder import open_folder
from modaloom.data.notices import silent
from modaloom.data.reader import Reader
from modaloom.loom.config import LoomRunConfig
from modaloom.loom.likelihood import bits_per_code
from modaloom.loom.model import Model
from modaloom.loom.trainer import LoomTrainer
from modaloom.runs.config import DataConfig
from modaloom.runs.config_io import override
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator

TENTH = 10
"""One of so many training samples is used."""
NONE = "none"
SHIFT, FLIP = "training.augment.shift=0.125", "training.augment.flip=0.5"
SETTINGS = (
    *("loom.width=64", "loom.num_layers=4", "loom.num_heads=2", "training.loom.batch_size=32"),
    *("training.precision=bf16", "data.limits.image.max_side=16"),
)
"""A small Loom, since a case has about 130 or 280 samples."""


@dataclass(frozen=True)
class Case:
    """Streams of a folder, how they are learned and what is scored."""

    folder: str
    """The folder on the command line."""
    streams: tuple[str, str]
    """What is given, and what is wanted for the scores."""
    steps: Mapping[str, int]
    arms: Mapping[str, Sequence[str]]
    """Name → settings of an augmentation."""
    score: Callable[[Model, Sequence[Sample], Path, Path, int], Figures]
    """Model, test samples, whole folder, folder with a tenth, seed → figures."""


def score_digits(model: Model, test: Sequence[Sample], whole: Path, few: Path, seed: int) -> Figures:
    """Those of benchmarks/digits.py; the judge has learned all training digits."""
    known, held = digits.read(whole)
    found = digits.measure(model, digits.read(few)[0], held, seed=seed, judged_by=known)
    return {name: value for name, value in found.items() if "ceiling (held-out digits)" not in name}


def score_group(model: Model, test: Sequence[Sample], whole: Path, few: Path, seed: int) -> Figures:
    """The share of test samples whose group is right, and that of the most frequent group."""
    (given,) = (name for name in model.streams if name != "group")
    values, keys = [s.streams[given] for s in test], [s.key for s in test]
    drawn = model.generate({given: values}, ["group"], n=len(test), names=keys, seed=seed)
    right = [one["group"] == s.streams["group"] for one, s in zip(drawn, test, strict=True)]
    counts = Counter(s.streams["group"]["group"] for s in test)
    return {f"{given}→group, exact": fmean(right), f"{given}→group, floor": max(counts.values()) / len(test)}


CASES: Mapping[str, Case] = {
    "digits": Case(
        "digits",
        ("image", "text"),
        {"image": 400, "loom": 800},
        {NONE: (), "shift ⅛": (SHIFT,)},
        score_digits,
    ),
    "names": Case(
        "emoji",
        ("en", "group"),
        {"loom": 600},
        {NONE: (), "dropout 0.1": ("training.augment.dropout=0.1",)},
        score_group,
    ),
    "pictures": Case(
        "emoji",
        ("image", "group"),
        {"image": 200, "loom": 400},
        {
            NONE: (),
            "shift ⅛": (SHIFT,),
            "flip": (FLIP,),
            "brightness 0.3": ("training.augment.brightness=0.3",),
        },
        score_group,
    ),
}


def tenth(folder: Path, streams: Sequence[str], out: Path) -> Path:
    """Every tenth training sample and all others, as far as they have files of these streams."""
    if out.exists():
        return out
    index = open_folder(folder)
    splits = index.splits or {}
    training = [sample for sample in index.samples if splits[sample.key] == "train"]
    left_out = {sample.key for sample in training} - {sample.key for sample in training[::TENTH]}
    with new_folder(out) as root:
        for sample in index.samples:
            for name in streams:
                if sample.key not in left_out and name in sample.streams:
                    place = root / sample.streams[name].relative_to(folder)
                    place.parent.mkdir(exist_ok=True)
                    shutil.copyfile(sample.streams[name], place)
    return out


def attempt(options: argparse.Namespace, name: str, arm: str, seed: int) -> Figures:
    """Train and score one case."""
    case = CASES[name]
    whole = getattr(options, case.folder)
    few = tenth(whole, case.streams, options.out / f"{name}-tenth")
    steps = [f"training.steps.{stage}={count}" for stage, count in case.steps.items()]
    config = override(
        LoomRunConfig(seed=seed, data=DataConfig(streams=case.streams)), [*SETTINGS, *steps, *case.arms[arm]]
    )
    index = open_folder(few)
    with tempfile.TemporaryDirectory() as place, RunFolder.create(Path(place) / "run", config) as run:
        accelerator = Accelerator("cpu", config.training.precision)
        trainer = LoomTrainer(run, index, accelerator, notify=silent)
        for _ in trainer.steps():
            pass
    reader, splits = Reader(index, streams=case.streams), index.splits or {}
    test = [reader.read(sample) for sample in index.samples if splits[sample.key] == "test"]
    assert trainer.model is not None
    return {**case.score(trainer.model, test, whole, few, seed), **bits(trainer.model, test)}


def bits(model: Model, test: Sequence[Sample]) -> Figures:
    """Bits per code of the test samples, each stream given the other."""
    codes = {name: model.encode(name, [sample.streams[name] for sample in test]) for name in model.streams}
    present = {name: torch.ones(len(test), dtype=torch.bool) for name in codes}
    found = bits_per_code(model, codes, present)
    return {f"bits per code of {name}": found[f"bits.{name}"] for name in codes}


def summary(found: Mapping[str, Sequence[Figures]]) -> dict[str, Figures]:
    """Arm → medians over the seeds, and below each the spread."""
    columns: dict[str, dict[str, float]] = {}
    for arm, seeds in found.items():
        columns[arm] = {}
        for name in seeds[0]:
            values = [figures[name] for figures in seeds]
            columns[arm] |= {name: median(values), f"{name} (spread)": max(values) - min(values)}
    return columns


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("digits", type=Path, help="what examples/digits.py wrote")
    parser.add_argument("emoji", type=Path, help="what examples/emoji.py wrote")
    parser.add_argument("--cases", default=",".join(CASES), help="such as digits,names")
    parser.add_argument("--out", type=Path, default="runs/augment-benchmark", help="where data and runs go")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    kept = Kept(options.json or options.out / "augment.json", {"tenth": TENTH})
    for name in options.cases.split(","):
        found = {
            arm: [
                kept.case(f"{name}, {arm}, seed {seed}", partial(attempt, options, name, arm, seed))
                for seed in options.seeds
            ]
            for arm in CASES[name].arms
        }
        columns = summary(found)
        print(table([Target(figure) for figure in columns[NONE]], columns), flush=True)


if __name__ == "__main__":
    main()
